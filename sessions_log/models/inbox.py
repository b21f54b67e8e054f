"""The inbox, and what became of what lay in it."""

from django.db import models
from django.db.models.functions import Now

from sessions_log.fields import Xid8Field


class InboxRow(models.Model):
    """One sealed request, durable since its COMMIT. Partitioned by the day of `id`; never updated, never deleted.

    Read in the order (xid, serial), below the snapshot's xmin: a serial alone skips late committers.
    """

    id = models.UUIDField(primary_key=True)
    xid = Xid8Field()
    serial = models.BigIntegerField()
    organization_id = models.IntegerField()
    service_id = models.IntegerField()
    shard = models.SmallIntegerField()
    lane = models.SmallIntegerField()
    kind = models.SmallIntegerField()
    records = models.IntegerField()
    received_at = models.DateTimeField(db_default=Now())
    entry_ids = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "sessions_log_inbox"


class RequestOutcome(models.Model):
    """What the recorder made of one request. Partitioned by the day of `id`, as the inbox is."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    batch = models.BigIntegerField()
    recorded = models.IntegerField()
    duplicates = models.IntegerField()
    conflicts = models.IntegerField()
    quarantined = models.IntegerField()

    class Meta:
        db_table = "sessions_log_outcome"


class Conflict(models.Model):
    """A record that came again under the id and time of a stored one, but with other content. It was not stored."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    entry_id = models.UUIDField()
    request_id = models.UUIDField()
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("organization_id", "entry_id"), name="conflict_entry"),)


class QuarantinedRequest(models.Model):
    """A request that could not be recorded, still sealed under the key of its day, until somebody retries it."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    service_id = models.IntegerField()
    shard = models.SmallIntegerField()
    kind = models.SmallIntegerField()
    reason = models.CharField(max_length=200)
    quarantined_at = models.DateTimeField(db_default=Now())
    retried_at = models.DateTimeField(null=True)
    entry_ids = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        ordering = ("-quarantined_at",)

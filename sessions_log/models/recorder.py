"""Where the recorder stands, and what each of its transactions made."""

from django.db import models
from django.db.models.functions import Now

from sessions_log.fields import Xid8Field


class RecorderPosition(models.Model):
    """How far a lane of a shard's inbox is recorded: the last (xid, serial) whose outcome is stored."""

    id = models.IntegerField(primary_key=True)
    shard = models.SmallIntegerField()
    lane = models.SmallIntegerField()
    xid = Xid8Field()
    serial = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("shard", "lane"), name="recorder_position_lane"),)


class Batch(models.Model):
    """One recorder transaction. Numbers rise by one per shard: followers read them in order."""

    id = models.BigAutoField(primary_key=True)
    shard = models.SmallIntegerField()
    number = models.BigIntegerField()
    entries = models.IntegerField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("shard", "number"), name="batch_number"),)


class BatchSpan(models.Model):
    """The entries of a batch that share organization, kind and hour: where to find them by id bounds.

    One span per hour of the entries' timestamps, so that a record that is days late does not make
    followers read all the days between.
    """

    id = models.BigAutoField(primary_key=True)
    shard = models.SmallIntegerField()
    number = models.BigIntegerField()
    organization_id = models.IntegerField()
    kind = models.SmallIntegerField()
    entries = models.IntegerField()
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    lowest_id = models.UUIDField()
    highest_id = models.UUIDField()

    class Meta:
        indexes = (models.Index(fields=("shard", "number"), name="batch_span_number"),)

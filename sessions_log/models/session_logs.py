"""Session logs as entries of the ledger."""

from django.db import models


class SessionLog(models.Model):
    """A recorded session log. Partitioned by the month of `id`; never updated, deleted only by a purge.

    The database's primary key is (organization, id). `hour` stands in the other indexes in place of the id:
    equal keys share their place in a b-tree, which makes an index a quarter to a half as large (measured); a page
    of a search reads whole hours, newest first.
    """

    class Outcome(models.IntegerChoices):
        """How the action ended."""

        SUCCESS = 1, "ok"
        FAILURE = 2, "failed"
        DENIED = 3, "denied"

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    service = models.ForeignKey("Service", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    seq = models.BigIntegerField()
    timestamp = models.DateTimeField()
    recorded_at = models.DateTimeField()
    hour = models.IntegerField()
    duration = models.IntegerField(null=True)
    subject_id = models.UUIDField()
    session_id = models.UUIDField()
    target_id = models.UUIDField(null=True)
    address_id = models.UUIDField(null=True)
    outcome = models.SmallIntegerField(choices=Outcome)
    detectors = models.SmallIntegerField()
    policy = models.SmallIntegerField()
    sensitive = models.BooleanField()
    action = models.TextField()
    target_type = models.TextField(null=True)
    ai_model = models.TextField(null=True)
    findings = models.JSONField(null=True)
    nonce = models.BinaryField()
    identity = models.BinaryField(null=True)

    class Meta:
        db_table = "sessions_log_sessionlog"

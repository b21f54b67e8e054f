"""Read models: kept by followers, rebuildable from entries."""

from django.db import models

FOLLOWER_LOCK = 0x666F6C6C  # "foll": one process at a time keeps a read model, by the hash of its name

# Columns of MinuteCounter -> which entries they count, as SQL with doubled per cent signs; `is_redacted` and
# `names_model` stand for findings and AI model that are there.
COUNTED = {
    "entries": "true",
    "success": "outcome = 1",
    "failure": "outcome = 2",
    "denied": "outcome = 3",
    "sensitive": "sensitive",
    "redacted": "is_redacted",
    "auth": "action LIKE 'auth.%%'",
    "auth_failed": "action IN ('auth.login_failed', 'auth.mfa_failed')",
    "session": "action LIKE 'session.%%'",
    "record": "action LIKE 'record.%%'",
    "file": "action LIKE 'file.%%'",
    "export": "action IN ('record.export', 'file.download', 'admin.export')",
    "permission": "action LIKE 'permission.%%' OR action LIKE 'role.%%'",
    "secret": "action LIKE 'secret.%%'",  # nosec B105
    "ai": "action LIKE 'ai.%%' OR names_model",
    "admin": "action LIKE 'admin.%%'",
    "other": "action LIKE 'custom.%%'",
}


class FollowerPosition(models.Model):
    """The last batch of a shard that a follower has applied."""

    id = models.BigAutoField(primary_key=True)
    follower = models.CharField(max_length=40)
    shard = models.SmallIntegerField()
    batch = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("follower", "shard"), name="follower_position"),)


class MinuteCounter(models.Model):
    """What an organization did in one minute of its records' time: one wide row, so that a day is quick to read."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    minute = models.DateTimeField()
    entries = models.IntegerField(default=0)
    success = models.IntegerField(default=0)
    failure = models.IntegerField(default=0)
    denied = models.IntegerField(default=0)
    sensitive = models.IntegerField(default=0)
    redacted = models.IntegerField(default=0)
    auth = models.IntegerField(default=0)
    auth_failed = models.IntegerField(default=0)
    session = models.IntegerField(default=0)
    record = models.IntegerField(default=0)
    file = models.IntegerField(default=0)
    export = models.IntegerField(default=0)
    permission = models.IntegerField(default=0)
    secret = models.IntegerField(default=0)
    ai = models.IntegerField(default=0)
    admin = models.IntegerField(default=0)
    other = models.IntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "minute"), name="minute_counter_minute"),)


class Facet(models.Model):
    """A combination of filterable values that occurs: the list's filters and the seeds of its index scans."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    service_id = models.IntegerField()
    action = models.TextField()
    outcome = models.SmallIntegerField()
    sensitive = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization_id", "service_id", "action", "outcome", "sensitive"),
                name="facet_values",
            ),
        )


class SessionSummary(models.Model):
    """The inventory: what is known of a session from its entries."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    subject_id = models.UUIDField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    entries = models.IntegerField()
    failures = models.IntegerField()
    denials = models.IntegerField()
    ai_uses = models.IntegerField()
    sensitive = models.IntegerField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("organization_id", "-last_seen", "-id"), name="session_summary_recent"),
            models.Index(fields=("subject_id",), name="session_summary_subject"),
        )

"""Verifications: what was looked at of the ledgers, when, and whether it was well."""

from django.db import models

from sessions_log.domain.verification.runs import Kind


class Verification(models.Model):
    """One look at the entries from `first_seq` to before `end_seq`; only ever added to.

    faults: how many, MOST_FAULTS at most; `place` and `words` are the first one's, empty where all was well.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name.lower()) for kind in Kind])
    first_seq = models.BigIntegerField()
    end_seq = models.BigIntegerField()
    entries = models.BigIntegerField()
    opened = models.BigIntegerField()
    checkpoints = models.BigIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    faults = models.IntegerField()
    place = models.CharField(max_length=120, blank=True)
    words = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("organization_id", "id"), name="verification_latest"),
            models.Index(fields=("id",), condition=models.Q(faults__gt=0), name="verification_failed"),
        )


class VerificationPosition(models.Model):
    """How far a look that takes several steps has come: the next seq, and what was found so far."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    kind = models.SmallIntegerField()
    next_seq = models.BigIntegerField()
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    entries = models.BigIntegerField()
    opened = models.BigIntegerField()
    checkpoints = models.BigIntegerField()
    faults = models.IntegerField()
    place = models.CharField(max_length=120, blank=True)
    words = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "kind"), name="verification_position_kind"),)

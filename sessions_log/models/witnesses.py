"""Witnesses outside who cosign the ledgers' checkpoints: their cosignatures, and how each ledger stands with each."""

from django.db import models
from django.db.models.functions import Now


class Cosignature(models.Model):
    """A witness's signature of a checkpoint, verified when it came; never changed.

    It is of the checkpoint's text: of every checkpoint of that size, `checkpoint_id` being the one that was sent.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    checkpoint_id = models.BigIntegerField()
    size = models.BigIntegerField()
    witness = models.TextField()
    key_id = models.BinaryField()
    line = models.TextField()
    cosigned_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization_id", "size", "witness", "key_id"), name="cosignature_once"),
        )


class WitnessStanding(models.Model):
    """Where a ledger stands with a witness: what that cosigned last, and since when it does not.

    refusal: why it did not the last time, empty where it did; `failing_since` is null then.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    witness = models.TextField()
    key_id = models.BinaryField()
    checkpoint_id = models.BigIntegerField(null=True)
    size = models.BigIntegerField(default=0)
    refusal = models.CharField(max_length=20, default="", blank=True)
    failures = models.IntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    next_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization_id", "witness", "key_id"), name="witness_standing_once"),
        )

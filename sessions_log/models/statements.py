"""Statements as entries of the ledger."""

from django.db import models


class Statement(models.Model):
    """What the product declared about a ledger; never changed. `body` stands in its leaf, as it is."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    seq = models.BigIntegerField()
    stated_at = models.DateTimeField()
    type = models.CharField(max_length=40)
    body = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "seq"), name="statement_seq"),)
        indexes = (models.Index(fields=("organization_id", "type", "seq"), name="statement_type"),)

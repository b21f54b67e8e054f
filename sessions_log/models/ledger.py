"""An organization's ledger: its size, and the leaf bytes of its entries."""

from django.db import models


class LedgerHead(models.Model):
    """The ledger's size: the next entry's seq. Moved by compare-and-set in the recorder's transaction."""

    organization_id = models.IntegerField(primary_key=True)
    size = models.BigIntegerField(default=0)


class LeafBundle(models.Model):
    """256 leaves in the form of a C2SP tlog-tiles entry bundle; never changed."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    number = models.BigIntegerField()
    leaves = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "number"), name="leaf_bundle_number"),)


class LeafTail(models.Model):
    """Leaves of the bundle that is not full yet, in the bundle's form: one row per batch, gone once bundled."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    first_seq = models.BigIntegerField()
    leaves = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "first_seq"), name="leaf_tail_seq"),)

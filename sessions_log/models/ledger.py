"""An organization's ledger: its size and tree, and the leaf bytes of its entries.

Kept are the leaves in bundles and of the tree what cannot be made of one bundle: a node for each full tile. A tile of
level 0 is the hashes of a bundle's leaves, one of level n the nodes of tree level 8n.
"""

from django.db import models
from django.db.models.functions import Now


class LedgerHead(models.Model):
    """The ledger's size: the next entry's seq. Moved by compare-and-set in the recorder's transaction.

    frontier: the hashes of the perfect subtrees that the tree consists of, largest first, 32 bytes each.
    """

    organization_id = models.IntegerField(primary_key=True)
    size = models.BigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")


class TreeNode(models.Model):
    """The hash of a perfect subtree at tree level 8, 16, ...; never changed."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "level", "number"), name="tree_node_place"),)


class Checkpoint(models.Model):
    """A signed head of the ledger, as it is served; never changed.

    batch: the shard's last batch that it covers.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.IntegerField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()
    batch = models.BigIntegerField()
    signed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("organization_id", "id"), name="checkpoint_latest"),)


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

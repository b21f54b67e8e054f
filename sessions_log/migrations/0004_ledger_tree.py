"""The ledgers' trees: what each needs to grow, and the nodes above its bundles."""

from typing import Any

from django.db import migrations, models

from sessions_log.domain.leaf import unbundle
from sessions_log.domain.merkle import Frontier, leaf_hash


def plant(apps: Any, schema_editor: Any) -> None:
    """Grow the trees of ledgers that were begun without one."""
    head, bundle, tail, node = (
        apps.get_model("sessions_log", name).objects.using(schema_editor.connection.alias)
        for name in ("LedgerHead", "LeafBundle", "LeafTail", "TreeNode")
    )
    for one in head.filter(size__gt=0):
        frontier = Frontier()
        of_ledger = {"organization_id": one.organization_id}
        pieces = [
            bundle.filter(**of_ledger).order_by("number").values_list("leaves", flat=True),
            tail.filter(**of_ledger).order_by("first_seq").values_list("leaves", flat=True),
        ]
        for piece in pieces:
            for leaves in piece.iterator(chunk_size=1000):
                frontier, completed = frontier.grown(map(leaf_hash, unbundle(bytes(leaves))))
                node.bulk_create(
                    node.model(**of_ledger, level=done.level, number=done.number, hash=done.hash) for done in completed
                )
        if frontier.size != one.size:
            raise RuntimeError(f"ledger {one.organization_id} has {one.size} entries and {frontier.size} leaves")
        one.frontier = frontier.packed()
        one.save(update_fields=("frontier",))


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0003_job_runs"),
    ]

    operations = [
        migrations.AddField("ledgerhead", "frontier", models.BinaryField(default=b"")),
        migrations.CreateModel(
            name="TreeNode",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("level", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "level", "number"), name="tree_node_place")
                ],
            },
        ),
        migrations.RunPython(plant, migrations.RunPython.noop),
        migrations.RunSQL(
            "SELECT muniment_guard('sessions_log_treenode')", "DROP TRIGGER evidence ON sessions_log_treenode"
        ),
    ]

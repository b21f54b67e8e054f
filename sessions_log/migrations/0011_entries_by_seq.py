"""Entries by seq: a verification reads a ledger in parts.

A block range index: a few bytes for 500 rows, and nothing to do when rows come in, since entries lie about in the order
of their seq. A b-tree would cost more than 30 bytes and some microseconds an entry. multi: the entries of several
organizations share a block.
"""

from typing import Any

from django.db import migrations

_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sessions_log_sessionlog'::regclass"
_INDEX = "{} USING brin (seq int8_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on)"


def build(apps: Any, schema_editor: Any) -> None:
    """Partition by partition, without a lock that the recorder would wait for; may be run again."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX IF NOT EXISTS sessionlog_seq ON ONLY {_INDEX.format('sessions_log_sessionlog')}")
        cursor.execute(_PARTITIONS)
        for (partition,) in cursor.fetchall():
            index = f"{partition}_seq_idx"
            cursor.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {_INDEX.format(partition)}")
            cursor.execute(f"ALTER INDEX sessionlog_seq ATTACH PARTITION {index}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("sessions_log", "0010_verifications"),
    ]

    operations = [
        migrations.RunPython(build, lambda apps, schema_editor: schema_editor.execute("DROP INDEX sessionlog_seq")),
    ]

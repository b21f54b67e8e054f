"""Bytes on disk for each session entry, both sides filled with the same records."""

from dataclasses import dataclass, field

import psycopg

from config.supervisor.postgres import DATABASE
from tests.perf.product import Product, records_of
from tests.perf.sides import CLASSIC_DATABASE, Baseline, one

COUNTED = {
    "entries and their indexes": ("sessions_log_sessionlog",),
    "leaf bytes": ("sessions_log_leafbundle", "sessions_log_leaftail"),
    "tree": ("sessions_log_treenode",),
    "subjects and their keys": (
        "sessions_log_subject",
        "sessions_log_subjectkey",
        "sessions_log_subjectlink",
    ),
    "sessions": ("sessions_log_session",),
    "targets": ("sessions_log_target",),
    "addresses": ("sessions_log_address",),
}
BESIDES = {
    "batches": ("sessions_log_batch", "sessions_log_batchspan"),
    "read models": ("sessions_log_minutecounter", "sessions_log_facet", "sessions_log_sessionsummary"),
    "inbox and outcomes, until their day is dropped": ("sessions_log_inbox", "sessions_log_outcome"),
}


@dataclass(slots=True, kw_only=True)
class Sizes:
    """Bytes an entry; `besides` is told, not counted: it goes with its day or does not grow with entries."""

    entries: int
    product: dict[str, float] = field(default_factory=dict)
    besides: dict[str, float] = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return sum(self.product.values()) / sum(self.baseline.values())


def sizes(product: Product, baseline: Baseline) -> Sizes:
    """Measure both after a VACUUM ANALYZE, which autovacuum would do in its time."""
    server = product.server
    with server.connect(DATABASE) as ours, server.connect(CLASSIC_DATABASE) as theirs:
        for connection in (ours, theirs):
            connection.execute("VACUUM (ANALYZE)")
        entries, rows = records_of(ours, product.organization_id), baseline.stored()
        table = bytes_of(theirs, "pg_table_size", "activity_sessionlog") / rows
        return Sizes(
            entries=entries,
            product={title: total(ours, tables) / entries for title, tables in COUNTED.items()},
            besides={title: total(ours, tables) / entries for title, tables in BESIDES.items()},
            baseline={
                "table": table,
                "indexes": bytes_of(theirs, "pg_total_relation_size", "activity_sessionlog") / rows - table,
            },
        )


def total(connection: psycopg.Connection, tables: tuple[str, ...]) -> int:
    return sum(bytes_of(connection, "pg_total_relation_size", table) for table in tables)


def bytes_of(connection: psycopg.Connection, measure: str, table: str) -> int:
    """The table with all its partitions, or 0 where there is none of that name."""
    counted = one(
        connection,
        f"""
        SELECT coalesce(sum({measure}(relid)), 0)
        FROM (SELECT to_regclass(%s) AS relid UNION SELECT relid FROM pg_partition_tree(to_regclass(%s)))
        """,
        *(table, table),
    )
    return int(counted)

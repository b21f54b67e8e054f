"""What the ledger's tree costs: the product once more, with a recorder that grows no tree and keeps no tiles.

The supervisor's recorder is stopped where it stands and loses its hold on the shard; one that is started here, in this
module, takes its place. Its ledgers have sizes and nothing else, so its data folder is good for nothing afterwards.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.supervisor.postgres import DATABASE
from config.supervisor.state import State, running_urls
from tests.perf.product import Product, environment
from tests.perf.sides import started

NAME = "without tree"


@contextlib.contextmanager
def without_tree(product: Product, log: Path) -> Iterator[Product]:
    """The product under another name, recorded without a tree for as long as the context lasts."""
    supervised = State.load(product.home / "state.json").pids["recorder"]
    urls = running_urls(product.home)
    if urls is None:
        raise LookupError("the product does not run")
    os.kill(supervised, signal.SIGSTOP)
    with product.server.connect(DATABASE) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muniment_recorder'")
    variables = environment(product.home) | {"DATABASE_URL": urls["DATABASE_URL_RECORDER"]}
    try:
        with started([sys.executable, "-m", "tests.perf.without_tree"], variables, log):
            yield replace(product, name=NAME)
    finally:
        os.kill(supervised, signal.SIGCONT)


class _Head:
    """A ledger that is nothing but a size."""

    def __init__(self, size: int) -> None:
        self.size = size


def _head(ledgers: Any, organization_id: int) -> _Head:
    execute = ledgers._connection.execute
    execute(
        "INSERT INTO sessions_log_ledgerhead (organization_id, size, frontier) VALUES (%s, 0, '') ON CONFLICT DO NOTHING",
        (organization_id,),
    )
    row = execute(
        "SELECT size FROM sessions_log_ledgerhead WHERE organization_id = %s FOR NO KEY UPDATE", (organization_id,)
    ).fetchone()
    return _Head(row[0])


def _append(ledgers: Any, organization_id: int, head: _Head, leaves: list[bytes]) -> None:
    ledgers._connection.execute(
        "UPDATE sessions_log_ledgerhead SET size = %s WHERE organization_id = %s",
        (head.size + len(leaves), organization_id),
    )


def main() -> None:
    """Run the recorder, in the role of DATABASE_URL."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.core.management import call_command

    django.setup()
    from sessions_log.adapters.ledger_store import PostgresLedgers
    from sessions_log.commands.checkpointing import Checkpointer

    PostgresLedgers.head = _head  # type: ignore[method-assign,assignment]  # all that is left out is left out here
    PostgresLedgers.append = _append  # type: ignore[method-assign,assignment]
    Checkpointer.publish = lambda *_: 0  # type: ignore[method-assign]
    call_command("run_recorder")


if __name__ == "__main__":
    main()

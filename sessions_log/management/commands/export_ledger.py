"""`manage.py export_ledger`: a ledger as files that anyone can check, by the paths at which they are served."""

import argparse
import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction

from sessions_log import wiring
from sessions_log.domain.tiles import TILE_WIDTH, TilePlace, tiles_of
from sessions_log.management.operator import operator, record_command
from sessions_log.management.progress import ProgressBar
from sessions_log.models import Checkpoint, Organization
from sessions_log.queries import ledger
from sessions_log.queries.evidence import read_one_moment, rows_of_entries
from sessions_log.queries.organizations import organization_by_slug


class Command(BaseCommand):
    """The checkpoint is written last: a folder without one is of an export that did not end."""

    help = "Export a ledger into an empty folder: checkpoint, keys, tiles and bundles; nothing of a record in them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which ledger, where to, and whether with what its leaves stand for."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--with-rows", action="store_true",
            help="also the plain columns of every entry: random ids, times and actions, and nothing sealed",
        )  # fmt: skip
        parser.add_argument("folder", type=Path, help="a folder that is empty, or not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        checkpoint = ledger.latest_checkpoint(organization.id)
        if checkpoint is None:
            raise CommandError("the ledger has no checkpoint yet; the recorder signs it within seconds of growth")
        folder, with_rows = options["folder"], options["with_rows"]
        _make_empty(folder)
        record_command(operator(), organization.id, {"entries": checkpoint.size, "rows": with_rows})
        try:
            written = self._write(organization, checkpoint, folder, with_rows=with_rows)
        except OSError as error:
            raise CommandError(f"the folder cannot be written: {error.strerror}") from None
        told = {"organization": organization.slug, "entries": checkpoint.size, "root": bytes(checkpoint.root).hex()}
        self.stdout.write(json.dumps(told | {"files": written}))

    def _write(self, organization: Organization, checkpoint: Checkpoint, folder: Path, *, with_rows: bool) -> int:
        """The files, all of one moment. Returns how many."""
        tiles, bar = sum(1 for _ in tiles_of(checkpoint.size)), ProgressBar("export")
        with transaction.atomic():
            read_one_moment()
            for done, place in enumerate(tiles_of(checkpoint.size), 1):
                content = ledger.tile(organization.id, place, checkpoint.size)
                if content is None:
                    raise CommandError(f"tile/{place.path()} cannot be made: see manage.py verify")
                _add(folder / "tile" / place.path(), content)
                bar.show(f"{done:,} of {tiles:,} tiles", done, tiles)
            rows = _add_rows(folder, rows_of_entries(organization, checkpoint.size)) if with_rows else 0
        keys = wiring.ledger_keys(organization.uid, organization.slug)
        _add(folder / "keys", "".join(f"{key}\n" for key in keys).encode())
        _add(folder / "checkpoint", ledger.with_cosignatures(checkpoint, wiring.witness_policy()).note.encode())
        return tiles + rows + 2


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise CommandError(f"the folder cannot be written: {error.strerror}") from None
    if not is_empty:
        raise CommandError("the folder is not empty: an export begins in one that is")


def _add(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def _add_rows(folder: Path, rows: Iterable[dict[str, Any]]) -> int:
    """One file for each bundle that has rows, by the bundle's number. Returns how many."""
    files = 0
    for number, of_bundle in groupby(rows, key=lambda row: int(row["seq"]) // TILE_WIDTH):
        name = TilePlace(None, number).path().removeprefix("entries/")
        _add(folder / "rows" / f"{name}.ndjson", b"".join(json.dumps(row).encode() + b"\n" for row in of_bundle))
        files += 1
    return files

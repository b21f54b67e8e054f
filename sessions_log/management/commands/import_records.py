"""`manage.py import_records`: a file of records, by the bulk lane; safe to interrupt and to run again."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from psycopg_pool import PoolTimeout

from sessions_log import wiring
from sessions_log.commands.importing import MOST_MONTHS, Chunk, chunks, months_of, put_chunk, read_chunk
from sessions_log.commands.organizations import AddService, add_service
from sessions_log.domain.inbox import LANE_BULK
from sessions_log.domain.sender import Sender
from sessions_log.domain.session_record import Rejection, Window
from sessions_log.management.operator import operator, record_command
from sessions_log.management.progress import ProgressBar
from sessions_log.management.record_files import DamagedFile, lines_of
from sessions_log.models import Organization
from sessions_log.ports import InboxUnavailable
from sessions_log.queries.organizations import organization_by_slug, service_id_of
from sessions_log.queries.receipts import RequestReceipt, request_receipt

KINDS = ("session-log",)
SERVICE = "import"
SHOWN_REJECTIONS = 20
TRIES = 60


class Command(BaseCommand):
    """Reads, checks, stores, waits for the recorder; the last line of output is the totals as JSON."""

    help = "Import records from NDJSON (plain, .gz or .zst). The last line of output is the totals as JSON."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What, for whom, from when."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--kind", required=True, choices=KINDS)
        parser.add_argument("--history", action="store_true", help="take records of any age")
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        actor = operator()
        if service_id_of(organization.id, SERVICE) is None:
            add_service(AddService(organization_id=organization.id, name=SERVICE, actor=actor), wiring.ports())
        sender = wiring.ports().organizations.sender(organization.id, SERVICE)
        sender = replace(sender, lane=LANE_BULK, back=None if options["history"] else sender.back)
        record_command(actor, organization.id, {"kind": options["kind"], "history": options["history"]})
        one = _Import(self, options["file"], organization, sender)
        totals = one.run()
        self.stdout.write(json.dumps(totals))
        if totals["read"] and not totals["accepted"]:
            raise CommandError("not one line of the file is a record; is it the right file and kind?")


class _Import:
    """One run over one file."""

    def __init__(self, command: BaseCommand, file: Path, organization: Organization, sender: Sender) -> None:
        self._command, self._file = command, file
        self._organization, self._sender = organization, sender
        self._window = Window.around(timezone.now(), back=sender.back)
        self._months: set[date] = set()
        self._rejected = 0
        self._shown = 0

    def run(self) -> dict[str, int]:
        """The totals."""
        self._require_readable()
        requests, read, seen_bytes = [], 0, 0
        # How much a compressed file holds is known at its end only.
        size = 0 if self._file.suffix in (".gz", ".zst") else self._file.stat().st_size
        storing = ProgressBar("storing")
        for chunk in self._chunks():
            records = read_chunk(chunk, self._window)
            self._make_months(months_of(records))
            self._show_rejections(read, records)
            read += len(records)
            requests.append(self._put(chunk, records))
            seen_bytes += sum(map(len, chunk.lines)) + len(chunk.lines)
            storing.show(f"{read:,} records stored", seen_bytes, size)
        totals = self._wait([request for request in requests if request is not None])
        return {"read": read, "accepted": read - self._rejected, "rejected": self._rejected, **totals}

    def _require_readable(self) -> None:
        try:
            with self._file.open("rb") as file:
                file.read(1)
        except OSError as error:
            raise CommandError(f"the file cannot be read: {error.strerror}") from None

    def _chunks(self) -> Iterator[Chunk]:
        try:
            yield from chunks(lines_of(self._file))
        except DamagedFile as error:
            raise CommandError(f"{error}; what stands before is stored, and a second import knows it again") from None

    def _put(self, chunk: Chunk, records: Any) -> bytes | None:
        """Store the chunk, waiting out a database that is away for a while. Returns its request's id."""
        for _ in range(TRIES):
            try:
                receipts = put_chunk(chunk, records, self._sender, timezone.now(), wiring.keyring(), wiring.inbox())
            except InboxUnavailable:
                time.sleep(1)
            else:
                return receipts.request_id
        raise CommandError("the database cannot be reached; run the same command again to go on")

    def _make_months(self, months: set[date]) -> None:
        new = months - self._months
        if len(self._months | new) > MOST_MONTHS:
            raise CommandError(f"the timestamps are spread over more than {MOST_MONTHS} months")
        if new:
            wiring.make_months(sorted(new))
            self._months |= new

    def _show_rejections(self, read: int, records: Any) -> None:
        for at, record in enumerate(records, read + 1):
            if isinstance(record, Rejection):
                self._rejected += 1
                if self._shown < SHOWN_REJECTIONS:
                    self._shown += 1
                    self._command.stderr.write(f"record {at}: {record.path} {record.reason}")

    def _wait(self, requests: list[bytes]) -> dict[str, int]:
        """Wait until all is recorded. Returns the sums of the requests' receipts."""
        totals = {"recorded": 0, "duplicates": 0, "conflicts": 0, "quarantined": 0}
        recording = ProgressBar("recording")
        for done, request in enumerate(requests, 1):
            receipt = self._receipt(request)
            while receipt.state != "done":
                time.sleep(0.05)
                receipt = self._receipt(request)
            for name in totals:
                totals[name] += getattr(receipt, name)
            recording.show(f"{done:,} of {len(requests):,} requests recorded", done, len(requests))
        return totals

    def _receipt(self, request: bytes) -> RequestReceipt:
        """The request's receipt, waiting out a database that is away for a while."""
        for _ in range(TRIES):
            try:
                return request_receipt(self._organization.id, UUID(bytes=request))
            except (DatabaseError, InterfaceError, PoolTimeout):
                connection.close()  # Django keeps a broken one until somebody closes it
                time.sleep(1)
        raise CommandError("the database cannot be reached; all is stored, run the same command again for the totals")

"""Nothing acknowledged is lost or doubled while every process is killed with -9, again and again.

MUNIMENT_FAULTS_SEED repeats a run's choices (the moments still depend on the machine); MUNIMENT_FAULTS_KILLS says
how often each process is killed, MUNIMENT_FAULTS_RECORDS how many records are sent meanwhile.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sessions_log.domain.entry_id import hour_of
from tests.faults import ledger
from tests.faults.auditor import Auditor
from tests.faults.killer import CHILDREN, VICTIMS, kill_in_rounds
from tests.faults.running_portal import ORGANIZATION, SERVICE, RunningPortal, running_portal, wait_until
from tests.faults.senders import Pace, Sender

pytestmark = pytest.mark.slow
SEED = int(os.environ.get("MUNIMENT_FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))
KILLS = int(os.environ.get("MUNIMENT_FAULTS_KILLS") or 10)
RECORDS = int(os.environ.get("MUNIMENT_FAULTS_RECORDS") or 50_000)
SENDERS = 5
SENT_WITHIN_S = 240
FEWEST_CHECKPOINTS = 3  # a machine that is busy with other things signs seldom
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
READ_MODELS = {
    "counters": ("minutecounter", "facet"),
    "sessions": ("sessionsummary",),
}


@dataclass(frozen=True, slots=True)
class Storm:
    """What happened: how often who was killed, what was answered, what was promised."""

    portal: RunningPortal
    killed: Counter[str]
    statuses: Counter[str]
    unexpected: list[str]
    durability: dict[str, str]
    promised: dict[str, set[str]]
    requests: Counter[str]
    auditor: Auditor


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory, tell: Callable[[str], None]) -> Iterator[Storm]:
    """Fifty thousand records sent while all processes are killed; then all up again, everything recorded."""
    folder = tmp_path_factory.mktemp("acknowledged")
    tell(f"MUNIMENT_FAULTS_SEED={SEED}")
    with running_portal() as portal:
        durability = _durability(portal)
        pace = Pace()
        auditor = Auditor(portal, ORGANIZATION)
        auditor.start()
        senders = [Sender(portal, number, SEED, pace, folder / f"{number}.ids") for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            killed = kill_in_rounds(portal, KILLS, random.Random(SEED), pace, RECORDS)
        finally:
            pace.close()
        for sender in senders:
            sender.join(SENT_WITHIN_S)
        portal.wait_until_ready()
        portal.wait_until_recorded()
        auditor.stop()
        statuses: Counter[str] = sum((sender.statuses for sender in senders), Counter())
        slowest_s = max(sender.slowest_s for sender in senders)
        tell(f"killed {dict(killed)}; answers {dict(statuses)}; slowest {slowest_s:.1f} s")
        unexpected = [words for sender in senders for words in sender.unexpected]
        unexpected += [f"{sender.name} has not finished" for sender in senders if sender.is_alive()]
        yield Storm(portal, killed, statuses, unexpected, durability, *_read_notes(folder), auditor)


def test_every_process_was_killed_and_the_senders_noticed(storm: Storm) -> None:
    assert storm.unexpected == []
    assert {name: storm.killed[name] for name in VICTIMS} == {name: KILLS * times for name, times in VICTIMS.items()}
    assert all(storm.killed[f"child of {name}"] for name in CHILDREN)
    assert storm.statuses["503"] > 0
    assert storm.statuses.total() > storm.statuses["202"] + storm.statuses["503"]


def test_server_is_durable_before_and_after(storm: Storm) -> None:
    assert storm.durability == dict.fromkeys(DURABILITY, "on")
    assert _durability(storm.portal) == storm.durability


def test_every_acknowledged_record_is_stored_once_and_none_is_invented(storm: Storm) -> None:
    stored: dict[str, str] = {}
    twice: list[str] = []
    for page in storm.portal.client().pages(f"service={SERVICE}"):
        for result in page:
            if result["id"] in stored:
                twice.append(result["id"])
            stored[result["id"]] = result["entryId"]
            assert result["id"] == f"{SEED}-{result['metadata']['by']}-{result['metadata']['number']}"
    assert twice == []
    assert len(storm.promised) == RECORDS
    assert storm.promised == {own: {entry} for own, entry in stored.items()}


def test_receipt_of_every_request_adds_up(storm: Storm) -> None:
    client = storm.portal.client()
    receipts = {request: client.get(f"/api/v1/receipts/requests/{request}").json() for request in storm.requests}
    assert {receipt["state"] for receipt in receipts.values()} == {"done"}
    assert {receipt["conflicts"] + receipt["quarantined"] for receipt in receipts.values()} == {0}
    counted = {request: one["recorded"] + one["duplicates"] for request, one in receipts.items()}
    assert counted == storm.requests


def test_ledger_has_no_holes_and_every_leaf_is_that_of_its_row(storm: Storm) -> None:
    with storm.portal.connect() as connection:
        for organization_id in ledger.organizations(connection):
            rows = ledger.rows(connection, organization_id)
            assert [row.seq for row in rows] == list(range(len(rows)))
            assert ledger.size(connection, organization_id) == len(rows)
            assert ledger.leaves(connection, organization_id) == [row.leaf for row in rows]


def test_every_checkpoint_ever_served_is_consistent_with_the_ledger_that_was_recorded(
    storm: Storm, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    organization_id = storm.portal.scalar("SELECT id FROM sessions_log_organization WHERE slug = %s", ORGANIZATION)
    head = "SELECT size FROM sessions_log_ledgerhead WHERE organization_id = %s"
    signed = "SELECT max(size) FROM sessions_log_checkpoint WHERE organization_id = %s"
    wait_until(
        lambda: storm.portal.scalar(head, organization_id) == storm.portal.scalar(signed, organization_id),
        10,
        "the whole ledger is under a checkpoint",
    )
    size, objections = storm.auditor.check(tmp_path)
    tell(f"{len(storm.auditor.served)} checkpoints were served; the verifier computed the root of {size} leaves")
    assert objections == []
    assert size == storm.portal.scalar(head, organization_id)
    assert len(storm.auditor.served) >= FEWEST_CHECKPOINTS


def test_no_hour_of_a_ledger_has_two_digests_and_each_has_one(storm: Storm) -> None:
    with storm.portal.connect() as connection:
        rows = connection.execute(
            "SELECT o.id, s.stated_at FROM sessions_log_organization o LEFT JOIN sessions_log_statement s"
            " ON s.organization_id = o.id AND s.type = 'digest'"
        ).fetchall()
    hours = [(organization_id, hour_of(at)) for organization_id, at in rows if at is not None]
    assert {organization_id for organization_id, _ in hours} == {organization_id for organization_id, _ in rows}
    assert len(hours) == len(set(hours))


def test_read_models_are_those_rebuilt_from_the_entries(storm: Storm) -> None:
    organization_id = storm.portal.scalar("SELECT id FROM sessions_log_organization WHERE slug = %s", ORGANIZATION)
    counted = storm.portal.scalar(
        "SELECT sum(entries) FROM sessions_log_minutecounter WHERE organization_id = %s", organization_id
    )
    assert counted == storm.portal.scalar(
        "SELECT count(*) FROM sessions_log_sessionlog WHERE organization_id = %s", organization_id
    )
    for name, tables in READ_MODELS.items():
        kept = [_contents(storm.portal, table, organization_id) for table in tables]
        storm.portal.manage("rebuild_read_model", name)
        assert [_contents(storm.portal, table, organization_id) for table in tables] == kept
        assert all(kept)


def _durability(portal: RunningPortal) -> dict[str, str]:
    """The settings as the role reads them that stores requests."""
    with portal.connect("muniment_web") as connection:
        connection.execute("SET ROLE muniment_intake")
        return {name: str(connection.execute(f"SHOW {name}".encode()).fetchone()[0]) for name in DURABILITY}  # type: ignore[index]  # SHOW gives a row


def _contents(portal: RunningPortal, table: str, organization_id: int) -> list[dict[str, Any]]:
    """A read model's rows of this organization without their serial numbers, sorted."""
    query = (
        f"SELECT to_jsonb(t) {'' if table == 'sessionsummary' else '- %(id)s'} FROM sessions_log_{table} t"
        " WHERE organization_id = %(organization)s ORDER BY 1"
    )
    with portal.connect() as connection:
        values = {"id": "id", "organization": organization_id}
        return [row[0] for row in connection.execute(query.encode(), values).fetchall()]


def _read_notes(folder: Path) -> tuple[dict[str, set[str]], Counter[str]]:
    """Of all files: the entry ids promised for each client id, and how many records each request has."""
    promised: dict[str, set[str]] = {}
    requests: Counter[str] = Counter()
    for noted in folder.iterdir():
        for line in noted.read_text().splitlines():
            own, entry, request = line.split()
            promised.setdefault(own, set()).add(entry)
            requests[request] += 1
    return promised, requests

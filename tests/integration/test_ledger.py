"""A ledger as somebody outside checks it: with the served files, the vkey, and nothing else of ours but the maths."""

import base64
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured

from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.domain import checkpoint as checkpoints
from sessions_log.domain.leaf import unbundle
from sessions_log.domain.merkle import Frontier, is_consistent, leaf_hash, root_of_inclusion
from sessions_log.domain.signed_note import VerifierKey, parse_note, verified
from sessions_log.domain.tiles import TilePlace
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.integration.api import Answer, accepted, call
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def publish(record_all: Callable[[], None], checkpointer: Checkpointer) -> Callable[..., None]:
    """Record what is sent, and sign."""

    def run(now: datetime | None = None) -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(now or datetime.now(UTC))

    return run


def _get(tenant: Tenant, below: str, query: str = "") -> Answer:
    return call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/{below}", tenant, query=query)


def _checkpoint(tenant: Tenant) -> checkpoints.Checkpoint:
    """The latest, seen to be signed by the ledger's key."""
    note = parse_note(_get(tenant, "checkpoint").body)
    keys = [VerifierKey.parsed(line) for line in _get(tenant, "keys").body.decode().splitlines()]
    assert verified(note, keys) == keys
    return checkpoints.parse_checkpoint(note.text)


def _leaves(tenant: Tenant, size: int) -> list[bytes]:
    leaves: list[bytes] = []
    while len(leaves) < size:
        number = len(leaves) // 256
        place = TilePlace(None, number, min(256, size - len(leaves)))
        leaves += unbundle(_get(tenant, f"tile/{place.path()}").body)
    return leaves


def _send(tenant: Tenant, count: int) -> list[str]:
    sent = [accepted(tenant, [session_record() for _ in range(min(500, count - at))]) for at in range(0, count, 500)]
    return [one["entryId"] for answer in sent for one in answer["receipts"]]


def _proof(answer: Answer, first_line: str) -> tuple[str, list[bytes], checkpoints.Checkpoint]:
    """(the value of the second line, the hashes, the checkpoint) of a proof."""
    head, _, note = answer.body.decode().partition("\n\n")
    lines = head.split("\n")
    if first_line:
        assert lines.pop(0) == first_line
    return lines[0].split()[1], [base64.b64decode(one) for one in lines[1:]], checkpoints.parse_checkpoint(
        parse_note(note.encode()).text
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_checkpoint_is_that_of_the_served_entries(publish: Callable[..., None], size: int) -> None:
    tenant = make_tenant()
    _send(tenant, size)
    publish()

    checkpoint = _checkpoint(tenant)

    assert checkpoint.origin == f"{configured.LEDGER_ORIGIN}/{tenant.organization.slug}"
    assert checkpoint.size >= size  # what was done to make the organization stands there, too
    leaves = _leaves(tenant, checkpoint.size)
    assert Frontier().grown(map(leaf_hash, leaves))[0].root() == checkpoint.root
    assert len(set(leaves)) == checkpoint.size
    for number in range(checkpoint.size // 256 + 1):
        of_tile = leaves[number * 256 : number * 256 + 256]
        place = TilePlace(0, number, len(of_tile))
        if of_tile:
            assert _get(tenant, f"tile/{place.path()}").body == b"".join(map(leaf_hash, of_tile))


def test_every_entry_is_proven(publish: Callable[..., None]) -> None:
    tenant = make_tenant()
    entries = _send(tenant, 300)
    publish()
    leaves = _leaves(tenant, _checkpoint(tenant).size)
    indexes = set()
    for entry_id in entries[::37]:
        index, path, checkpoint = _proof(_get(tenant, f"proof/{entry_id}"), "c2sp.org/tlog-proof@v1")
        assert root_of_inclusion(leaf_hash(leaves[int(index)]), int(index), checkpoint.size, path) == checkpoint.root
        indexes.add(index)
    assert len(indexes) == len(entries[::37])


def test_ledger_is_shown_to_have_only_grown(publish: Callable[..., None]) -> None:
    tenant = make_tenant()
    kept = []
    for count in (3, 300, 5):
        _send(tenant, count)
        publish()
        kept.append(_checkpoint(tenant))
    latest = kept[-1]
    for old in kept:
        size, path, checkpoint = _proof(_get(tenant, "consistency", f"old={old.size}"), "")
        assert (int(size), checkpoint) == (old.size, latest)
        assert is_consistent(old.size, old.root, latest.size, latest.root, path)


def test_tiles_are_kept_for_ever_and_checkpoints_are_not(publish: Callable[..., None]) -> None:
    tenant = make_tenant()
    publish()
    assert _get(tenant, "tile/0/000.p/1").headers["cache-control"] == "private, max-age=31536000, immutable"
    assert _get(tenant, "checkpoint").headers["cache-control"] == "no-store"


def test_partial_tile_stays_when_it_is_full(publish: Callable[..., None]) -> None:
    tenant = make_tenant()
    publish()
    before = [_get(tenant, below).body for below in ("tile/0/000.p/1", "tile/entries/000.p/1")]
    _send(tenant, 300)
    publish()
    assert [_get(tenant, below).body for below in ("tile/0/000.p/1", "tile/entries/000.p/1")] == before


@pytest.mark.parametrize(
    "below", ["tile/0/001", "tile/1/000.p/1", "tile/entries/000.p/255", "tile/0/0", "tile/x", "tile/"]
)
def test_tiles_that_are_not_there(publish: Callable[..., None], below: str) -> None:
    tenant = make_tenant()
    publish()
    assert _get(tenant, below).status == 404


@pytest.mark.parametrize("query", ["", "old=", "old=x", "old=-1", "old=1&old=1", "old=99999999", "old=1e3"])
def test_size_that_is_none_is_named(publish: Callable[..., None], query: str) -> None:
    tenant = make_tenant()
    publish()
    answer = _get(tenant, "consistency", query)
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, "old")


def test_entry_is_proven_once_it_is_under_a_checkpoint(
    publish: Callable[..., None], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    publish()
    entry_id = _send(tenant, 1)[0]
    assert _get(tenant, f"proof/{entry_id}").status == 404
    record_all()
    early = _get(tenant, f"proof/{entry_id}")
    assert (early.status, early.headers["retry-after"]) == (404, "10")
    publish()
    assert _get(tenant, f"proof/{entry_id}").status == 200


def test_ledger_is_its_organizations_own(publish: Callable[..., None]) -> None:
    tenant, other = make_tenant(), make_tenant()
    publish()
    path = f"/api/v1/ledgers/{tenant.organization.slug}/checkpoint"
    assert call("GET", path, tenant).status == 200
    assert call("GET", path, other).status == 404
    assert call("GET", path, make_tenant(scopes=("read",))).status == 403
    assert call("GET", path).status == 401


def test_public_ledger_needs_no_key(publish: Callable[..., None], settings: Any) -> None:
    tenant = make_tenant()
    publish()
    settings.IS_LEDGER_PUBLIC = True
    path = f"/api/v1/ledgers/{tenant.organization.slug}"
    assert call("GET", f"{path}/checkpoint").status == 200
    assert call("GET", f"{path}/tile/0/000.p/1").headers["cache-control"].startswith("public,")
    assert call("GET", "/api/v1/ledgers/no-such-organization/checkpoint").status == 404


def test_head_that_stands_still_is_signed_again_after_an_hour(
    publish: Callable[..., None], checkpointer: Checkpointer
) -> None:
    tenant = make_tenant()
    publish()

    def is_due(now: datetime) -> bool:
        due = checkpointer.checkpoints.due(now - timedelta(hours=1))
        return tenant.organization.id in {ledger.organization_id for ledger in due}

    assert not is_due(datetime.now(UTC) + timedelta(minutes=59))
    assert is_due(datetime.now(UTC) + timedelta(minutes=61))
    _send(tenant, 1)
    publish(datetime.now(UTC))
    assert not is_due(datetime.now(UTC))

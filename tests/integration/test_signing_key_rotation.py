"""`manage.py rotate_signing_key`: announced in the ledger, signed by both keys for a time, the old one destroyed."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from sessions_log import wiring
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.signed_note import SignerKey, VerifierKey, parse_note, signed, verified
from sessions_log.domain.statements import details_of
from sessions_log.models import Checkpoint as StoredCheckpoint
from sessions_log.models import SessionLog, Statement
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.conftest import RunAs, Servers
from tests.integration.api import accepted, call
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
ROOT = Path(__file__).resolve().parent.parent.parent
Publish = Callable[[], str]


@pytest.fixture
def tenant() -> Tenant:
    """An organization whose ledger is not signed yet."""
    return make_tenant()


@pytest.fixture
def publish(tenant: Tenant, record_all: Callable[[], None], checkpointer: Checkpointer) -> Publish:
    """Record something, sign, and return what is served then."""

    def run() -> str:
        accepted(tenant, [session_record()])
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(datetime.now(UTC))
        return _get(tenant, "checkpoint")

    return run


def _get(tenant: Tenant, below: str) -> str:
    answer = call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/{below}", tenant)
    assert answer.status == 200
    return answer.body.decode()


def _keys(tenant: Tenant) -> list[VerifierKey]:
    return [VerifierKey.parsed(line) for line in _get(tenant, "keys").splitlines()]


def _rotate(tenant: Tenant, *options: str) -> None:
    call_command("rotate_signing_key", "--organization", tenant.organization.slug, *options)


def _signers(note: str, keys: list[VerifierKey]) -> list[VerifierKey]:
    return verified(parse_note(note.encode()), keys)


def _stated(tenant: Tenant) -> list[dict[str, object]]:
    stated = Statement.objects.filter(organization_id=tenant.organization.id, type="key-rotation").order_by("seq")
    return [details_of(bytes(one.body)) for one in stated]


def _seed_file(tenant: Tenant) -> Path:
    return Path(configured.KEYRING_FOLDER) / "organizations" / str(tenant.organization.uid) / "signing-1.key"


def test_new_key_is_announced_signs_beside_the_old_and_then_alone(tenant: Tenant, publish: Publish) -> None:
    first = publish()
    (old,) = _keys(tenant)

    _rotate(tenant)
    both = publish()
    old_again, new = _keys(tenant)
    assert (old_again, new.name) == (old, old.name)
    assert _signers(first, [old, new]) == [old]
    assert _signers(both, [old, new]) == [old, new]
    assert _stated(tenant) == [{"keys": "signing", "new": str(new), "replaces": [str(old)]}]

    _rotate(tenant, "--retire-old")
    alone = publish()
    assert _keys(tenant) == [new, old]
    assert _signers(alone, [old, new]) == [new]
    assert _signers(first, _keys(tenant)) == [old]
    assert _stated(tenant)[1:] == [{"keys": "signing", "retired": [str(old)], "signing": str(new)}]
    assert _seed_file(tenant).read_bytes() == b""
    call_command("verify", "--organization", tenant.organization.slug)


def test_change_is_a_record_of_the_operator(tenant: Tenant, publish: Publish) -> None:
    publish()
    own = SessionLog.objects.filter(organization_id=tenant.organization.id, target_type="keys")
    before = own.count()
    _rotate(tenant)
    publish()
    assert own.count() == before + 1


def test_old_key_is_kept_until_a_checkpoint_has_announced_the_new_one(
    tenant: Tenant, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish()
    with pytest.raises(CommandError, match="one key alone signs this ledger"):
        _rotate(tenant, "--retire-old")
    _rotate(tenant)
    with pytest.raises(CommandError, match="does not bear the new key's signature yet"):
        _rotate(tenant, "--retire-old")
    assert _seed_file(tenant).stat().st_size > 32
    publish()
    capsys.readouterr()
    _rotate(tenant, "--retire-old")
    assert capsys.readouterr().out == f"{_keys(tenant)[0]}\n"


def test_rotation_that_was_interrupted_is_taken_up(tenant: Tenant, publish: Publish) -> None:
    publish()
    origin = f"{configured.LEDGER_ORIGIN}/{tenant.organization.slug}"
    with wiring.ledger_signer().changing(tenant.organization.uid, origin) as keys:
        made = keys.successor()
    _rotate(tenant)
    _rotate(tenant)  # two sign already: nothing is made or stated again
    publish()
    assert _keys(tenant)[1:] == [made]
    assert [one["new"] for one in _stated(tenant)] == [str(made)]


def test_two_operators_at_once_make_one_new_key(servers: Servers, tenant: Tenant, publish: Publish) -> None:
    publish()
    command = [sys.executable, "manage.py", "rotate_signing_key", "--organization", tenant.organization.slug]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=servers.environment("web"), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=60)[0].splitlines() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert printed[0] == printed[1] == [str(key) for key in _keys(tenant)]
    publish()
    assert len(_stated(tenant)) == 1


def test_newest_checkpoint_under_a_retired_key_alone_is_named(
    tenant: Tenant, publish: Publish, run_as: RunAs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever kept a copy of the old seed can still sign; he cannot make it the newest checkpoint unseen."""
    publish()
    whole = _seed_file(tenant).read_bytes()
    stolen = SignerKey.of_seed(whole[32:].decode(), whole[:32])
    _rotate(tenant)
    publish()
    _rotate(tenant, "--retire-old")
    publish()
    latest = StoredCheckpoint.objects.filter(organization_id=tenant.organization.id).latest("id")
    text = Checkpoint(stolen.name, latest.size, bytes(latest.root)).text()
    with run_as("recorder"):
        StoredCheckpoint.objects.create(
            organization_id=latest.organization_id,
            size=latest.size,
            root=latest.root,
            note=str(signed(text, [stolen])),
            batch=latest.batch,
            signed_at=latest.signed_at + timedelta(seconds=1),
        )
    capsys.readouterr()
    with pytest.raises(CommandError):
        call_command("verify", "--organization", tenant.organization.slug)
    told = capsys.readouterr()
    assert json.loads(told.out)["faults"] == 1
    assert f"checkpoint of {latest.size} entries: it is the newest, and signed by a retired key alone" in told.err


def test_organization_that_is_not_there_is_said() -> None:
    with pytest.raises(CommandError, match="there is no organization 'nowhere'"):
        call_command("rotate_signing_key", "--organization", "nowhere")

"""Which key may do what, from where, and until when."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.service_keys import (
    IssueKey,
    KeyNotUsable,
    NoScope,
    RevokeKey,
    RotateKey,
    issue_key,
    revoke_key,
    rotate_key,
)
from sessions_log.domain.service_key import UnknownNetwork, UnknownScope
from sessions_log.models import ServiceKey
from tests.integration.api import SESSION_LOGS, call, post
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _key(tenant: Tenant) -> ServiceKey:
    return ServiceKey.objects.get(prefix=tenant.token[4:16])


def _status(token: str, **environ: str) -> int:
    return call("GET", SESSION_LOGS, headers={"authorization": f"Bearer {token}"}, environ=environ).status


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        (("ingest",), (202, 403, 200)),
        (("read",), (403, 200, 403)),
        (("identities",), (403, 403, 403)),
        (("ledger",), (403, 403, 403)),
        (("ingest", "read"), (202, 200, 200)),
    ],
    ids=lambda value: "+".join(map(str, value)),
)
def test_scope_opens_its_own_doors_alone(scopes: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    tenant = make_tenant(scopes=scopes)
    assert (
        post(tenant, session_record()).status,
        call("GET", SESSION_LOGS, tenant).status,
        call("GET", f"/api/v1/receipts/{uuid4()}", tenant).status,
    ) == statuses


@pytest.mark.parametrize("name", ["userId", "sessionId", "ipAddress", "target"])
def test_searching_by_identities_needs_their_scope(name: str) -> None:
    tenant = make_tenant(scopes=("read",))
    answer = call("GET", SESSION_LOGS, tenant, query={name: "order:7"})
    assert answer.status == 403
    assert answer.json["detail"] == "Searching by user, session, address or target needs the scope identities."


def test_expired_key_is_refused() -> None:
    tenant = make_tenant(expires_at=timezone.now() + timedelta(hours=1))
    assert _status(tenant.token) == 200
    ServiceKey.objects.filter(id=_key(tenant).id).update(expires_at=timezone.now())
    _wait_until(lambda: _status(tenant.token) == 401)


def test_key_of_a_wrong_secret_is_refused() -> None:
    tenant = make_tenant()
    assert _status(tenant.token[:-1] + ("A" if tenant.token[-1] != "A" else "B")) == 401


def test_key_with_networks_is_taken_from_these_alone() -> None:
    tenant = make_tenant(allowed_networks=("192.0.2.0/24", "2001:db8::/32"))
    assert _status(tenant.token, REMOTE_ADDR="192.0.2.7") == 200
    assert _status(tenant.token, REMOTE_ADDR="2001:db8::7") == 200
    assert _status(tenant.token, REMOTE_ADDR="203.0.113.9") == 401
    assert _status(tenant.token, REMOTE_ADDR="") == 401


def test_address_that_a_caller_claims_for_himself_does_not_count() -> None:
    tenant = make_tenant(allowed_networks=("192.0.2.0/24",))
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"):
        assert _status(tenant.token, REMOTE_ADDR="203.0.113.9", **{header: "192.0.2.7"}) == 401


def test_revocation_bites_within_a_second() -> None:
    tenant = make_tenant()
    assert _status(tenant.token) == 200
    revoke_key(RevokeKey(key_id=_key(tenant).id, actor=ACTOR), wiring.ports())
    revoked = asked = time.monotonic()
    while _status(tenant.token) == 200:
        assert asked - revoked < 1
        asked = time.monotonic()


def test_new_key_is_known_at_once() -> None:
    tenant = make_tenant()
    token = issue_key(IssueKey(service_id=tenant.service_id, scopes=("read",), actor=ACTOR), wiring.ports())
    assert _status(token) == 200


def test_rotated_key_works_beside_its_successor_while_they_overlap() -> None:
    tenant = make_tenant(scopes=("read",), allowed_networks=("127.0.0.0/8",), records_per_minute=17)
    token = rotate_key(RotateKey(key_id=_key(tenant).id, overlap=timedelta(hours=1), actor=ACTOR), wiring.ports())
    assert (_status(tenant.token), _status(token)) == (200, 200)
    old, new = _key(tenant), ServiceKey.objects.get(prefix=token[4:16])
    assert old.replaced_by_id == new.id
    assert old.expires_at is not None
    assert timedelta(minutes=59) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert (new.scopes, new.allowed_networks, new.records_per_minute) == (["read"], ["127.0.0.0/8"], 17)


def test_rotated_key_ends_with_its_overlap() -> None:
    tenant = make_tenant()
    token = rotate_key(RotateKey(key_id=_key(tenant).id, overlap=timedelta(), actor=ACTOR), wiring.ports())
    assert (_status(tenant.token), _status(token)) == (401, 200)


def test_rotation_does_not_lengthen_the_old_key_s_life() -> None:
    ends = timezone.now() + timedelta(minutes=5)
    tenant = make_tenant(expires_at=ends)
    rotate_key(RotateKey(key_id=_key(tenant).id, overlap=timedelta(hours=1), actor=ACTOR), wiring.ports())
    assert _key(tenant).expires_at == ends


def test_revoked_key_can_be_neither_rotated_nor_revoked_again() -> None:
    key = _key(make_tenant())
    revoke_key(RevokeKey(key_id=key.id, actor=ACTOR), wiring.ports())
    with pytest.raises(KeyNotUsable):
        rotate_key(RotateKey(key_id=key.id, overlap=timedelta(), actor=ACTOR), wiring.ports())
    with pytest.raises(KeyNotUsable):
        revoke_key(RevokeKey(key_id=key.id, actor=ACTOR), wiring.ports())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scopes": ()}, NoScope),
        ({"scopes": ("write",)}, UnknownScope),
        ({"allowed_networks": ("10.0.0.1/8",)}, UnknownNetwork),
    ],
)
def test_key_that_makes_no_sense_is_not_issued(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        make_tenant(**wrong)


def test_only_the_hash_of_a_key_is_stored() -> None:
    tenant = make_tenant()
    stored = ServiceKey.objects.filter(prefix=tenant.token[4:16]).values().get()
    assert tenant.token[17:] not in str(stored)


def _wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

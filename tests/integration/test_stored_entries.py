"""What of a record stands where: leaves that anyone can compute again, and nothing personal in the clear."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from sessions_log.domain.leaf import unbundle
from sessions_log.models import LeafBundle, LeafTail, SessionLog
from tests.integration.api import SESSION_LOGS, accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
CARD, EMAIL = "4111111111111111", "m.russo@trattoria.example"


def _leaf(tenant: Tenant, seq: int) -> bytes:
    bundles = LeafBundle.objects.filter(organization_id=tenant.organization.id).order_by("number")
    tails = LeafTail.objects.filter(organization_id=tenant.organization.id).order_by("first_seq")
    packed = [*bundles.values_list("leaves", flat=True), *tails.values_list("leaves", flat=True)]
    leaves = [leaf for one in packed for leaf in unbundle(bytes(one))]
    return leaves[seq]


def _hex(value: Any) -> str | None:
    return value.hex if value else None


def _computed_leaf(row: SessionLog, organization: str, service: str) -> bytes:
    """The leaf as a stranger computes it from what a proof hands out."""
    columns = {
        "action": row.action, "address": _hex(row.address_id), "aiModel": row.ai_model, "detectors": row.detectors,
        "duration": row.duration, "findings": row.findings, "id": row.id.hex, "organization": organization,
        "outcome": {1: "success", 2: "failure", 3: "denied"}[row.outcome], "policy": row.policy,
        "recordedAt": row.recorded_at.isoformat().replace("+00:00", "Z"), "sensitive": row.sensitive,
        "service": service,
        "session": row.session_id.hex, "subject": row.subject_id.hex, "target": _hex(row.target_id),
        "targetType": row.target_type, "timestamp": row.timestamp.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    written = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return (
        b"\x01\x01" + hashlib.sha256(bytes(row.nonce) + written).digest()
        + b"\x01" + hashlib.sha256(bytes(row.identity or b"")).digest()
    )  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "metadata": {"order": 7}, "ipAddress": "192.0.2.7", "userAgent": "Safari", "duration": 2_147_483_647,
            "outcome": "denied",
            "target": {"type": "order", "id": "7"}, "sensitive": True, "aiModelUsed": "gpt-x",
            "action": "custom.oven.hot",
        },
        {"outcome": "failure", "duration": 0, "metadata": {"card": CARD, "to": [EMAIL, EMAIL]}},
        {"target": {"type": "größe", "id": "7"}, "aiModelUsed": "a model's name"},
    ],
    ids=["least", "everything", "with findings", "with sealed words"],
)  # fmt: skip
def test_leaf_is_what_a_stranger_computes_from_the_stored_columns(
    record_all: Callable[[], None], fields: dict[str, Any]
) -> None:
    tenant = make_tenant()
    entry_id = accepted(tenant, session_record(**fields))["receipts"][0]["entryId"]
    record_all()
    row = SessionLog.objects.get(organization_id=tenant.organization.id, id=entry_id)
    assert _leaf(tenant, row.seq) == _computed_leaf(row, tenant.organization.uid.hex, "orders")


def test_nothing_that_names_somebody_stands_in_the_clear(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    values = {
        "userId": "user-in-the-clear", "sessionId": "session-in-the-clear", "ipAddress": "address-in-the-clear",
        "userAgent": "agent-in-the-clear", "traceId": "trace-in-the-clear", "id": "id-in-the-clear",
        "metadata": {"key-in-the-clear": "metadata-in-the-clear"}, "target": {"type": "order",
        "id": "target-in-the-clear"},
        "aiModelUsed": "a model in-the-clear",
    }  # fmt: skip
    accepted(tenant, session_record(**values))
    record_all()
    with connection.cursor() as cursor:
        for table in ("sessionlog", "inbox", "subject", "session", "target", "address"):
            cursor.execute(
                f"SELECT string_agg(t::text, '') FROM sessions_log_{table} t WHERE organization_id = %s",
                [tenant.organization.id],
            )
            stored = cursor.fetchone()[0]
            assert "in-the-clear" not in stored
            assert b"in-the-clear".hex() not in stored


def test_sensitive_values_are_gone_before_anything_is_stored(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record = session_record(
        metadata={"note": f"paid with\n{CARD}\tby {EMAIL}", EMAIL: {"number": int(CARD)}, "kept": ["order 7", 7]},
        userAgent=f"Mailer/1.0 ({EMAIL})", traceId=CARD, aiModelUsed=EMAIL, target={"type": EMAIL, "id": "7"},
    )  # fmt: skip
    accepted(tenant, record)
    record_all()
    (stored,) = found(tenant)
    assert CARD not in json.dumps(stored)
    assert EMAIL not in json.dumps(stored)
    assert stored["findings"] == {"email": 5, "payment_card": 3}
    assert stored["metadata"]["kept"] == ["order 7", 7]
    assert stored["metadata"]["note"].startswith("paid with\n[payment_card:")


def test_sensitive_value_is_found_however_its_characters_are_spelt(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    spelt = EMAIL.replace("@", r"\u0040").replace("m", r"\u006d")
    body = json.dumps(session_record(metadata={"to": "SPELT"})).replace("SPELT", spelt)
    sent = call("POST", SESSION_LOGS, tenant, body=body.encode(), headers={"content-type": "application/json"})
    assert sent.status == 202
    record_all()
    (stored,) = found(tenant)
    assert stored["metadata"]["to"].startswith("[email:")


def test_equal_sensitive_values_have_equal_placeholders_within_an_organization(record_all: Callable[[], None]) -> None:
    one, other = make_tenant(), make_tenant()
    for tenant in (one, one, other):
        accepted(tenant, session_record(metadata={"to": EMAIL}))
    record_all()
    first, second = (row["metadata"]["to"] for row in found(one))
    assert first == second
    assert first != found(other)[0]["metadata"]["to"]

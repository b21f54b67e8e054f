"""What happens in the demo world, and how a service would send it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import log
from random import Random
from typing import NamedTuple
from uuid import UUID

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing done, without who did it and when. `pause_s` is the time since the deed before it."""

    service: str
    action: str
    metadata: Mapping[str, object]
    target: tuple[str, str] | None = None
    took_ms: int | None = None
    pause_s: float = 6.0
    outcome: str = "success"
    sensitive: bool = False
    model: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A session as its services see it. `zone`: in which the field app, alone, writes its times."""

    session_id: str
    user_id: str | None
    address: str | None
    agent: str | None
    zone: tzinfo = UTC


class Step(NamedTuple):
    """A deed in its place. `number` is the sender's own sequence where it keeps one."""

    at: datetime
    visit: Visit
    deed: Deed
    number: int | None = None


def stream(seed: int, name: str) -> Random:
    """A generator of its own for each part of the world, so that none shifts the others."""
    # Not secure and not meant to be: it invents a world that anyone can make again.
    return Random(f"{seed}:{name}")  # nosec B311


def wire(step: Step, record_id: UUID) -> dict[str, object]:
    """The record as the ingest API takes it; what is unknown is left out."""
    visit, deed = step.visit, step.deed
    optional: dict[str, object | None] = {
        "userId": visit.user_id,
        "ipAddress": visit.address,
        "userAgent": visit.agent,
        "duration": deed.took_ms,
        "aiModelUsed": deed.model,
        "traceId": deed.trace_id,
        "sequence": step.number,
    }
    record: dict[str, object] = {
        "id": str(record_id),
        "sessionId": visit.session_id,
        "timestamp": wire_time(step.at, visit.zone if deed.service == "field-app" else UTC),
        "action": deed.action,
        "outcome": deed.outcome,
        "metadata": dict(deed.metadata),
    }
    record.update((name, value) for name, value in optional.items() if value is not None)
    if deed.sensitive:
        record["sensitive"] = True
    if deed.target is not None:
        record["target"] = {"type": deed.target[0], "id": deed.target[1]}
    return record


def wire_time(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_uuid(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def session_token(rng: Random) -> str:
    return base64.urlsafe_b64encode(rng.randbytes(24)).decode()


def trace_id(rng: Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def sorted_id(rng: Random, prefix: str) -> str:
    """An identifier of the kind `req_01KAY2...`: prefix, era, random letters."""
    return f"{prefix}_01K{''.join(rng.choices(_CROCKFORD, k=17))}"


def short_token(rng: Random, length: int) -> str:
    return "".join(rng.choices(_BASE62, k=length))


def took(rng: Random, typical_ms: float) -> int:
    """A duration around the typical one, with the long tail that real ones have."""
    return max(1, int(rng.lognormvariate(log(typical_ms), 0.45)))


def money(cents: int) -> dict[str, object]:
    return {"value": f"{cents / 100:.2f}", "currency": "USD"}


def change(field: str, before: object, after: object) -> dict[str, object]:
    return {"field": field, "from": before, "to": after}

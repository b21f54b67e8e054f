"""What goes wrong on an ordinary day: refused input, conflicts, time-outs, missing rights."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

from sessions_log.domain.demo.form import Deed
from sessions_log.domain.demo.people import Person

_FAILURE = 0.016
_DENIAL = {"contractor": 0.012, "architect": 0.007, "superintendent": 0.004}
_USUAL_DENIAL = 0.002

_WRITE_FAULTS = (
    {"status": 422, "code": "invalid", "fields": ["due_days"]},
    {"status": 409, "code": "changed_meanwhile", "have": 7, "expected": 8},
    {"status": 422, "code": "missing", "fields": ["cost_code", "reason"]},
    {"status": 500, "code": "unexpected", "fingerprint": "a41f0c"},
)
_READ_FAULTS = (
    {"status": 504, "code": "upstream_timeout", "after_ms": 10_000},
    {"status": 404, "code": "not_found"},
    {"status": 502, "code": "bad_gateway", "upstream": "storage"},
)
_UPLOAD_FAULTS = (
    {"status": 413, "code": "too_large", "limit": 83_886_080},
    {"status": 400, "code": "checksum_mismatch"},
    {"status": 408, "code": "client_gone", "received": 1_441_792},
)
_KEPT = (
    "requestId",
    "request_id",
    "correlationId",
    "rid",
    "eventId",
    "route",
    "method",
    "view",
    "screen",
    "device",
)
_SPARED = ("ai.", "session.", "auth.", "custom.")


def with_mishaps(rng: Random, person: Person, deeds: Iterable[Deed]) -> Iterator[Deed]:
    """The deeds, a few of them denied, a few failing first and done again."""
    denial = _DENIAL.get(person.role, _USUAL_DENIAL)
    for deed in deeds:
        luck = rng.random()
        if deed.action.startswith(_SPARED) or luck > denial + _FAILURE:
            yield deed
        elif luck < denial:
            yield denied(rng, person, deed)
        else:
            yield failed(deed, rng.choice(_faults(deed.action)))
            yield replace(deed, pause_s=4 + rng.expovariate(1 / 15))


def denied(rng: Random, person: Person, deed: Deed) -> Deed:
    """The same, refused; a guest instead follows a link that is not meant for him."""
    kind, verb = deed.target[0] if deed.target else "list", deed.action.partition(".")[2]
    if not person.is_staff:
        kind, verb = "change_order", "view"
        paper = f"CO-{100 + 3 * rng.randrange(12)}-{rng.randrange(1, 8):02d}"
        deed = replace(deed, action="record.view", target=(kind, paper), sensitive=False)
    missing = {
        "status": 403,
        "code": "not_permitted",
        "needs": f"{kind}:{verb}",
        "has_role": person.role,
        "policy": f"P-{rng.randrange(10, 60)}",
    }
    shown = {name: deed.metadata[name] for name in _KEPT if name in deed.metadata}
    return replace(deed, outcome="denied", took_ms=rng.randrange(4, 40), metadata={**shown, "error": missing})


def failed(deed: Deed, fault: dict[str, object]) -> Deed:
    return replace(deed, outcome="failure", metadata={**_without_result(deed), "error": fault})


def _faults(action: str) -> tuple[dict[str, object], ...]:
    if action == "file.upload":
        return _UPLOAD_FAULTS
    return _READ_FAULTS if action.endswith((".view", ".search", ".download")) else _WRITE_FAULTS


def _without_result(deed: Deed) -> dict[str, object]:
    """What was asked remains, what would have come of it does not."""
    return {name: value for name, value in deed.metadata.items() if name not in ("status", "hits", "changes")}

"""What permit coordinators and superintendents do with the building departments."""

from collections.abc import Iterator

from sessions_log.domain.demo.envelopes import Hand, permits
from sessions_log.domain.demo.form import Deed, change, money

_COMMENTS = (
    "Provide equipment schedule with listing numbers",
    "Show clearance to combustibles at duct enclosure",
    "Clarify occupant load, patio seating",
    "Indicate air gap at indirect waste",
    "Fixture count does not match sheet P101",
    "Provide structural letter for RTU curb",
    "Show accessible route from parking",
    "Egress width at host stand",
)
_STATES = ("submitted", "in review", "comments issued", "resubmitted", "approved", "issued")
_FINDINGS = {
    "plumbing": (
        "Pressure held 15 psi for 30 min",
        "Cleanout not accessible",
        "Air gap at prep sink missing",
    ),
    "electrical": ("Label circuits in panel K2", "Nail plates missing at two studs"),
    "mechanical": ("Access panel blocked by duct", "Duct wrap open at rated wall"),
    "fire": ("Fusible links installed, test tag missing", "Pull station 2 in. too high"),
    "kitchen": ("Hand wash signs not posted", "Thermometer missing in reach-in"),
}
_ANY_FINDING = (
    "No findings",
    "No findings",
    "Approved plans not on site",
    "Work not ready, came back at 14:00",
)


def follow_permit(hand: Hand) -> Iterator[Deed]:
    rng, permit = hand.rng, hand.paper("permit")
    yield permits(
        hand,
        "record.search",
        query={"site": hand.site.code, "state": rng.choice(_STATES)},
        hits=rng.randrange(1, 12),
    )
    yield permits(hand, "record.view", permit.target, type=permit.title, reviewCycle=rng.randrange(1, 4))
    if rng.random() < 0.35:
        place = rng.randrange(len(_STATES) - 1)
        yield permits(
            hand,
            "record.update",
            permit.target,
            pause_s=60,
            changes=[change("state", _STATES[place], _STATES[place + 1])],
            source=rng.choice(("department portal", "e-mail from plan checker", "counter visit")),
        )


def answer_plan_check(hand: Hand) -> Iterator[Deed]:
    rng, permit = hand.rng, hand.paper("permit")
    comments = rng.sample(_COMMENTS, k=rng.randrange(1, 5))
    yield permits(hand, "record.view", permit.target, type=permit.title, openComments=len(comments))
    yield permits(
        hand,
        "file.upload",
        ("plan_set", f"{permit.id}-c{rng.randrange(1, 4)}"),
        typical_ms=5200,
        pause_s=200,
        sheets=rng.randrange(4, 42),
        bytes=rng.randrange(6_000_000, 88_000_000),
        mediaType="application/pdf",
    )
    yield permits(
        hand,
        "record.create",
        ("resubmittal", f"{permit.id}-R{rng.randrange(1, 4)}"),
        pause_s=120,
        answers=[
            {"comment": comment, "sheet": hand.paper("drawing").id, "resolved": rng.random() < 0.85}
            for comment in comments
        ],
    )


def book_inspection(hand: Hand) -> Iterator[Deed]:
    rng, inspection = hand.rng, hand.paper("inspection")
    yield permits(hand, "record.view", ("inspection_calendar", hand.site.code), slots=rng.randrange(0, 14))
    yield permits(
        hand,
        "record.update",
        inspection.target,
        typical_ms=1300,
        pause_s=45,
        kind=inspection.title,
        slot={"day": f"+{rng.randrange(1, 9)}d", "window": rng.choice(("AM", "PM", "8-10", "13-15"))},
        confirmation=f"{rng.randrange(10**7, 10**8)}",
        contact=inspection.vendor.name,
    )


def record_inspection(hand: Hand) -> Iterator[Deed]:
    rng, inspection = hand.rng, hand.paper("inspection")
    passed = rng.random() < 0.72
    yield permits(hand, "record.view", inspection.target, kind=inspection.title)
    yield permits(
        hand,
        "custom.inspection.result",
        inspection.target,
        pause_s=80,
        result="passed" if passed else rng.choice(("corrections", "partial", "not ready")),
        finding=rng.choice((*_ANY_FINDING, *_FINDINGS.get(inspection.vendor.trade, ()))),
        reinspection=not passed,
        fee=None if passed else money(rng.choice((8_500, 12_000, 17_500))),
    )


def pay_fees(hand: Hand) -> Iterator[Deed]:
    rng, permit = hand.rng, hand.paper("permit")
    fees = {
        name: rng.randrange(4_000, 310_000, 50)
        for name in rng.sample(("plan review", "issuance", "technology", "sewer impact"), k=2)
    }
    yield permits(hand, "record.view", permit.target, type=permit.title)
    yield permits(
        hand,
        "custom.fee.paid",
        permit.target,
        typical_ms=2100,
        pause_s=70,
        fees=[{"name": name, **money(cents)} for name, cents in fees.items()],
        total=money(sum(fees.values())),
        receipt=f"R{rng.randrange(100_000, 999_999)}",
        method=rng.choice(("ach", "department account", "company card")),
    )


def download_permit(hand: Hand) -> Iterator[Deed]:
    rng, permit = hand.rng, hand.paper("permit")
    yield permits(hand, "record.view", permit.target, type=permit.title)
    yield permits(
        hand,
        "file.download",
        ("file", f"{permit.id}-card.pdf"),
        typical_ms=640,
        bytes=rng.randrange(90_000, 1_900_000),
        post=rng.choice(("site trailer", "front door", "plan box")),
    )

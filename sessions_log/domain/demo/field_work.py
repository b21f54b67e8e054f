"""What superintendents and contractors do on the telephone, walking."""

from collections.abc import Iterator

from sessions_log.domain.demo import catalogue
from sessions_log.domain.demo.envelopes import Hand, field_app
from sessions_log.domain.demo.form import Deed, change
from sessions_log.domain.demo.vendor_work import own_firm
from sessions_log.domain.demo.vendors import VENDORS

_LOG_NOTES = (
    "Deliveries through the alley only, street closed until noon.",
    "Inspector arrived early, rough plumbing passed.",
    "Walk-in panels short by two, supplier notified.",
    "Neighbour asked for no noise before 7.",
    "Slab poured at 6:40, cylinders taken.",
    "Power off 10:15 to 11:05, utility work in the street.",
    "Hood crew moved to Thursday.",
    "Floor protection down in dining room.",
    "No incidents, toolbox talk on ladders.",
    "Tile crew waiting for waterproofing test.",
)


def write_daily_log(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    crews = rng.sample(VENDORS, k=rng.randrange(2, 6))
    yield field_app(hand, "record.view", "DailyLog", ("daily_log", f"{hand.site.code}-yesterday"))
    yield field_app(
        hand,
        "record.create",
        "DailyLog",
        ("daily_log", f"DL-{hand.site.code}-{rng.randrange(100, 400)}"),
        pause_s=220,
        crew=[
            {"firm": firm.name, "heads": rng.randrange(1, 11), "hours": rng.choice((6, 8, 8, 8, 10))} for firm in crews
        ],
        weather=rng.choice(catalogue.WEATHER),
        note=rng.choice(_LOG_NOTES),
        delays=rng.choice((0, 0, 0, 1)),
    )


def take_photos(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    album = ("photo_album", f"{hand.site.code}-{hand.site.phase.replace(' ', '-')}")
    yield field_app(hand, "record.view", "Photos", album, photos=rng.randrange(40, 900))
    for _ in range(rng.randrange(2, 8)):
        sheet = hand.paper("drawing")
        yield field_app(
            hand,
            "file.upload",
            "Camera",
            ("photo", f"P-{rng.getrandbits(36):09x}"),
            typical_ms=1900,
            pause_s=18,
            bytes=rng.randrange(1_100_000, 6_400_000),
            pinned={"sheet": sheet.id, "x": round(rng.random(), 3), "y": round(rng.random(), 3)},
        )


def walk_punch_list(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    items = rng.sample(hand.site.papers["punch_item"], k=rng.randrange(2, 6))
    yield field_app(hand, "record.search", "PunchList", filter={"state": "open"}, hits=rng.randrange(6, 90))
    for item in items:
        yield field_app(
            hand, "record.view", "PunchItem", item.target, pause_s=40, title=item.title, firm=item.vendor.name
        )
        luck = rng.random()
        if luck < 0.35:
            yield field_app(
                hand,
                "custom.punch_item.closed",
                "PunchItem",
                item.target,
                pause_s=15,
                title=item.title,
                days_open=rng.randrange(1, 31),
                photos=rng.randrange(1, 4),
            )
        elif luck < 0.6:
            yield field_app(
                hand,
                "record.update",
                "PunchItem",
                item.target,
                pause_s=20,
                changes=[
                    change("state", "ready for review", "open"),
                    change("due_days", 3, rng.choice((5, 7))),
                ],
            )


def run_checklist(hand: Hand) -> Iterator[Deed]:
    rng, inspection = hand.rng, hand.paper("inspection")
    points = rng.randrange(12, 46)
    yield field_app(hand, "record.view", "Checklist", inspection.target, title=inspection.title, points=points)
    yield field_app(
        hand,
        "custom.checklist.completed",
        "Checklist",
        inspection.target,
        pause_s=400,
        title=inspection.title,
        points=points,
        failed=rng.choice((0, 0, 0, 1, 2, 4)),
        signed=True,
        minutes=rng.randrange(6, 55),
    )


def receive_delivery(hand: Hand) -> Iterator[Deed]:
    rng, firm = hand.rng, own_firm(hand)
    yield field_app(
        hand,
        "record.create",
        "Delivery",
        ("delivery", f"DV-{rng.randrange(7000, 9800)}"),
        pause_s=60,
        firm=firm.name,
        items=rng.sample(catalogue.MATERIALS, k=rng.randrange(1, 4)),
        damaged=rng.random() < 0.07,
        slip=f"{rng.randrange(100_000, 999_999)}",
    )
    if rng.random() < 0.6:
        yield field_app(
            hand,
            "file.upload",
            "Camera",
            ("photo", f"P-{rng.getrandbits(36):09x}"),
            typical_ms=1700,
            pause_s=15,
            bytes=rng.randrange(900_000, 4_400_000),
            kind="packing slip",
        )


def ask_from_site(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    title, trade = rng.choice(catalogue.RFIS)
    yield field_app(hand, "file.view", "Sheet", hand.paper("drawing").target, pause_s=45, offline=rng.random() < 0.3)
    yield field_app(
        hand,
        "record.create",
        "NewRequest",
        ("rfi", f"RFI-{100 + hand.site.number * 3}-{rng.randrange(60, 99):03d}"),
        pause_s=160,
        subject=title,
        trade=trade,
        photos=rng.randrange(0, 4),
        due_days=rng.choice((3, 5, 7)),
    )


def clock_crew(hand: Hand) -> Iterator[Deed]:
    rng, firm = hand.rng, own_firm(hand)
    yield field_app(
        hand,
        "custom.crew.checked_in",
        "Gate",
        hand.site.target,
        pause_s=30,
        firm=firm.name,
        heads=rng.randrange(2, 12),
        fence={"inside": True, "accuracy_m": rng.randrange(4, 40)},
    )

"""What project managers, architects and finance do at the screen: overview, requests, changes, schedules."""

from collections.abc import Iterator
from random import Random

from sessions_log.domain.demo.envelopes import Hand, portal, site_ops
from sessions_log.domain.demo.form import Deed, change, money, record_uuid

_ANSWERS = (
    "Proceed per detail 4/A501, architect concurs.",
    "See revised sheet, issued today.",
    "Shift 8 in. to the east, keep the clearance shown.",
    "No cost, no schedule impact.",
    "Use the deeper curb; submit cut sheet for record.",
    "Confirmed with kitchen consultant on site.",
    "Hold until the landlord answers, expected Thursday.",
    "Substitute accepted, same finish and rating.",
)

_REASONS_TO_REFUSE = (
    "Labour hours exceed the unit rates in the contract",
    "Duplicate of an earlier proposal",
    "Backup missing: supplier quote",
    "Scope is in the base contract, spec 22 13 23",
    "Mark-up above 10 percent",
)

_TASKS = (
    "MEP rough-in",
    "Hood set",
    "Walk-in install",
    "Drywall close-up",
    "Quarry tile",
    "Kitchen equipment set",
    "Bar millwork",
    "Ceiling grid",
    "Final clean",
    "Health pre-opening",
    "Staff training on site",
    "Soft opening",
)


def look_at_portfolio(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    yield portal(
        hand,
        "record.view",
        "/dashboard",
        ("dashboard", "portfolio"),
        typical_ms=420,
        widgets=rng.randrange(6, 11),
        filter={"region": hand.person.city, "phase": "any"},
        cache=rng.choice(("hit", "hit", "stale", "miss")),
    )
    for tab in rng.sample(("overview", "schedule", "budget", "risks", "contacts"), k=rng.randrange(1, 4)):
        yield portal(
            hand,
            "record.view",
            "/sites/[site]/[tab]",
            hand.site.target,
            pause_s=35,
            tab=tab,
            site={"code": hand.site.code, "name": hand.site.name, "phase": hand.site.phase},
        )


def answer_rfi(hand: Hand) -> Iterator[Deed]:
    rng, rfi, sheet = hand.rng, hand.paper("rfi"), hand.paper("drawing")
    hits = rng.randrange(1, 23)
    yield site_ops(hand, "record.search", "rfi-list", filters={"state": "open", "trade": rfi.vendor.trade}, hits=hits)
    yield site_ops(hand, "record.view", "rfi-detail", rfi.target, subject=rfi.title, asked_by=rfi.vendor.name)
    yield site_ops(hand, "file.view", "sheet-viewer", sheet.target, pause_s=40, zoom=rng.choice((1, 2, 2, 4)))
    if rng.random() < 0.45:
        yield site_ops(
            hand,
            "record.update",
            "rfi-answer",
            rfi.target,
            pause_s=150,
            changes=[change("state", "open", "answered"), change("answer", None, rng.choice(_ANSWERS))],
            impact={
                "cost": rng.choice((None, None, money(rng.randrange(20_000, 480_000, 500)))),
                "days": rng.choice((0, 0, 0, 1, 2, 5)),
            },
            notified=rng.randrange(2, 7),
        )


def decide_change_order(hand: Hand) -> Iterator[Deed]:
    rng, order, route = hand.rng, hand.paper("change_order"), "/sites/[site]/change-orders/[id]"
    amount = money(order.cents)
    firm = {"id": order.vendor.id, "name": order.vendor.name}
    yield portal(hand, "record.view", route, order.target, title=order.title, amount=amount, vendor=firm)
    backup = ("file", f"{order.id}-backup.pdf")
    yield portal(
        hand,
        "file.view",
        "/files/[id]",
        backup,
        pause_s=25,
        pages=rng.randrange(1, 18),
        bytes=rng.randrange(80_000, 4_200_000),
    )
    luck = rng.random()
    if luck < 0.40:
        line = f"{rng.randrange(2, 33):02d}-{order.vendor.trade}"
        yield portal(
            hand,
            "record.approve",
            route,
            order.target,
            method="POST",
            pause_s=70,
            amount=amount,
            budget={"line": line, "remaining": money(rng.randrange(300_000, 19_000_000, 100))},
            step=rng.choice(("first", "second", "final")),
        )
    elif luck < 0.55:
        why = rng.choice(_REASONS_TO_REFUSE)
        yield portal(hand, "record.reject", route, order.target, method="POST", pause_s=90, amount=amount, reason=why)


def move_schedule(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    target = ("schedule", f"{hand.site.code}-baseline-{rng.randrange(2, 9)}")
    yield site_ops(hand, "record.view", "schedule-gantt", target, typical_ms=380, tasks=rng.randrange(140, 260))
    luck = rng.random()
    if luck < 0.1:
        yield _imported_lookahead(hand, target)
    elif luck < 0.6:
        yield site_ops(
            hand,
            "record.update",
            "schedule-gantt",
            target,
            pause_s=110,
            changes=[_moved(rng, task) for task in rng.sample(_TASKS, k=rng.randrange(1, 7))],
            float_days=rng.randrange(-3, 15),
            opening_moved=rng.random() < 0.08,
        )


def _moved(rng: Random, task: str) -> dict[str, object]:
    week = rng.randrange(6, 30)
    return change(task, f"week {week}", f"week {week + rng.choice((1, 1, 2, -1))}")


def _imported_lookahead(hand: Hand, target: tuple[str, str]) -> Deed:
    """The contractor's spreadsheet of the next weeks: the longest metadata there is."""
    rng = hand.rng
    rows = [
        {
            "wbs": f"{row // 8 + 1}.{row % 8 + 1}",
            "task": f"{task}, area {row % 4 + 1}",
            "start": f"+{row * 2}d",
            "days": rng.randrange(1, 12),
        }
        for row, task in enumerate(rng.choices(_TASKS, k=rng.randrange(24, 64)))
    ]
    return site_ops(
        hand,
        "record.import",
        "schedule-import",
        target,
        typical_ms=6200,
        pause_s=45,
        source="lookahead.xlsx",
        imported=len(rows),
        skipped=rng.randrange(0, 4),
        rows=rows,
    )


def read_drawings(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    for sheet in rng.sample(hand.site.papers["drawing"], k=rng.randrange(1, 5)):
        yield site_ops(
            hand,
            "file.view",
            "sheet-viewer",
            sheet.target,
            pause_s=35,
            title=sheet.title,
            zoom=rng.choice((1, 2, 4)),
        )
    sheet = hand.paper("drawing")
    if rng.random() < 0.4:
        yield site_ops(
            hand,
            "file.download",
            "sheet-download",
            sheet.target,
            typical_ms=900,
            format=rng.choice(("pdf", "pdf", "dwg")),
            bytes=rng.randrange(900_000, 38_000_000),
        )
    if rng.random() < 0.2:
        vendor = sheet.vendor
        yield site_ops(
            hand,
            "file.share",
            "sheet-share",
            sheet.target,
            with_vendor={"id": vendor.id, "name": vendor.name},
            expires_days=rng.choice((7, 14, 30)),
            can_download=rng.random() < 0.7,
        )


def issue_drawing(hand: Hand) -> Iterator[Deed]:
    rng, sheet = hand.rng, hand.paper("drawing")
    yield site_ops(hand, "file.view", "sheet-viewer", sheet.target, title=sheet.title)
    yield site_ops(
        hand,
        "file.upload",
        "sheet-upload",
        sheet.target,
        typical_ms=3800,
        pause_s=90,
        bytes=rng.randrange(1_400_000, 46_000_000),
        sha256=f"{rng.getrandbits(256):064x}",
        supersedes=f"r{rng.randrange(1, 9)}",
    )
    yield site_ops(
        hand,
        "record.create",
        "submittal-create",
        ("submittal", f"SUB-{rng.randrange(1000, 4200)}"),
        pause_s=30,
        sheets=rng.randrange(1, 9),
        reason=rng.choice(("RFI answer", "addendum 3", "permit comment", "owner change")),
    )


def watch_budget(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    planned = rng.randrange(90_000_000, 260_000_000, 5_000)
    yield portal(
        hand,
        "record.view",
        "/sites/[site]/budget",
        ("budget", hand.site.code),
        typical_ms=510,
        planned=money(planned),
        committed=money(int(planned * rng.uniform(0.6, 1.04))),
        lines=rng.randrange(38, 61),
    )
    yield portal(
        hand,
        "record.search",
        "/invoices",
        filter={"site": hand.site.code, "state": rng.choice(("due", "held", "paid"))},
        hits=rng.randrange(0, 44),
        sort="-amount",
    )
    if rng.random() < 0.18:
        yield portal(
            hand,
            "record.export",
            "/sites/[site]/budget/export",
            ("budget", hand.site.code),
            method="POST",
            typical_ms=2400,
            format=rng.choice(("xlsx", "pdf", "csv")),
            rows=rng.randrange(38, 410),
            export=record_uuid(rng).hex[:12],
        )


def hold_meeting(hand: Hand) -> Iterator[Deed]:
    """The weekly meeting with owner, architect and contractor: minutes and open points."""
    rng = hand.rng
    target = ("meeting", f"OAC-{hand.site.code}-{rng.randrange(4, 40)}")
    yield site_ops(hand, "record.view", "meeting-detail", target, open_points=rng.randrange(3, 19))
    for _ in range(rng.randrange(1, 5)):
        rfi = hand.paper("rfi")
        yield site_ops(hand, "record.view", "rfi-detail", rfi.target, pause_s=180, subject=rfi.title)
    yield site_ops(
        hand,
        "record.update",
        "meeting-minutes",
        target,
        pause_s=240,
        changes=[change("state", "draft", "issued"), change("attendees", 0, rng.randrange(4, 12))],
        due=rng.choice(("Friday", "next meeting", "before inspection")),
    )

"""Money and firms: invoices, insurance, bank details, payroll."""

from collections.abc import Iterator
from random import Random

from sessions_log.domain.demo.envelopes import Hand, vendor_hub
from sessions_log.domain.demo.form import Deed, change, money
from sessions_log.domain.demo.vendors import VENDOR_OF, VENDORS, Vendor

_HOLDS = (
    "Lien waiver not notarized",
    "Billed ahead of percent complete",
    "Certificate of insurance lapsed",
    "Retainage computed at 5, contract says 10 percent",
    "Waiting for change order to be signed",
)


_DOCUMENTS = ("driver licence", "passport card", "state id")


def check_invoice(hand: Hand) -> Iterator[Deed]:
    rng, invoice = hand.rng, hand.paper("invoice")
    firm = {"id": invoice.vendor.id, "name": invoice.vendor.name}
    seen = {"vendor": firm, "amount": money(invoice.cents), "site": hand.site.code, "title": invoice.title}
    queue = rng.choice(("mine", "due this week", "over 25k"))
    yield vendor_hub(hand, "record.search", queue=queue, hits=rng.randrange(1, 61))
    yield vendor_hub(hand, "record.view", invoice.target, invoice=seen)
    yield vendor_hub(hand, "file.view", ("file", f"{invoice.id}.pdf"), pause_s=30, pages=rng.randrange(1, 9))
    luck = rng.random()
    if luck < 0.5:
        yield vendor_hub(
            hand,
            "record.approve",
            invoice.target,
            pause_s=40,
            invoice=seen,
            retainage=money(invoice.cents // 10),
            gl=f"{rng.randrange(1400, 1499)}-{hand.site.code}",
        )
    elif luck < 0.68:
        held = [change("state", "received", "on hold")]
        yield vendor_hub(
            hand,
            "record.update",
            invoice.target,
            pause_s=60,
            vendor=firm,
            changes=held,
            reason=rng.choice(_HOLDS),
        )


def send_invoice(hand: Hand) -> Iterator[Deed]:
    """A contractor's own side of it."""
    rng = hand.rng
    firm = own_firm(hand)
    number = f"INV-{rng.randrange(98_761, 99_999)}"
    cents = rng.randrange(210_000, 7_800_000, 5)
    yield vendor_hub(hand, "record.view", ("vendor", firm.id), tab="open applications", open=rng.randrange(0, 6))
    yield vendor_hub(
        hand,
        "record.create",
        ("invoice", number),
        pause_s=140,
        site=hand.site.code,
        amount=money(cents),
        lines=_lines(rng, firm, cents),
    )
    yield vendor_hub(
        hand,
        "file.upload",
        ("file", f"{number}-waiver.pdf"),
        pause_s=50,
        typical_ms=1800,
        kind="lien waiver",
        conditional=rng.random() < 0.7,
        bytes=rng.randrange(60_000, 900_000),
    )


def _lines(rng: Random, firm: Vendor, cents: int) -> list[dict[str, object]]:
    """The sum, cut into lines of the schedule of values."""
    cuts = sorted(rng.sample(range(1, 100), k=rng.randrange(1, 6)))
    parts = [cents * (upper - lower) // 100 for lower, upper in zip([0, *cuts], [*cuts, 100], strict=True)]
    code = firm.trade[:3].upper()
    return [
        {"code": f"{code}-{line:02d}", "percent": rng.randrange(5, 101, 5), **money(part)}
        for line, part in enumerate(parts, start=1)
    ]


def check_insurance(hand: Hand) -> Iterator[Deed]:
    rng, firm = hand.rng, own_firm(hand)
    account, certificate = ("vendor", firm.id), ("certificate", f"{firm.id}-coi")
    limits = {"general": "2000000", "auto": "1000000", "umbrella": rng.choice(("3000000", "5000000"))}
    left = rng.randrange(-4, 300)
    yield vendor_hub(hand, "record.view", account, name=firm.name, trade=firm.trade, rating=firm.rating)
    yield vendor_hub(hand, "file.view", certificate, pause_s=28, limits=limits, expires_in_days=left)
    if hand.person.vendor:
        yield vendor_hub(hand, "file.upload", certificate, pause_s=50, limits=limits, expires_in_days=365)
    elif rng.random() < 0.3:
        rated = change("rating", firm.rating, firm.rating + rng.choice((-2, 1, 2)))
        changes = [change("coi_state", "expiring", "current"), rated]
        yield vendor_hub(hand, "record.update", account, pause_s=35, changes=changes)


def look_up_vendor(hand: Hand) -> Iterator[Deed]:
    rng, vendor = hand.rng, hand.rng.choice(VENDORS)
    yield vendor_hub(
        hand, "record.search", q=vendor.name.split()[0].lower(), trade=vendor.trade, hits=rng.randrange(1, 5)
    )
    yield vendor_hub(
        hand, "record.view", ("vendor", vendor.id), name=vendor.name, trade=vendor.trade, rating=vendor.rating
    )
    if rng.random() < 0.4:
        yield vendor_hub(
            hand,
            "record.create",
            ("bid_request", f"BR-{rng.randrange(2100, 3900)}"),
            pause_s=120,
            site=hand.site.code,
            invited=[firm.id for firm in rng.sample(VENDORS, k=rng.randrange(2, 5))],
            due_days=rng.choice((5, 7, 10)),
        )


def change_bank_details(hand: Hand) -> Iterator[Deed]:
    """Four eyes: asked for here, approved by another, called back by telephone."""
    rng, vendor = hand.rng, hand.rng.choice(VENDORS)
    target = ("bank_account", f"{vendor.id}-primary")
    yield vendor_hub(hand, "file.view", ("tax_form", f"{vendor.id}-w9"), sensitive=True, vendor=vendor.name, pages=1)
    yield vendor_hub(
        hand,
        "record.update",
        target,
        sensitive=True,
        pause_s=90,
        vendor=vendor.name,
        changes=[change("account", f"****{rng.randrange(1000, 9999)}", f"****{rng.randrange(1000, 9999)}")],
        verification={"method": "call back", "by": "second person", "state": "pending"},
    )


def confirm_identity_papers(hand: Hand) -> Iterator[Deed]:
    """Badging of a contractor's crew: identity documents are seen, not kept."""
    rng, firm = hand.rng, hand.rng.choice(VENDORS)
    badge, document = f"BDG-{rng.randrange(20_000, 39_999)}", rng.choice(_DOCUMENTS)
    masked = rng.random() < 0.8
    seen = ("identity_document", badge)
    yield vendor_hub(
        hand, "file.view", seen, sensitive=True, pause_s=20, firm=firm.name, document=document, masked=masked
    )
    yield vendor_hub(
        hand,
        "record.approve",
        ("site_badge", badge),
        pause_s=40,
        site=hand.site.code,
        firm=firm.name,
        orientation=rng.choice(("done", "done", "booked")),
        valid_days=rng.choice((30, 90, 180)),
    )


def ask_for_badge(hand: Hand) -> Iterator[Deed]:
    """The contractor's side: a document is shown, a badge asked for."""
    rng, firm = hand.rng, own_firm(hand)
    badge, document = f"BDG-{rng.randrange(20_000, 39_999)}", rng.choice(_DOCUMENTS)
    shown = ("identity_document", badge)
    yield vendor_hub(
        hand,
        "file.upload",
        shown,
        sensitive=True,
        typical_ms=2300,
        pause_s=60,
        firm=firm.name,
        document=document,
    )
    yield vendor_hub(
        hand, "record.create", ("site_badge", badge), pause_s=30, site=hand.site.code, firm=firm.name, days=90
    )


def run_payroll(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    week = f"PR-W{rng.randrange(40, 49)}"
    crew = rng.randrange(14, 64)
    yield vendor_hub(hand, "record.view", ("payroll_run", week), sensitive=True, employees=crew, state="open")
    for _ in range(rng.randrange(1, 5)):
        yield vendor_hub(
            hand,
            "record.view",
            ("timesheet", f"TS-{rng.randrange(60_000, 79_999)}"),
            sensitive=True,
            pause_s=35,
            hours={"regular": 40, "overtime": rng.choice((0, 0, 4, 6, 9.5))},
            site=hand.site.code,
        )
    if rng.random() < 0.5:
        yield vendor_hub(
            hand,
            "file.upload",
            ("certified_payroll", f"{week}-{hand.site.code}"),
            sensitive=True,
            typical_ms=2600,
            pause_s=80,
            rows=crew,
            gross=money(crew * rng.randrange(118_000, 164_000)),
            prevailing_wage=rng.random() < 0.4,
        )


def release_payments(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    run = ("payment_run", f"PAY-{rng.randrange(700, 990)}")
    invoices = [hand.paper("invoice") for _ in range(rng.randrange(3, 9))]
    total = money(sum(invoice.cents for invoice in invoices))
    yield vendor_hub(hand, "record.view", run, invoices=len(invoices), total=total)
    yield vendor_hub(
        hand,
        "record.approve",
        run,
        pause_s=110,
        total=total,
        signatures=["first", "second"],
        invoices=[{"id": invoice.id, "vendor": invoice.vendor.id, **money(invoice.cents)} for invoice in invoices],
    )
    yield vendor_hub(
        hand,
        "custom.payment_run.released",
        run,
        sensitive=True,
        typical_ms=3100,
        file="nacha",
        entries=len(invoices),
        total=total,
    )


def own_firm(hand: Hand) -> Vendor:
    """The contractor's own firm, any firm for everyone else."""
    return VENDOR_OF[hand.person.vendor] if hand.person.vendor else hand.rng.choice(VENDORS)

"""Single events that a fortnight of a real command center has, each told once on a working day."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from sessions_log.domain.demo import account_scenes
from sessions_log.domain.demo.deploys import rolled_back_deploy
from sessions_log.domain.demo.devices import mobile_address
from sessions_log.domain.demo.form import Deed, Step, Visit, change, session_token, short_token, took
from sessions_log.domain.demo.sites import World
from sessions_log.domain.demo.telling import hour_of, office_visit, told


def _hub(
    rng: Random,
    action: str,
    target: tuple[str, str],
    more: Mapping[str, object],
    *,
    pause_s: float = 5,
    sensitive: bool = False,
) -> Deed:
    return Deed(
        service="vendor-hub",
        action=action,
        target=target,
        metadata={"rid": short_token(rng, 12), **more},
        took_ms=took(rng, 180),
        pause_s=pause_s,
        sensitive=sensitive,
    )


def bulk_export(rng: Random, world: World, day: date) -> Iterator[Step]:
    """A lawful one: asked for, approved by another with a ticket, then run."""
    clerk, controller = world.the("Sunil Wickramage"), world.the("Ruth Abernethy")
    number, rows = f"EXR-{rng.randrange(310, 390)}", rng.randrange(17_200, 19_800)
    request, dataset = ("export_request", number), ("dataset", "vendor-payments-q3")
    why = {"ticket": f"FIN-{rng.randrange(2200, 2300)}", "purpose": "external audit, third quarter payments"}
    wanted = {**why, "tables": ["payments", "vendors", "bank_accounts"], "period": "Q3"}
    allowed = {**why, "approver": controller.account, "valid_hours": 4, "limit_rows": 25_000}
    made = {
        **why,
        "approval": number,
        "rows": rows,
        "format": "csv",
        "encrypted": True,
        "to": "auditor data room",
    }
    fetched = {**why, "approval": number, "bytes": rows * 412}
    asking, deciding = office_visit(rng, world, clerk), office_visit(rng, world, controller)
    begin = hour_of(day, 10, 40)
    yield from told(asking, begin, _hub(rng, "record.create", request, wanted))
    yield from told(
        deciding,
        begin + timedelta(minutes=24),
        _hub(rng, "record.view", request, why),
        _hub(rng, "record.approve", request, allowed, pause_s=190),
    )
    yield from told(
        asking,
        begin + timedelta(minutes=51),
        _hub(rng, "record.export", dataset, made, sensitive=True),
        _hub(rng, "file.download", ("file", f"{number}.csv.age"), fetched, pause_s=140, sensitive=True),
    )


def bank_details_confirmed(rng: Random, world: World, day: date) -> Iterator[Step]:
    """New bank details take effect only after a second person has called the firm."""
    first, second = world.the("Margit Solberg"), world.the("Ruth Abernethy")
    account, begin = ("bank_account", "V-0391-primary"), hour_of(day, 14, 2)
    asked = {"vendor": "Ocotillo Concrete", "ticket": "FIN-2260"}
    changes = [
        change("account", "****7731", "****2094"),
        change("bank", "Mesa Trust", "Saguaro Credit Union"),
    ]
    proposed = {**asked, "changes": changes, "state": "waiting for second person"}
    called = {**asked, "verification": {"method": "call back", "number": "on file", "minutes": 6}}
    yield from told(
        office_visit(rng, world, first),
        begin,
        _hub(rng, "file.view", ("tax_form", "V-0391-w9"), asked, sensitive=True),
        _hub(rng, "record.update", account, proposed, pause_s=150, sensitive=True),
    )
    yield from told(
        office_visit(rng, world, second),
        begin + timedelta(minutes=73),
        _hub(rng, "record.view", account, asked, sensitive=True),
        _hub(rng, "record.approve", account, called, pause_s=260, sensitive=True),
    )


def bad_release(rng: Random, world: World, day: date) -> Iterator[Step]:
    return rolled_back_deploy(rng, day, service="site-ops")


def roaming_walk(rng: Random, world: World, day: date) -> Iterator[Step]:
    """One session of the field app, carried from street to train: seven addresses, one telephone."""
    person = world.the("Gus Petrakis")
    desk = world.desks[person.user_id]
    visit = Visit(
        session_id=session_token(rng),
        user_id=person.user_id,
        address=None,
        agent=desk.field_agent,
        zone=person.zone,
    )
    at = hour_of(day, 6, 41)
    for number in range(1, 15):
        if number % 2:
            visit = replace(visit, address=mobile_address(rng))
        metadata = {
            "screen": "Photos",
            "site": "nyc-018",
            "network": rng.choice(("lte", "5g")),
            "queuedMs": rng.randrange(0, 9000),
        }
        deed = Deed(
            service="field-app",
            action="file.upload",
            target=("photo", f"P-{rng.getrandbits(36):09x}"),
            took_ms=took(rng, 2100),
            metadata={**metadata, "bytes": rng.randrange(1_100_000, 6_400_000)},
        )
        at += timedelta(seconds=rng.expovariate(1 / 80))
        yield Step(at, visit, deed, number)


_NOTES = (
    (
        "Margit Solberg",
        "Vendor asks for remittance to billing@northlight-glazing.example instead of the old mailbox",
    ),
    ("Ruth Abernethy", "Permit fee was put on card 4111 1111 1111 1111 by mistake, refund requested"),
    ("Noor Haddadin", "Plan checker wants the letter sent to counter3@permits.example before Thursday"),
    ("Dele Adeyinka", "Crew lead gave card 5555 5555 5555 4444 for lodging, to be reimbursed"),
    ("Yesenia Calder", "Cc tenant.rep@landlord-group.example on everything about the patio"),
    ("Corinne Ashgrove", "Caller used j.delacroix@mailbox.example, not the address on file"),
)


def notes_with_contacts(rng: Random, world: World, day: date) -> Iterator[Step]:
    """People write into notes what does not belong there: mail addresses and (test) card numbers."""
    for place, (name, note) in enumerate(_NOTES):
        person = world.the(name)
        target = ("vendor_note", f"VN-{rng.randrange(400, 990)}")
        more = {"note": note, "pinned": False, "visible_to": ["finance", "project"]}
        deed = _hub(rng, "record.create", target, more)
        yield from told(office_visit(rng, world, person), hour_of(day, 9 + place, rng.randrange(60)), deed)


_SCENES: tuple[Callable[[Random, World, date], Iterator[Step]], ...] = (
    bulk_export,
    account_scenes.forgotten_session,
    account_scenes.new_password,
    account_scenes.granted_for_a_reason,
    account_scenes.newcomer,
    account_scenes.leaver,
    bank_details_confirmed,
    account_scenes.key_rotation,
    bad_release,
    roaming_walk,
    account_scenes.typing_trouble,
    notes_with_contacts,
)


def scene_steps(rng: Random, world: World, workdays: list[date]) -> Iterator[Step]:
    """All scenes, spread over the working days given; none where there are none."""
    for place, scene in enumerate(_SCENES if workdays else ()):
        yield from scene(rng, world, workdays[place * 7 % len(workdays)])

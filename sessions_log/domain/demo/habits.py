"""Who does what, when and how often: the working habits of each role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sessions_log.domain.demo import care_work as care
from sessions_log.domain.demo import field_work as field
from sessions_log.domain.demo import office_work as office
from sessions_log.domain.demo import permit_work as permit
from sessions_log.domain.demo import vendor_work as vendor
from sessions_log.domain.demo.copilot_work import ask_copilot
from sessions_log.domain.demo.envelopes import Hand
from sessions_log.domain.demo.form import Deed
from sessions_log.domain.demo.people import Role

Activity = Callable[[Hand], Iterator[Deed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One kind of visit: when it starts (local hour), how long, through which door, doing what.

    chance: of happening on a working day; `weekend` the same on Saturday, a third of it on Sunday.
    Weights of `work` are relative to each other.
    """

    door: str
    hour: float
    hours: float
    chance: float
    weekend: float
    gap_minutes: float
    work: tuple[tuple[int, Activity], ...]


_MANAGING = (
    (5, office.look_at_portfolio),
    (5, office.answer_rfi),
    (4, office.decide_change_order),
    (3, office.move_schedule),
    (3, office.read_drawings),
    (3, office.watch_budget),
    (1, office.hold_meeting),
    (2, permit.follow_permit),
    (2, vendor.look_up_vendor),
    (3, ask_copilot),
)
_ON_SITE = (
    (4, field.write_daily_log),
    (5, field.take_photos),
    (5, field.walk_punch_list),
    (3, field.run_checklist),
    (3, field.receive_delivery),
    (2, field.ask_from_site),
    (2, field.clock_crew),
)
_PERMITTING = (
    (6, permit.follow_permit),
    (3, permit.answer_plan_check),
    (4, permit.book_inspection),
    (4, permit.record_inspection),
    (2, permit.pay_fees),
    (2, permit.download_permit),
    (2, office.read_drawings),
    (2, ask_copilot),
)
_PAYING = (
    (22, vendor.check_invoice),
    (2, vendor.change_bank_details),
    (4, vendor.check_insurance),
    (5, vendor.look_up_vendor),
    (5, office.watch_budget),
    (1, vendor.release_payments),
    (1, office.decide_change_order),
)
_SUPPORTING = ((6, care.work_tickets), (3, care.help_with_account), (1, ask_copilot))
_PLATFORM = ((9, care.watch_platform), (2, care.change_setting), (1, care.read_secret), (1, ask_copilot))

HABITS: dict[Role, tuple[Habit, ...]] = {
    "project_manager": (
        Habit(door="portal-web", hour=8.1, hours=2.6, chance=0.94, weekend=0.10, gap_minutes=17, work=_MANAGING),
        Habit(door="portal-web", hour=13.2, hours=2.8, chance=0.86, weekend=0.03, gap_minutes=20, work=_MANAGING),
        Habit(door="field-app", hour=16.6, hours=0.6, chance=0.35, weekend=0.04, gap_minutes=16, work=_ON_SITE),
    ),
    "superintendent": (
        Habit(door="field-app", hour=6.2, hours=2.2, chance=0.97, weekend=0.40, gap_minutes=23, work=_ON_SITE),
        Habit(door="field-app", hour=12.4, hours=2.5, chance=0.92, weekend=0.22, gap_minutes=27, work=_ON_SITE),
        Habit(
            door="portal-web",
            hour=15.6,
            hours=0.8,
            chance=0.55,
            weekend=0.05,
            gap_minutes=21,
            work=(
                (4, office.answer_rfi),
                (3, office.read_drawings),
                (2, permit.book_inspection),
                (1, office.hold_meeting),
            ),
        ),
    ),
    "permit_coordinator": (
        Habit(
            door="portal-web",
            hour=8.0,
            hours=3.0,
            chance=0.95,
            weekend=0.02,
            gap_minutes=18,
            work=_PERMITTING,
        ),
        Habit(
            door="portal-web",
            hour=13.0,
            hours=3.2,
            chance=0.92,
            weekend=0.0,
            gap_minutes=21,
            work=_PERMITTING,
        ),
    ),
    "finance": (
        Habit(door="vendor-hub", hour=8.4, hours=3.0, chance=0.95, weekend=0.03, gap_minutes=16, work=_PAYING),
        Habit(door="vendor-hub", hour=13.1, hours=3.0, chance=0.90, weekend=0.0, gap_minutes=18, work=_PAYING),
    ),
    "payroll": (
        Habit(
            door="vendor-hub",
            hour=8.7,
            hours=2.4,
            chance=0.95,
            weekend=0.0,
            gap_minutes=29,
            work=((5, vendor.run_payroll), (2, vendor.confirm_identity_papers), (1, vendor.check_insurance)),
        ),
    ),
    "architect": (
        Habit(
            door="portal-web",
            hour=9.6,
            hours=2.4,
            chance=0.85,
            weekend=0.06,
            gap_minutes=29,
            work=(
                (5, office.answer_rfi),
                (4, office.read_drawings),
                (3, office.issue_drawing),
                (1, office.hold_meeting),
                (1, ask_copilot),
            ),
        ),
        Habit(
            door="portal-web",
            hour=15.0,
            hours=1.8,
            chance=0.5,
            weekend=0.0,
            gap_minutes=32,
            work=((4, office.answer_rfi), (4, office.issue_drawing), (2, office.read_drawings)),
        ),
    ),
    "contractor": (
        Habit(door="field-app", hour=6.8, hours=1.4, chance=0.78, weekend=0.20, gap_minutes=37, work=_ON_SITE),
        Habit(
            door="vendor-hub",
            hour=17.1,
            hours=0.6,
            chance=0.4,
            weekend=0.05,
            gap_minutes=21,
            work=(
                (5, vendor.send_invoice),
                (2, vendor.check_insurance),
                (1, vendor.ask_for_badge),
                (1, office.read_drawings),
            ),
        ),
    ),
    "support": (
        Habit(door="portal-web", hour=8.0, hours=3.4, chance=0.9, weekend=0.45, gap_minutes=27, work=_SUPPORTING),
        Habit(
            door="portal-web",
            hour=13.0,
            hours=3.2,
            chance=0.88,
            weekend=0.40,
            gap_minutes=29,
            work=_SUPPORTING,
        ),
    ),
    "platform_engineer": (
        Habit(door="portal-web", hour=9.3, hours=2.8, chance=0.9, weekend=0.08, gap_minutes=39, work=_PLATFORM),
        Habit(door="portal-web", hour=14.2, hours=3.0, chance=0.85, weekend=0.05, gap_minutes=45, work=_PLATFORM),
    ),
}

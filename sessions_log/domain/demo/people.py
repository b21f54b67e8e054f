"""The people of the demo world. All invented, all at example domains."""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

Role = Literal[
    "project_manager",
    "superintendent",
    "permit_coordinator",
    "finance",
    "payroll",
    "architect",
    "contractor",
    "support",
    "platform_engineer",
]

HOME_DOMAIN = "harborfork.example"

_ZONES = {
    "Chicago": "America/Chicago",
    "Austin": "America/Chicago",
    "Denver": "America/Denver",
    "Phoenix": "America/Phoenix",
    "Los Angeles": "America/Los_Angeles",
    "Portland": "America/Los_Angeles",
    "New York": "America/New_York",
    "Lisbon": "Europe/Lisbon",
    "Manila": "Asia/Manila",
}

# (name, city) of each role; contractors and architects work for another firm.
_STAFF: dict[Role, tuple[tuple[str, str], ...]] = {
    "project_manager": (
        ("Maren Okafor", "Chicago"),
        ("Tobias Lindqvist", "Denver"),
        ("Priya Raghunathan", "Austin"),
        ("Dashiell Moreau", "New York"),
        ("Yesenia Calder", "Los Angeles"),
        ("Kwame Brightwater", "Chicago"),
        ("Hollis Tran", "Phoenix"),
    ),
    "superintendent": (
        ("Rafa Quintanilla", "Austin"),
        ("Bo Szymanski", "Denver"),
        ("Leilani Akana", "Los Angeles"),
        ("Gus Petrakis", "New York"),
        ("Odalys Ferrer", "Phoenix"),
        ("Wendell Garrity", "Portland"),
        ("Ines Vasterling", "Chicago"),
    ),
    "permit_coordinator": (
        ("Noor Haddadin", "Chicago"),
        ("Camille Desrosiers", "New York"),
        ("Theo Nakagawa", "Los Angeles"),
        ("Brigid Fallon", "Denver"),
    ),
    "finance": (
        ("Ruth Abernethy", "Chicago"),
        ("Sunil Wickramage", "Chicago"),
        ("Margit Solberg", "Chicago"),
    ),
    "payroll": (("Dele Adeyinka", "Chicago"),),
    "support": (
        ("Althea Manalastas", "Manila"),
        ("Jomar Villaruel", "Manila"),
        ("Corinne Ashgrove", "Chicago"),
    ),
    "platform_engineer": (
        ("Filipa Noronha", "Lisbon"),
        ("Duarte Pestana", "Lisbon"),
        ("Graham Ostrowski", "Chicago"),
        ("Xiulan Feng", "Chicago"),
        ("Saoirse Kinnane", "New York"),
    ),
}

# (name, city, firm's domain, key of the firm in `vendors`; architects have none there)
_GUESTS: dict[Role, tuple[tuple[str, str, str, str], ...]] = {
    "architect": (
        ("Anouk Verhoeven", "New York", "ledgerstone-studio.example", ""),
        ("Julian Castellane", "New York", "ledgerstone-studio.example", ""),
        ("Mika Tervonen", "Chicago", "ledgerstone-studio.example", ""),
    ),
    "contractor": (
        ("Terrence Boatwright", "Chicago", "brasswick-mechanical.example", "V-0417"),
        ("Danica Horvat", "Chicago", "quillmark-electric.example", "V-0233"),
        ("Emeka Nwosu", "Austin", "saltmarsh-plumbing.example", "V-0508"),
        ("Pilar Montoya", "Phoenix", "ocotillo-concrete.example", "V-0391"),
        ("Curtis Wray", "Denver", "wray-and-sons-tile.example", "V-0126"),
        ("Hyun-woo Baek", "Los Angeles", "northlight-glazing.example", "V-0644"),
        ("Svetlana Orlov", "New York", "five-points-fire.example", "V-0702"),
        ("Manny Escobedo", "Phoenix", "copperline-refrigeration.example", "V-0355"),
        ("Joss Pemberton", "Portland", "tallgrass-millwork.example", "V-0579"),
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    user_id: str
    role: Role
    city: str
    zone: ZoneInfo
    vendor: str | None = None

    @property
    def is_staff(self) -> bool:
        return self.user_id.endswith("@" + HOME_DOMAIN)

    @property
    def account(self) -> str:
        return self.user_id.partition("@")[0]


def user_id(name: str, domain: str = HOME_DOMAIN) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}"


def everybody() -> tuple[Person, ...]:
    staff = [
        Person(name, user_id(name), role, city, ZoneInfo(_ZONES[city]))
        for role, named in _STAFF.items()
        for name, city in named
    ]
    guests = [
        Person(name, user_id(name, domain), role, city, ZoneInfo(_ZONES[city]), vendor or None)
        for role, named in _GUESTS.items()
        for name, city, domain, vendor in named
    ]
    return (*staff, *guests)


def of_role(people: tuple[Person, ...], role: Role) -> tuple[Person, ...]:
    return tuple(person for person in people if person.role == role)

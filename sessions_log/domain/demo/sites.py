"""The restaurants being built, with the papers each of them has."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sessions_log.domain.demo import catalogue
from sessions_log.domain.demo.devices import Desk, desk_of
from sessions_log.domain.demo.form import stream
from sessions_log.domain.demo.people import Person, everybody, of_role
from sessions_log.domain.demo.vendors import VENDORS, Vendor


@dataclass(frozen=True, slots=True)
class Paper:
    """Anything of a site that can be looked at or changed: a permit, a request, an invoice."""

    kind: str
    id: str
    title: str
    vendor: Vendor
    cents: int = 0

    @property
    def target(self) -> tuple[str, str]:
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class Site:
    number: int
    code: str
    name: str
    city: str
    phase: str
    papers: dict[str, tuple[Paper, ...]]

    @property
    def target(self) -> tuple[str, str]:
        return "site", self.code


@dataclass(frozen=True, slots=True)
class World:
    people: tuple[Person, ...]
    desks: dict[str, Desk]
    sites: tuple[Site, ...]
    sites_of: dict[str, tuple[Site, ...]]

    def the(self, name: str) -> Person:
        return next(person for person in self.people if person.name == name)


# (airport-like code, name, city)
_SITES = (
    ("aus-014", "Old Foundry", "Austin"),
    ("chi-031", "Lantern Row", "Chicago"),
    ("chi-033", "Union Depot", "Chicago"),
    ("den-009", "Larch & Ninth", "Denver"),
    ("den-011", "Cherry Yard", "Denver"),
    ("lax-022", "Cannery Point", "Los Angeles"),
    ("lax-025", "Sunset Arcade", "Los Angeles"),
    ("nyc-018", "Harbor Slip", "New York"),
    ("nyc-020", "Bridgewater Terminal", "New York"),
    ("phx-007", "Mesa Crossing", "Phoenix"),
    ("pdx-005", "Cedar Mill", "Portland"),
    ("aus-016", "Lakeline Pavilion", "Austin"),
)


def build_world(seed: int, year: int) -> World:
    """People, desks, sites and who works where; the same for a seed and a year."""
    rng = stream(seed, "world")
    people = everybody()
    desks = {person.user_id: desk_of(rng, person, number) for number, person in enumerate(people)}
    sites = tuple(_site(rng, number, year) for number in range(len(_SITES)))
    sites_of = {person.user_id: _sites_of(rng, person, sites) for person in people}
    return World(people, desks, sites, _with_owners(people, sites, sites_of))


def _sites_of(rng: Random, person: Person, sites: Sequence[Site]) -> tuple[Site, ...]:
    near = [site for site in sites if site.city == person.city]
    if person.role in ("project_manager", "superintendent") and near:
        return tuple(near)
    elsewhere = [site for site in sites if site.city != person.city]
    return (*near, *rng.sample(elsewhere, k=1 if person.role == "contractor" else 3))


def _with_owners(
    people: tuple[Person, ...], sites: Sequence[Site], sites_of: dict[str, tuple[Site, ...]]
) -> dict[str, tuple[Site, ...]]:
    """No site without a project manager: the spare ones go round."""
    managers = of_role(people, "project_manager")
    owned = {site.code for manager in managers for site in sites_of[manager.user_id]}
    shared = dict(sites_of)
    for place, site in enumerate(site for site in sites if site.code not in owned):
        manager = managers[place % len(managers)]
        shared[manager.user_id] = (*shared[manager.user_id], site)
    return shared


def _site(rng: Random, number: int, year: int) -> Site:
    code, name, city = _SITES[number]
    return Site(number, code, name, city, rng.choice(catalogue.PHASES), _papers(rng, number, code, year))


def _papers(rng: Random, number: int, code: str, year: int) -> dict[str, tuple[Paper, ...]]:
    base = f"{100 + number * 3}"
    made = [
        *(_permit(rng, prefix, title, year) for prefix, title in rng.sample(catalogue.PERMITS, k=7)),
        *(
            Paper("rfi", f"RFI-{base}-{place:03d}", title, _of_trade(rng, trade))
            for place, (title, trade) in enumerate(rng.sample(catalogue.RFIS, k=14), start=rng.randrange(1, 40))
        ),
        *(_change_order(rng, f"CO-{base}-{place:02d}") for place in range(1, 8)),
        *(
            Paper("inspection", f"INS-{rng.randrange(41000, 69999)}", title, _of_trade(rng, trade))
            for title, trade in rng.sample(catalogue.INSPECTIONS, k=9)
        ),
        *(
            Paper("drawing", f"{code}/{sheet}-r{rng.randrange(1, 9)}", title, rng.choice(VENDORS))
            for sheet, title in catalogue.DRAWINGS
        ),
        *(
            Paper("punch_item", f"PL-{base}-{rng.randrange(100, 999)}", title, _of_trade(rng, trade))
            for title, trade in rng.sample(catalogue.PUNCH_ITEMS, k=15)
        ),
        *(_invoice(rng) for _ in range(10)),
    ]
    kinds = dict.fromkeys(paper.kind for paper in made)
    return {kind: tuple(paper for paper in made if paper.kind == kind) for kind in kinds}


def _permit(rng: Random, prefix: str, title: str, year: int) -> Paper:
    return Paper("permit", f"{prefix}-{year}-{rng.randrange(1200, 9900):05d}", title, rng.choice(VENDORS))


def _change_order(rng: Random, paper_id: str) -> Paper:
    title, trade, least, most = rng.choice(catalogue.CHANGE_ORDERS)
    return Paper("change_order", paper_id, title, _of_trade(rng, trade), rng.randrange(least, most, 25))


def _invoice(rng: Random) -> Paper:
    vendor = rng.choice(VENDORS)
    title = f"Application for payment {rng.randrange(1, 12)}, {vendor.trade}"
    return Paper("invoice", f"INV-{rng.randrange(80211, 98760)}", title, vendor, rng.randrange(184_000, 9_640_000))


def _of_trade(rng: Random, trade: str) -> Vendor:
    of_it = [vendor for vendor in VENDORS if vendor.trade == trade]
    return rng.choice(of_it or VENDORS)

"""Builds the adapters of people and rights, once per process."""

from functools import cache

from compliance.adapters.people import PeopleRepository
from compliance.ports import Ports
from sessions_log import wiring as records


@cache
def ports() -> Ports:
    """What the commands need."""
    return Ports(people=PeopleRepository(), records=records.ports())

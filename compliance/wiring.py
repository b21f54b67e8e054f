"""Builds the adapters of people and rights, once per process."""

from functools import cache

from django.conf import settings

from compliance.adapters.people import PeopleRepository
from compliance.ports import Ports
from sessions_log import wiring as records


@cache
def ports() -> Ports:
    """What the commands need."""
    return Ports(people=PeopleRepository(), persons=records.persons(), records=records.ports())


def may_approve_on_console() -> bool:
    """Whether two names on the console may stand for an approval."""
    return bool(settings.IS_CONSOLE_APPROVAL)

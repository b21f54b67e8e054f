"""The officer's list, timed inside a process of the product: the queries behind the admin's page.

`python -m tests.perf.officer_pages` runs in the environment of a management command, reads what to ask as
JSON from its standard input and prints a list of `PageTimes` as JSON. An exact search is timed whole: finding
the value, then the page of what refers to it. Identities are opened, as for an officer who may see them.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import django

from tests.perf.lists import DEEP_PAGE, MOST_ROWS, PAGE_ROWS, PageTimes, page_figures

SIDE = "officer"
EXACT = ("userId", "sessionId", "ipAddress", "target")
OUTCOMES = {"success": 1, "failure": 2, "denied": 3}


def main() -> None:
    django.setup()
    asked = json.load(sys.stdin)
    found = pages(asked["organization"], asked["searches"], requests=asked["requests"])
    json.dump([asdict(times) for times in found], sys.stdout)


def pages(slug: str, asked: Sequence[Mapping[str, Any]], *, requests: int) -> Iterator[PageTimes]:
    """asked: title and values of each search, in the words of the API."""
    ask = asker(slug)
    for search in asked:
        values = search["values"]
        yield timed(search["title"], 1, [(value, {}) for value in values], ask, requests=requests)
        deep = [(value, edge) for value in values[:3] if (edge := edge_of_deep_page(value, ask))]
        if deep:
            yield timed(search["title"], DEEP_PAGE, deep, ask, requests=requests)


Ask = Callable[[Mapping[str, str], Mapping[str, Any]], Any]


def asker(slug: str) -> Ask:
    """What gives a page for the API's parameters and an edge. Imports wait until Django is set up."""
    from sessions_log import wiring
    from sessions_log.models import Organization
    from sessions_log.queries.exact_search import find_exactly
    from sessions_log.queries.session_logs import Search, SessionLogPage, session_log_page

    organization = Organization.objects.get(slug=slug)
    opener = wiring.opener(organization.uid, with_identities=True)

    def ask(values: Mapping[str, str], edge: Mapping[str, Any]) -> SessionLogPage:
        search = Search(organization_id=organization.pk, **filters(values), **edge)
        exact = [values[name] for name in EXACT if name in values]
        if not exact:
            return session_log_page(search, opener)
        found = find_exactly(organization.pk, exact[0], opener)
        if not found:
            return SessionLogPage([], False, False)
        return session_log_page(replace(search, reference=(found[0].kind, found[0].id)), opener)

    return ask


def filters(values: Mapping[str, str]) -> dict[str, Any]:
    """The API's parameters as fields of the query's search."""
    given: dict[str, Any] = {name: values[name] for name in ("action", "service") if name in values}
    if "outcome" in values:
        given["outcome"] = OUTCOMES[values["outcome"]]
    if "sensitive" in values:
        given["sensitive"] = values["sensitive"] == "true"
    for name, parameter in (("start", "from"), ("end", "to")):
        if parameter in values:
            given[name] = datetime.fromisoformat(values[parameter])
    return given


def edge_of_deep_page(values: Mapping[str, str], ask: Ask) -> dict[str, Any] | None:
    """The edge before the 1,000th page, reached in large steps; None where there are not as many rows."""
    edge: dict[str, Any] = {}
    left = (DEEP_PAGE - 1) * PAGE_ROWS
    while left > 0:
        step = min(left, MOST_ROWS)
        page = ask(values, edge | {"limit": step})
        if not page.has_older:
            return None
        edge = {"before": page.rows[-1].id}
        left -= step
    return edge


def timed(
    title: str,
    page: int,
    asked: Sequence[tuple[Mapping[str, str], Mapping[str, Any]]],
    ask: Ask,
    *,
    requests: int,
) -> PageTimes:
    ask(*asked[0])
    rows, times_ms = [], []
    for n in range(requests):
        begun = time.perf_counter()
        answer = ask(*asked[n % len(asked)])
        times_ms.append((time.perf_counter() - begun) * 1000)
        rows.append(len(answer.rows))
    return page_figures(SIDE, title, page, rows, times_ms)


if __name__ == "__main__":
    main()

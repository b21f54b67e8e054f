"""How quickly a page of the list comes: every filter and search, the first page and the 1,000th."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.perf.population import MACHINE, MACHINE_SESSION, user
from tests.perf.product import Product, environment
from tests.perf.rates import percentile
from tests.perf.sides import ROOT, Side

PAGE_ROWS = 50
DEEP_PAGE = 1_000
MOST_ROWS = 500
PATH = "/api/v1/session-logs"
TWO_VALUES = "busy user and another's address"


@dataclass(frozen=True, slots=True)
class Search:
    """One filter or search, by several values that are alike; requests take turns with them."""

    title: str
    values: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTimes:
    side: str
    search: str
    page: int
    requests: int
    rows: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Values to search for, taken from the records that were stored."""

    sessions: Sequence[str]
    rare_users: Sequence[str]
    addresses: Sequence[str]
    rare_addresses: Sequence[str]
    targets: Sequence[str]
    rare_targets: Sequence[str]
    hours: Sequence[tuple[str, str]]
    week: tuple[str, str]


def searches(sample: Sample) -> list[Search]:
    """Selective, unselective and without a hit; then those that meet an index from its worst side."""
    some_users = [user(rank) for rank in range(20, 40)]
    return [
        Search("all", [{}]),
        Search("user, 12 % of all", [{"userId": MACHINE}]),
        Search("user, usual", each("userId", some_users)),
        Search("user, few entries", each("userId", sample.rare_users)),
        Search("user, unknown", each("userId", [f"nobody-{n}" for n in range(20)])),
        Search("session, 12 % of all", [{"sessionId": MACHINE_SESSION}]),
        Search("session, usual", each("sessionId", sample.sessions)),
        Search("session, unknown", each("sessionId", [f"none-{n}" for n in range(20)])),
        Search("address, usual", each("ipAddress", sample.addresses)),
        Search("address, few entries", each("ipAddress", sample.rare_addresses)),
        Search("address, unknown", each("ipAddress", [f"203.0.113.{n}" for n in range(20)])),
        Search("target, usual", each("target", sample.targets)),
        Search("target, few entries", each("target", sample.rare_targets)),
        Search("target, unknown", each("target", [f"iam:none-{n}" for n in range(20)])),
        Search("action, 64 % of all", [{"action": "record.view"}]),
        Search("action, 7 %", [{"action": "record.delete"}]),
        Search("action, 0.1 %", [{"action": "auth.login"}]),
        Search("action, none", [{"action": "custom.never"}, {"action": "role.delete"}]),
        Search("outcome success", [{"outcome": "success"}]),
        Search("outcome failure, 8 %", [{"outcome": "failure"}]),
        Search("outcome denied, 2 %", [{"outcome": "denied"}]),
        Search("sensitive", [{"sensitive": "true"}]),
        Search("not sensitive", [{"sensitive": "false"}]),
        Search("one hour", [{"from": begin, "to": end} for begin, end in sample.hours]),
        Search("one week", [{"from": sample.week[0], "to": sample.week[1]}]),
        Search("a time before all", [{"to": "2001-01-01T00:00:00Z"}]),
        Search("user and outcome", [{"userId": name, "outcome": "failure"} for name in some_users]),
        Search("user and rare action", [{"userId": name, "action": "auth.login"} for name in some_users]),
        Search("busy user and rare action", [{"userId": user(0), "action": "auth.login"}]),
        Search("busy user and action, no hit", [{"userId": MACHINE, "action": "role.delete"}]),
        Search(TWO_VALUES, [{"userId": MACHINE, "ipAddress": sample.addresses[0]}]),
        Search("denied and sensitive", [{"outcome": "denied", "sensitive": "true"}]),
        Search("rare action and denied", [{"action": "auth.login", "outcome": "denied"}]),
        Search("frequent action, failed, one week", [week_of_failures(sample.week)]),
    ]


def service_searches(product: Product) -> list[Search]:
    """The filter that only the officer's list has."""
    with product.connect() as connection:
        rows = connection.execute(
            "SELECT name FROM sessions_log_service WHERE organization_id = %s ORDER BY name",
            (product.organization_id,),
        ).fetchall()
    return [Search(f"service {name}", [{"service": name}]) for (name,) in rows]


def each(name: str, values: Sequence[str]) -> list[dict[str, str]]:
    return [{name: value} for value in values]


def week_of_failures(week: tuple[str, str]) -> dict[str, str]:
    return {"action": "record.view", "outcome": "failure", "from": week[0], "to": week[1]}


class Pages:
    """The list of one side over one keep-alive connection."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=120)

    def get(self, url: str) -> tuple[dict[str, Any], float]:
        """The page and the milliseconds it took. Raises LookupError where the answer is not 200."""
        begun = time.perf_counter()
        self.connection.request("GET", url, headers={"Authorization": f"Bearer {self.side.key}"})
        response = self.connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - begun) * 1000
        if response.status != http.client.OK:
            raise LookupError(f"{self.side.name} answered {response.status} to {url}")
        return json.loads(body), took_ms

    def deep_url(self, params: dict[str, str]) -> str | None:
        """Where the 1,000th page is, found by following `next` in large steps; None where there is none."""
        url: str | None = page_url(params, limit=MOST_ROWS)
        left = (DEEP_PAGE - 1) * PAGE_ROWS
        while url is not None and left > 0:
            step = min(left, MOST_ROWS)
            url = self.get(with_limit(url, step))[0]["next"]
            left -= step
        return with_limit(url, PAGE_ROWS) if url else None


def page_times(side: Side, asked: Sequence[Search], *, requests: int) -> Iterator[PageTimes]:
    """Time the first page of each search and, where it has as many, the 1,000th."""
    pages = Pages(side)
    for search in asked:
        first = [page_url(values, limit=PAGE_ROWS) for values in search.values]
        yield timed(pages, search.title, 1, first, requests=requests)
        deep = [url for values in search.values[:3] if (url := pages.deep_url(values))]
        if deep:
            yield timed(pages, search.title, DEEP_PAGE, deep, requests=requests)


def timed(pages: Pages, title: str, page: int, urls: Sequence[str], *, requests: int) -> PageTimes:
    pages.get(urls[0])
    answers = [pages.get(urls[n % len(urls)]) for n in range(requests)]
    return page_figures(
        pages.side.name,
        title,
        page,
        [len(answer["results"]) for answer, _ in answers],
        [ms for _, ms in answers],
    )


def page_figures(side: str, title: str, page: int, rows: Sequence[int], times_ms: Sequence[float]) -> PageTimes:
    return PageTimes(
        side=side,
        search=title,
        page=page,
        requests=len(times_ms),
        rows=max(rows),
        p50_ms=percentile(times_ms, 50),
        p99_ms=percentile(times_ms, 99),
    )


def officer_page_times(product: Product, asked: Sequence[Search], *, requests: int) -> list[PageTimes]:
    """The same for the queries behind the officer's list, in a process of the product."""
    question = {
        "organization": product.organization,
        "requests": requests,
        # The officer's search takes one exact value; the API takes several.
        "searches": [asdict(search) for search in asked if search.title != TWO_VALUES],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.perf.officer_pages"],
        cwd=ROOT,
        env=environment(product.home) | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        input=json.dumps(question),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [PageTimes(**times) for times in json.loads(done.stdout)]


def page_url(params: dict[str, str], *, limit: int) -> str:
    return f"{PATH}?{urlencode(params | {'limit': str(limit)})}"


def with_limit(url: str, limit: int) -> str:
    """The same page with another number of rows; without scheme and host."""
    parts = urlsplit(url)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | {'limit': str(limit)})}"

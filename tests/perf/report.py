"""The figures as Markdown tables, and what they should reach."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.perf.lists import PageTimes
from tests.perf.rates import Rates
from tests.perf.shape import Scenario
from tests.perf.size import Sizes

MOST_MS = 100.0
MOST_SIZE = 0.6
MOST_FALL = 0.15
ORDER = ("product", "officer", "baseline")
# Records a request: how many times the baseline's rate must be accepted, and recorded.
TARGETS = {1: (4.0, None), 500: (8.0, 5.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One verification of a whole ledger: with which options, how many entries, how long."""

    options: str
    entries: int
    seconds: float


@dataclass(slots=True, kw_only=True)
class Report:
    """All that one run measured; what was left out is empty."""

    machine: dict[str, str]
    seconds: float
    measured_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rates: list[tuple[Scenario, list[Rates]]] = field(default_factory=list)
    tree: list[Rates] = field(default_factory=list)
    entries: int = 0
    pages: list[PageTimes] = field(default_factory=list)
    sizes: Sizes | None = None
    verified: list[Verified] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "measured_at": self.measured_at.isoformat(timespec="seconds"),
            "machine": self.machine,
            "seconds": self.seconds,
            "rates": [
                {"scenario": asdict(scenario), "sides": [asdict(side) for side in sides]}
                for scenario, sides in self.rates
            ],
            "tree": [asdict(side) for side in self.tree],
            "entries": self.entries,
            "pages": [asdict(page) for page in self.pages],
            "verified": [asdict(one) for one in self.verified],
            "sizes": asdict(self.sizes) | {"ratio": self.sizes.ratio} if self.sizes else None,
        }

    def as_markdown(self) -> str:
        parts = [table(("machine", ""), self.machine.items())]
        if self.rates:
            parts += ["## Intake", rates_table(self.rates), ratios_table(self.rates)]
        if self.tree:
            parts += ["## The ledger's tree", tree_table(self.tree)]
        if self.pages:
            parts += [f"## List pages at {self.entries:,} entries", pages_table(self.pages)]
        if self.sizes:
            parts += ["## Size on disk", sizes_table(self.sizes)]
        if self.verified:
            parts += ["## Verification of the ledger", verified_table(self.verified)]
        return "\n\n".join(parts)


def verified_table(verified: Sequence[Verified]) -> str:
    head = ("command", "entries", "seconds")
    return table(head, ((f"verify {one.options}", f"{one.entries:,}", f"{one.seconds:.1f}") for one in verified))


def rates_table(measured: Sequence[tuple[Scenario, list[Rates]]]) -> str:
    head = (
        *("scenario", "side", "accepted/s", "recorded/s", "p50 ms", "p99 ms"),
        *("records", "lost", "errors", "halves, accepted/s"),
    )
    return table(head, (rates_row(scenario, side) for scenario, sides in measured for side in sides))


def rates_row(scenario: Scenario, side: Rates) -> Sequence[str]:
    return (
        scenario.title,
        side.side,
        f"{side.accepted_rate:,.0f}",
        f"{side.recorded_rate:,.0f}",
        f"{side.p50_ms:.1f}",
        f"{side.p99_ms:.1f}",
        f"{side.acknowledged:,}",
        str(side.lost),
        ", ".join(f"{kind}: {times}" for kind, times in side.errors.items()) or "0",
        " · ".join(f"{rate:,.0f}" for rate in side.half_rates),
    )


def tree_table(sides: Sequence[Rates]) -> str:
    bare, whole = sides
    falls = 1 - whole.recorded_rate / bare.recorded_rate
    verdict = "reached" if falls < MOST_FALL else "missed"
    rows = [(side.side, f"{side.accepted_rate:,.0f}", f"{side.recorded_rate:,.0f}") for side in sides]
    return table(
        ("500 records a request", "accepted/s", "recorded/s"),
        [*rows, ("recorded falls by", "", f"{falls:.1%} (target below {MOST_FALL:.0%}: {verdict})")],
    )


def ratios_table(measured: Sequence[tuple[Scenario, list[Rates]]]) -> str:
    rows = []
    for scenario, sides in measured:
        by_name = {side.side: side for side in sides}
        if len(by_name) < 2:
            continue
        product, baseline = by_name["product"], by_name["baseline"]
        accepted, recorded = TARGETS.get(scenario.records_per_request, (None, None))
        rows.append(
            (
                scenario.title,
                against(product.accepted_rate / baseline.accepted_rate, accepted),
                against(product.recorded_rate / baseline.recorded_rate, recorded),
            )
        )
    return table(("product over baseline", "accepted", "recorded"), rows)


def against(ratio: float, target: float | None) -> str:
    """The ratio, and whether it reaches its target."""
    if target is None:
        return f"{ratio:.1f}"
    return f"{ratio:.1f} (target {target:g}: {'reached' if ratio >= target else 'missed'})"


def pages_table(pages: Sequence[PageTimes]) -> str:
    """One row for each search, with first and 1,000th page side by side, the sides in ORDER."""
    by_search: dict[str, dict[tuple[str, int], PageTimes]] = {}
    for page in pages:
        by_search.setdefault(page.search, {})[page.side, page.page] = page
    columns = sorted({(page.side, page.page) for page in pages}, key=lambda column: (ORDER.index(column[0]), column[1]))
    head = ("search", "rows", *(f"{side}, page {page:,}: p50 / p99 ms" for side, page in columns))
    return table(head, (pages_row(title, found, columns) for title, found in by_search.items()))


def pages_row(title: str, found: dict[tuple[str, int], PageTimes], columns: Sequence[tuple[str, int]]) -> Sequence[str]:
    rows = max(page.rows for page in found.values())
    return (title, str(rows), *(times(found.get(column)) for column in columns))


def times(page: PageTimes | None) -> str:
    if page is None:
        return "-"
    late = page.side != "baseline" and page.p99_ms > MOST_MS
    return f"{page.p50_ms:.1f} / {page.p99_ms:.1f}{' **over**' if late else ''}"


def sizes_table(sizes: Sizes) -> str:
    product, baseline = sum(sizes.product.values()), sum(sizes.baseline.values())
    verdict = "reached" if sizes.ratio <= MOST_SIZE else "missed"
    rows = [
        *((f"product: {title}", f"{size:.1f}") for title, size in sizes.product.items()),
        ("**product**", f"**{product:.1f}**"),
        *((f"baseline: {title}", f"{size:.1f}") for title, size in sizes.baseline.items()),
        ("**baseline**", f"**{baseline:.1f}**"),
        ("**ratio**", f"**{sizes.ratio:.2f}** (target {MOST_SIZE}: {verdict})"),
        *((f"beside, not counted: {title}", f"{size:.1f}") for title, size in sizes.besides.items()),
    ]
    return table(("bytes an entry", f"{sizes.entries:,} entries"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

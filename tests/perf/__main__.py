"""`make bench`: rates, list pages and size of the product beside the classic baseline, in one run."""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.supervisor.postgres import SUPERUSER, embedded_postgres
from sessions_log.domain.demo import demo_records
from tests.perf.fill import fill_baseline, fill_product, write_population
from tests.perf.lists import officer_page_times, page_times, searches, service_searches
from tests.perf.machine import machine
from tests.perf.population import line
from tests.perf.product import Product, running_product
from tests.perf.rates import generate, scenario_rates
from tests.perf.report import Report, Verified
from tests.perf.shape import SCENARIOS, Scenario
from tests.perf.sides import ROOT, Server, Side, running_baseline
from tests.perf.size import sizes
from tests.perf.without_tree import without_tree

REAL_RECORDS = ROOT.parent / "shared/data/real/session_events.ndjson"
PARTS = ("http", "tree", "lists", "size", "verify")
# The parts that need a month of records on both sides.
OF_A_MONTH = {"lists", "size", "verify"}
ENTRIES, QUICK_ENTRIES = 1_000_000, 20_000
REQUESTS, QUICK_REQUESTS = 200, 20
QUICK_SECONDS = 4.0


def main() -> None:
    options = parsed()
    parts = [options.only] if options.only else list(PARTS)
    report = Report(machine={}, seconds=QUICK_SECONDS if options.quick else options.seconds)
    with scratch_folder() as folder:
        records_file = folder / "records.ndjson"
        records_file.write_bytes(source_records(options.records))
        if "http" in parts:
            measure_rates(report, folder, records_file, baseline_only=options.baseline_only)
        if "tree" in parts and not options.baseline_only:
            measure_the_tree(report, folder, records_file)
        if OF_A_MONTH & set(parts) and not options.baseline_only:
            measure_a_month(report, folder, records_file, parts, is_quick=options.quick)
    print(report.as_markdown())
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each side of each scenario")
    parser.add_argument("--quick", action="store_true", help="whether all works, in a few minutes; no figures")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--baseline-only", action="store_true", help="rates of the baseline, no product")
    parser.add_argument("--records", type=Path, default=REAL_RECORDS, help="NDJSON in the wire form")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all figures there too")
    return parser.parse_args()


def source_records(path: Path) -> bytes:
    """The file's lines, or the demo's fortnight where there is no file."""
    if path.exists():
        return path.read_bytes()
    say(f"{path} is not there: records of the demo are used")
    until = datetime.now(UTC)
    return b"".join(line(dict(record)) for _, record in demo_records(until=until, seed=1))


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account may pass through; removed unless something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    except BaseException:
        say(f"logs are kept in {folder}")
        raise
    shutil.rmtree(folder)


def measure_rates(report: Report, folder: Path, records_file: Path, *, baseline_only: bool) -> None:
    """Each scenario, the sides taking turns."""
    with contextlib.ExitStack() as stack:
        sides: list[Side] = []
        if baseline_only:
            embedded = stack.enter_context(embedded_postgres())
            server = Server(embedded.port, SUPERUSER, embedded.secrets.role_password(SUPERUSER))
        else:
            product = stack.enter_context(running_product(folder / "http"))
            server = product.server
            sides.append(product)
        sides.insert(0, stack.enter_context(running_baseline(server, folder)))
        report.machine = machine(server)
        for scenario in SCENARIOS:
            say(scenario.title)
            measured = scenario_rates(scenario, sides, server=server, seconds=report.seconds, records_file=records_file)
            report.rates.append((scenario, measured))


def measure_the_tree(report: Report, folder: Path, records_file: Path) -> None:
    """The largest requests recorded with the ledger's tree and without it, taking turns."""
    with running_product(folder / "tree") as product, running_product(folder / "no-tree") as other:
        report.machine = report.machine or machine(product.server)
        with without_tree(other, folder / "without-tree.log") as bare:
            say("with the ledger's tree and without")
            report.tree = scenario_rates(
                SCENARIOS[-1], [bare, product], server=product.server, seconds=report.seconds, records_file=records_file
            )


def measure_a_month(report: Report, folder: Path, records_file: Path, parts: Sequence[str], *, is_quick: bool) -> None:
    """Fill both sides with the same month of records, then weigh them and time the list pages."""
    templates: list[dict[str, Any]] = [json.loads(text) for text in records_file.read_bytes().splitlines()]
    report.entries = QUICK_ENTRIES if is_quick else ENTRIES
    path = folder / "month.ndjson"
    say(f"making {report.entries:,} records")
    sample = write_population(path, entries=report.entries, templates=templates)
    with running_product(folder / "month") as product, running_baseline(product.server, folder) as baseline:
        report.machine = machine(product.server)
        say("importing them")
        say(str(fill_product(product, path)))
        fill_baseline(baseline, path)
        measured = sizes(product, baseline)
        if "size" in parts:
            report.sizes = measured
        if "verify" in parts:
            report.verified = [verified(product, *depth) for depth in ((), ("--open",))]
        if "lists" in parts:
            requests = QUICK_REQUESTS if is_quick else REQUESTS
            asked = searches(sample)
            # The file came in under the importer's service; a few records of another make a rare one.
            generate(Scenario(1, 4), product, seconds=1.0, records_file=records_file)
            product.wait_until_recorded()
            for side in (product, baseline):
                say(f"list pages of the {side.name}")
                report.pages += page_times(side, asked, requests=requests)
            report.pages += officer_page_times(product, [*asked, *service_searches(product)], requests=requests)


def verified(product: Product, *options: str) -> Verified:
    """How long the ledger's verification takes. Raises CalledProcessError where anything is wrong with it."""
    say(f"verify {' '.join(options)}")
    begun = time.monotonic()
    told = json.loads(product.manage("verify", "--organization", product.organization, *options))
    return Verified(options=" ".join(options), entries=told["entries"], seconds=time.monotonic() - begun)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

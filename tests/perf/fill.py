"""The same month of records into both sides, and values to search them by."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from tests.perf.lists import Sample
from tests.perf.population import DAYS, Population, line
from tests.perf.product import Product
from tests.perf.sides import CLASSIC_DATABASE, Baseline, one

VALUES = 20
FEW = range(1, 6)
CLASSIC_COLUMNS = (
    "id",
    "organization_id",
    "service_id",
    "client_id",
    "user_id",
    "session_id",
    "timestamp",
    "recorded_at",
    "action",
    "outcome",
    "sensitive",
    "target_type",
    "target_id",
    "ip_address",
    "user_agent",
    "ai_model_used",
    "trace_id",
    "metadata",
)


def write_population(path: Path, *, entries: int, templates: Sequence[dict[str, Any]]) -> Sample:
    """Write the records as NDJSON, oldest first; gives values that occur in them."""
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    seen: dict[str, Counter[str]] = {name: Counter() for name in ("user", "session", "address", "target")}
    with path.open("wb") as lines:
        for record in Population(templates=templates, entries=entries, end=end).records():
            lines.write(line(record))
            seen["user"][record["userId"]] += 1
            seen["session"][record["sessionId"]] += 1
            seen["address"][record["ipAddress"]] += 1
            if "target" in record:
                seen["target"]["{type}:{id}".format_map(record["target"])] += 1
    hours = [end - timedelta(days=day, hours=5) for day in range(1, VALUES + 1)]
    return Sample(
        sessions=usual(seen["session"]),
        rare_users=rare(seen["user"]),
        addresses=usual(seen["address"]),
        rare_addresses=rare(seen["address"]),
        targets=usual(seen["target"]),
        rare_targets=rare(seen["target"]),
        hours=[(moment(hour), moment(hour + timedelta(hours=1))) for hour in hours],
        week=(moment(end - timedelta(days=DAYS - 7)), moment(end - timedelta(days=DAYS - 14))),
    )


def usual(counts: Counter[str]) -> list[str]:
    """Values from the upper end, past the very top ones."""
    return [value for value, _ in counts.most_common(10 + VALUES)[10:]]


def rare(counts: Counter[str]) -> list[str]:
    """Values that occur once to five times, or the rarest there are."""
    found = [value for value, times in counts.items() if times in FEW][:VALUES]
    return found or [value for value, _ in counts.most_common()[-VALUES:]]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def fill_product(product: Product, path: Path) -> dict[str, Any]:
    """Import the file through the product's own intake and wait for followers; gives its totals."""
    totals = product.manage(
        "import_records",
        *("--organization", product.organization, "--kind", "session-log", "--history", str(path)),
    )
    product.wait_until_recorded()
    decoded: dict[str, Any] = json.loads(totals)
    return decoded


def fill_baseline(baseline: Baseline, path: Path) -> None:
    """COPY the file's rows, with the indexes in place, in the order in which they would have come."""
    with baseline.server.connect(CLASSIC_DATABASE) as connection, path.open("rb") as lines:
        organization = one(connection, "SELECT id FROM activity_organization")
        service = one(connection, "SELECT id FROM activity_service")
        command = f"COPY activity_sessionlog ({', '.join(CLASSIC_COLUMNS)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            for row in classic_rows(lines):
                copy.write_row((uuid4(), organization, service, *row))


def classic_rows(lines: Iterable[bytes]) -> Iterable[tuple[object, ...]]:
    for encoded in lines:
        record = json.loads(encoded)
        target = record.get("target", {"type": "", "id": ""})
        yield (
            record["id"],
            record["userId"],
            record["sessionId"],
            record["timestamp"],
            record["timestamp"],
            record["action"],
            record["outcome"],
            record["sensitive"],
            target["type"],
            target["id"],
            record["ipAddress"],
            record["userAgent"],
            "",
            "",
            Jsonb(record["metadata"]),
        )

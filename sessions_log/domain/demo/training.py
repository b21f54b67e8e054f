"""Synthetic records to train the compression dictionary on, which holds pieces of them in the clear."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count as numbers

from sessions_log.domain.demo.cloud_trails import cloud_record
from sessions_log.domain.demo.form import stream
from sessions_log.domain.demo.platform_trails import platform_record
from sessions_log.domain.demo.records import demo_records

# Fixed, so that the dictionary of a version can be made again.
_UNTIL = datetime(2026, 3, 2, 18, tzinfo=UTC)


def training_parts(count: int, seed: int) -> Iterator[dict[str, object]]:
    """`count` records in wire form: every other one of the demo world, the rest like usual audit logs.

    Of these, two in three are cloud trails, the others web, cluster, code host, sign-in and AI logs.
    """
    rng = stream(seed, "training")
    world = _world(seed)
    for number in range(count):
        if number % 2 == 0:
            yield next(world)
        elif number % 6 == 5:
            yield platform_record(rng)
        else:
            yield cloud_record(rng)


def _world(seed: int) -> Iterator[dict[str, object]]:
    """Demo records without end, picked from all over each fortnight rather than from its first days."""
    for fortnight in numbers():
        records = [record for _, record in demo_records(until=_UNTIL, seed=seed + fortnight)]
        stream(seed + fortnight, "shuffle").shuffle(records)
        yield from records

"""Who checks the parts of a ledger: this process, or several."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol

from sessions_log.adapters.ledger_reading import PartReader, Place
from sessions_log.domain.references import ADDRESS, SESSION, SUBJECT, TARGET
from sessions_log.domain.verification.leaves import CheckedPart, Part
from sessions_log.domain.verification.results import Fault

_TABLES = (SUBJECT, SESSION, TARGET, ADDRESS)


class Checkers(Protocol):
    """Whoever checks."""

    def parts(self, parts: Iterable[Part]) -> Iterator[CheckedPart]:
        """The parts, checked, in their order."""

    def references(self) -> Iterator[list[Fault]]:
        """What is wrong with subjects, sessions, targets and addresses, table by table."""


@contextmanager
def checkers(place: Place, processes: int) -> Iterator[Checkers]:
    """Checkers for the length of the context: 1 for this process alone."""
    if processes == 1:
        reader = PartReader(place)
        try:
            yield _Here(reader)
        finally:
            reader.close()
        return
    # Not forked: connections and threads of this process are none of theirs.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (place,)) as pool:
        try:
            yield _Beside(pool, processes)
        finally:
            pool.shutdown(cancel_futures=True)


class _Here:
    def __init__(self, reader: PartReader) -> None:
        self._reader = reader

    def parts(self, parts: Iterable[Part]) -> Iterator[CheckedPart]:
        return map(self._reader.check, parts)

    def references(self) -> Iterator[list[Fault]]:
        return map(self._reader.reference_faults, _TABLES)


class _Beside:
    """A few parts are under way at any time, so that what waits for its turn does not pile up."""

    def __init__(self, pool: ProcessPoolExecutor, processes: int) -> None:
        self._pool = pool
        self._most = 2 * processes

    def parts(self, parts: Iterable[Part]) -> Iterator[CheckedPart]:
        under_way: deque[Future[CheckedPart]] = deque()
        for part in parts:
            under_way.append(self._pool.submit(_check, part))
            if len(under_way) >= self._most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def references(self) -> Iterator[list[Fault]]:
        return self._pool.map(_reference_faults, _TABLES)


_readers: list[PartReader] = []  # of a process that checks parts: its one


def _begin(place: Place) -> None:
    _readers.append(PartReader(place))


def _check(part: Part) -> CheckedPart:
    return _readers[0].check(part)


def _reference_faults(table: str) -> list[Fault]:
    return _readers[0].reference_faults(table)

"""`manage.py run_recorder`: the process that makes entries of what lies in the inbox."""

import argparse
import logging
import signal
import threading
import time
from typing import Any

import psycopg
from django.core.management import BaseCommand
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.completeness import Completeness
from sessions_log.commands.recording import Recorder
from sessions_log.commands.referring import SubjectGone
from sessions_log.management.process import spare_the_collector, yield_to_the_web
from sessions_log.ports import (
    EntriesRefused,
    HeadRefused,
    KeyDestroyed,
    KeyringUnavailable,
    MissingMonths,
    ShardTaken,
)

_log = logging.getLogger("muniment.recorder")
POLL_S = 0.02
WORTH_A_BATCH = 1000
PAUSE_S = 0.5
CHECKPOINTS_EVERY_S = 2.0
STATEMENTS_EVERY_S = 10.0


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; a batch that has begun is finished first."""

    help = "Record what services sent: the process between the inbox and the entries. One per shard."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which shard."""
        parser.add_argument("--shard", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record until told to stop."""
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        store = wiring.recorder_store(options["shard"])
        recorder = Recorder(store, wiring.keyring())
        statements = _Statements(wiring.completeness(store))
        checkpoints = _Checkpoints(wiring.checkpointer(store, options["shard"]))
        spare_the_collector()
        yield_to_the_web()
        _log.info("recorder started", extra={"shard": options["shard"]})
        while not stop.is_set():
            pause_s = _one_round(recorder, store)
            statements.make_when_due()
            checkpoints.publish_when_due()
            stop.wait(pause_s)
        store.close()
        _log.info("recorder stopped", extra={"shard": options["shard"]})


class _Statements:
    """Makes digests and gap statements between batches, a few at a time. What keeps them back is never recording's."""

    def __init__(self, completeness: Completeness) -> None:
        self._completeness = completeness
        self._next_at = 0.0

    def make_when_due(self) -> None:
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + STATEMENTS_EVERY_S
        try:
            if self._completeness.state(timezone.now()):
                self._next_at = 0.0  # after the next batch, so that many ledgers do not hold it up
        except EntriesRefused:
            _log.error("a ledger takes no statement: `manage.py verify` tells which and why")
        except (psycopg.Error, ShardTaken) as error:
            _log.warning("statements wait (%s)", type(error).__name__)


class _Checkpoints:
    """Publishes checkpoints between batches. What keeps them back never keeps recording back; it is a finding."""

    def __init__(self, checkpointer: Checkpointer) -> None:
        self._checkpointer = checkpointer
        self._next_at = 0.0

    def publish_when_due(self) -> None:
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + CHECKPOINTS_EVERY_S
        try:
            self._checkpointer.publish(timezone.now())
        except HeadRefused:
            _log.error("a checkpoint is refused: the signer knows a larger ledger, or another of that size")
        except (psycopg.Error, KeyringUnavailable, KeyDestroyed, ShardTaken) as error:
            _log.warning("checkpoints wait (%s)", type(error).__name__)


def _one_round(recorder: Recorder, store: wiring.RecorderStorage) -> float:
    """Record a batch. Returns how long to wait before the next, in seconds."""
    try:
        # After a small batch the next may gather: a transaction has its own cost.
        return POLL_S if recorder.record_batch(timezone.now()) < WORTH_A_BATCH else 0.0
    except MissingMonths as missing:
        return _make_months(store, missing)
    except ShardTaken:
        return PAUSE_S
    except (psycopg.Error, EntriesRefused, KeyringUnavailable, SubjectGone) as error:
        _log.warning("recording waits (%s)", type(error).__name__)
        return PAUSE_S


def _make_months(store: wiring.RecorderStorage, missing: MissingMonths) -> float:
    try:
        store.make_months(missing.months)
    except psycopg.Error as error:
        _log.error("a month has no partition, and none can be made (%s)", type(error).__name__)
        return PAUSE_S
    return 0.0

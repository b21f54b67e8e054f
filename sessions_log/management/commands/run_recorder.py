"""`manage.py run_recorder`: the process that makes entries of what lies in the inbox."""

import argparse
import logging
import signal
import threading
from typing import Any

import psycopg
from django.core.management import BaseCommand
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.recording import Recorder
from sessions_log.commands.referring import SubjectGone
from sessions_log.management.process import spare_the_collector, yield_to_the_web
from sessions_log.ports import EntriesRefused, KeyringUnavailable, MissingMonths, ShardTaken

_log = logging.getLogger("muniment.recorder")
POLL_S = 0.02
WORTH_A_BATCH = 1000
PAUSE_S = 0.5


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
        spare_the_collector()
        yield_to_the_web()
        _log.info("recorder started", extra={"shard": options["shard"]})
        while not stop.is_set():
            stop.wait(_one_round(recorder, store))
        store.close()
        _log.info("recorder stopped", extra={"shard": options["shard"]})


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

"""`manage.py run_followers`: the process that keeps the read models."""

import logging
import signal
import threading
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import BaseCommand
from django.db import DatabaseError, InterfaceError, connection

from sessions_log import wiring
from sessions_log.followers.reading import Follower, follow, load
from sessions_log.management.process import yield_to_the_web
from sessions_log.queries.shards import shards

_log = logging.getLogger("muniment.follower")
LISTEN_S = 1.0
GATHER_S = 0.1
PAUSE_S = 0.5


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; woken by the recorder's NOTIFY, and once a second without one."""

    help = "Keep the read models: counters, sessions and whatever else settings name in FOLLOWERS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Follow until told to stop."""
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        yield_to_the_web()
        followers = load(settings.FOLLOWERS)
        _log.info("followers started")
        while not stop.is_set():
            try:
                _follow_until(stop, followers)
            except (psycopg.Error, DatabaseError, InterfaceError) as error:
                _log.warning("following waits (%s)", type(error).__name__)
                connection.close()  # Django keeps a broken one until somebody closes it
                stop.wait(PAUSE_S)
        _log.info("followers stopped")


def _follow_until(stop: threading.Event, followers: list[Follower]) -> None:
    """Follow on one listening connection until it breaks or the process is to stop."""
    with wiring.batch_announcements() as announced:
        while not stop.is_set():
            applied = sum([follow(follower, shard) for shard in shards() for follower in followers])
            if applied:
                stop.wait(GATHER_S)  # what comes meanwhile is applied together
            else:
                announced.wait(LISTEN_S)

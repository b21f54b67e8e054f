"""The Celery app: `celery -q -A config worker` and `celery -q -A config beat`."""

import logging
import logging.config
import os

from celery import Celery
from celery.apps import worker
from celery.signals import beat_init, setup_logging, worker_ready
from django.conf import settings

from config.start import refusals_in_words

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery makes handlers of its own unless somebody answers this signal.

    What a worker says when it is told to stop goes past all logging: that it does not say.
    """
    worker.safe_say = _say_nothing  # type: ignore[attr-defined]  # the stubs leave it out


def _say_nothing(*_: object) -> None:
    pass


@worker_ready.connect
def say_that_the_worker_started(**_: object) -> None:
    """One line in place of the banner, which `-q` leaves out."""
    logging.getLogger("muniment.worker").info("worker started")


@beat_init.connect
def say_that_beat_started(**_: object) -> None:
    """See the worker's."""
    logging.getLogger("muniment.beat").info("beat started")


app = Celery("muniment")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
with refusals_in_words():  # Celery reads them late, and shows what it meets there as a traceback
    logging.config.dictConfig(settings.LOGGING)  # before Django does: Celery warns earlier
logging.captureWarnings(True)

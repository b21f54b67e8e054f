"""The Celery app: `celery -A config worker` and `celery -A config beat`."""

import os

from celery import Celery
from django.conf import settings

from config.start import refusals_in_words

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("muniment")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
with refusals_in_words():  # Celery reads them late, and shows what it meets there as a traceback
    _ = settings.INSTALLED_APPS

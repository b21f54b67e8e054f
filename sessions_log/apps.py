"""The app of organizations, intake, recorder, ledger, keys and session logs."""

from django.apps import AppConfig


class SessionsLogConfig(AppConfig):
    """Session logs and all that every kind of record shares."""

    name = "sessions_log"
    verbose_name = "Records"

"""The portal's pages of this app: one module a subject, registered on the default admin site."""

from sessions_log.admin import (
    checkpoints,
    inbox,
    organizations,
    quarantine,
    service_keys,
    services,
    session_logs,
    sessions,
    statements,
)

__all__ = [
    "checkpoints",
    "inbox",
    "organizations",
    "quarantine",
    "service_keys",
    "services",
    "session_logs",
    "sessions",
    "statements",
]

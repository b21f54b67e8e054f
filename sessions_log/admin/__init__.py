"""The portal's pages of this app: one module a subject, registered on the default admin site."""

from sessions_log.admin import (
    inbox,
    organizations,
    quarantine,
    service_keys,
    services,
    session_logs,
    sessions,
)

__all__ = ["inbox", "organizations", "quarantine", "service_keys", "services", "session_logs", "sessions"]

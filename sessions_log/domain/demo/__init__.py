"""A restaurant-build command center that never was: its people, sites, programs and their records."""

from sessions_log.domain.demo.records import demo_records

__all__ = ["demo_records"]

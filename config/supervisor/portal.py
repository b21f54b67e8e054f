"""The portal's own processes: their command lines, database roles and what precedes them."""

import hashlib
import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from config.supervisor.processes import MARK
from config.supervisor.state import ROLE_VARIABLES, Home

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("config", "compliance", "ai_audit", "sessions_log")
WEB_THREADS = 32
WITHHELD = ("DATABASE_URL", "MUNIMENT_PASSWORD_")


def own_addresses(environment: Mapping[str, str]) -> dict[str, str]:
    """DATABASE_URL and its siblings as somebody else's servers have them.

    A process without a URL of its own uses DATABASE_URL, whose role must then have the rights of all.
    """
    url = environment["DATABASE_URL"]
    return {
        "DATABASE_URL": url,
        "DATABASE_URL_OWNER": environment.get("DATABASE_URL_OWNER", ""),
        **{variable: environment.get(variable) or url for variable in ROLE_VARIABLES},
    }


def child_environment(addresses: Mapping[str, str], home: Home, *, role: str = "") -> dict[str, str]:
    """The environment of a portal process that acts in this role ("RECORDER"; "" is the portal's own).

    The owner's URL is blanked in it, passwords of roles are left out: only `owner_environment` has those.
    """
    variable = f"DATABASE_URL_{role}" if role else "DATABASE_URL"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(WITHHELD)}
    return {
        **inherited,
        **{name: value for name, value in addresses.items() if not name.startswith("DATABASE_URL")},
        "DATABASE_URL": addresses[variable],
        "DATABASE_URL_OWNER": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MUNIMENT_HOME": str(home.folder),
        "PYTHONUNBUFFERED": "1",
        MARK: str(home.folder),
    }


def owner_environment(addresses: Mapping[str, str], home: Home) -> dict[str, str]:
    """The environment of `prepare_database` (roles, migrations), and of nothing else."""
    given = {name: value for name, value in os.environ.items() if name.startswith(WITHHELD)}
    return {
        **given,
        **child_environment(addresses, home),
        "DATABASE_URL_OWNER": addresses["DATABASE_URL_OWNER"],
    }


def said_of_production() -> dict[str, str]:
    """What decides how strict a process is, for commands that are started elsewhere later."""
    return {name: value for name in ("MUNIMENT_ENV", "MUNIMENT_TRUSTED_PROXIES") if (value := os.environ.get(name))}


def management(command: str, *arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(ROOT / "manage.py"), command, *arguments]


def command_lines(port: int, home: Home) -> dict[str, tuple[str, list[str]]]:
    """What runs all the time: name to (role, command line), in the order of starting."""
    celery = [sys.executable, "-m", "celery", "-q", "-A", "config"]
    schedule = str(home.folder / "celerybeat-schedule")
    return {
        "web": ("", _granian(port)),
        "recorder": ("RECORDER", management("run_recorder")),
        "follower": ("FOLLOWER", management("run_followers")),
        "worker": ("WORKER", [*celery, "worker", "--concurrency=1", "--without-gossip", "--without-mingle"]),
        "beat": ("BEAT", [*celery, "beat", "--schedule", schedule, "--pidfile="]),
    }


def _granian(port: int) -> list[str]:
    workers = min(2, os.cpu_count() or 1)
    return [
        *(sys.executable, "-m", "granian", "config.wsgi:application"),
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(WEB_THREADS)),
        *("--no-ws", "--http", "1", "--log-level", "warning"),
        *("--log-config", str(ROOT / "config" / "granian.json")),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "2"),
    ]


def readiness(port: int) -> int:
    """The status of /healthz/ready, 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/healthz/ready", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def fingerprint(cluster: str) -> str:
    """Changes with code, dependencies and database: then roles and migrations are looked at again."""
    digest = hashlib.sha256(cluster.encode())
    digest.update((ROOT / "requirements.lock").read_bytes())
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()

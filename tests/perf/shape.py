"""What both sides have in common: the web server's command line and the scenarios they are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.supervisor.portal import command_lines
from config.supervisor.state import Home

PRODUCT_APPLICATION = "config.wsgi:application"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Clients that each keep one request under way, of so many records."""

    records_per_request: int
    clients: int

    @property
    def title(self) -> str:
        of = "record" if self.records_per_request == 1 else "records"
        return f"{self.records_per_request} {of} a request, {self.clients} clients"


SCENARIOS = (Scenario(1, 32), Scenario(50, 8), Scenario(500, 4))


def web_command(application: str, port: int, folder: Path) -> Sequence[str]:
    """The command line by which the supervisor starts the portal's web server, for another application."""
    _, command = command_lines(port, Home(folder))["web"]
    if PRODUCT_APPLICATION not in command:
        raise LookupError(f"the supervisor's web server does not serve {PRODUCT_APPLICATION}")
    return [application if part == PRODUCT_APPLICATION else part for part in command]

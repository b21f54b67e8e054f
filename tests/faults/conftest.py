"""What a run of random faults has to say for itself, under the results: the seed that repeats it, and its figures."""

from collections.abc import Callable

import pytest

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows a line at the end of the run, whether its test failed or not."""
    return request.config.stash.setdefault(_LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was told."""
    for line in config.stash.get(_LINES, []):
        terminalreporter.write_line(line)

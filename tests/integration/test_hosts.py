"""The API answers for its own hosts alone, and no log repeats the one that was sent."""

import pytest

from tests.integration.api import SESSION_LOGS, call
from tests.organizations import make_tenant

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("path", [SESSION_LOGS, "/healthz/ready", "/healthz/live"])
def test_another_s_host_is_not_served(path: str, capfd: pytest.CaptureFixture[str]) -> None:
    answer = call("GET", path, make_tenant(), environ={"HTTP_HOST": "evil.example"})
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "evil.example" not in "".join(capfd.readouterr())

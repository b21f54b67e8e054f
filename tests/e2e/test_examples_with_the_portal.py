"""The example clients against the portal itself, whose web server is killed and comes back."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.examples_clients import StartClient
from tests.faults.running_portal import RunningPortal, frozen, running_portal

pytest_plugins = ["tests.e2e.examples_fixtures"]
pytestmark = pytest.mark.slow
RECORDS = 250


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    with running_portal() as portal:
        yield portal


@pytest.fixture
def base_url(portal: RunningPortal) -> str:
    return f"http://localhost:{portal.port}"


@pytest.fixture
def service_key(portal: RunningPortal, language: str) -> str:
    return portal.make_organization(f"example-{language}")


def test_records_of_an_outage_are_recorded_once(
    start_client: StartClient, portal: RunningPortal, service_key: str
) -> None:
    client = start_client(batchRecords=100)
    with frozen([portal.process.pid]):  # so that nobody starts the web server again
        os.killpg(portal.pid("web"), signal.SIGKILL)
        client.record(RECORDS)
        client.wait_for(lambda stats: stats["lastFailure"] is not None)

    client.wait_for(lambda stats: stats["accepted"] == RECORDS, timeout_s=60)

    portal.wait_until_recorded()
    stored = portal.client(service_key).results("action=record.view")
    assert sorted(record["metadata"]["n"] for record in stored) == list(range(RECORDS))

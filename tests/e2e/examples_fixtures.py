"""Fixtures of the tests of the example clients: a server on the wire form, and either client as a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.examples_clients import (
    QUICK,
    Client,
    StartClient,
    compile_typescript,
    python_command,
    typescript_command,
)
from tests.e2e.examples_server import WireServer


@pytest.fixture(scope="session")
def typescript_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_typescript(tmp_path_factory.mktemp("typescript"))


@pytest.fixture
def wire_server() -> Iterator[WireServer]:
    """Down until the test starts it. A request that breaks the wire form fails the test."""
    wire_server = WireServer()
    yield wire_server
    wire_server.stop()
    assert wire_server.faults == []


@pytest.fixture
def base_url(wire_server: WireServer) -> str:
    return wire_server.url


@pytest.fixture
def service_key() -> str:
    return "key-of-the-example"


@pytest.fixture(params=["python", "typescript"])
def language(request: pytest.FixtureRequest) -> str:
    """Both; a test of one of them says so by `parametrize`."""
    return str(request.param)


@pytest.fixture
def start_client(
    request: pytest.FixtureRequest, language: str, tmp_path: Path, base_url: str, service_key: str
) -> Iterator[StartClient]:
    """Checks at the end that no client printed the key, a value or a traceback."""
    if language == "python":
        command = python_command()
    else:
        command = typescript_command(request.getfixturevalue("typescript_folder"))
    clients: list[Client] = []

    def start(environment: dict[str, str] | None = None, **options: object) -> Client:
        client = Client(command, environment or {}, tmp_path / f"{len(clients)}.errors")
        clients.append(client)
        client.ask("open_client", url=base_url, key=service_key, options=QUICK | options)
        return client

    yield start
    for client in clients:
        client.kill()
        printed = client.errors.read_text()
        assert service_key not in printed
        assert "value-of-the-record" not in printed
        assert "Traceback" not in printed

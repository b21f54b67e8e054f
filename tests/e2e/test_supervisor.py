"""The supervisor's pieces with real servers and processes."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.supervisor.postgres import PostgresServer, embedded_postgres, installed_programs, server_for
from config.supervisor.processes import MARK, end_all, free_port, processes_in, processes_of, spawn
from config.supervisor.services import Service, Services, StopRequested
from config.supervisor.state import Secrets, State
from config.supervisor.valkey import embedded_valkey

ROOT = Path(__file__).resolve().parent.parent.parent
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers under another account")
IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); "


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with embedded_postgres() as server:
        yield server


@pytest.fixture
def services() -> Iterator[Services]:
    running = Services(say=lambda line: None, changed=lambda pids: None)
    yield running
    running.stop()


# PostgreSQL


def test_server_keeps_what_it_acknowledged(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url("muniment_owner")) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_owner_makes_roles_without_being_superuser(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url("muniment_owner")) as connection:
        rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False, True, False)


def test_server_answers_no_wrong_password(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url("muniment_owner").replace("muniment_owner:", "muniment_owner:x"))


def test_role_made_later_is_let_in_with_its_own_password(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url("muniment_owner"), autocommit=True) as connection:
        connection.execute("CREATE ROLE muniment_beat")
    postgres.allow_login(["muniment_beat", "muniment_never_made"])
    with psycopg.connect(postgres.url("muniment_beat")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("muniment_beat",)


def test_values_stay_out_of_the_servers_log(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url("muniment_owner"), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE people (name text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('Planted Name')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES (%s)", ("Planted Name",))
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT 'Planted Name'::uuid")
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC 'Planted Name'")
    log = postgres.log.read_text()
    assert "ready to accept connections" in log
    assert "Planted" not in log


@LINUX_ONLY
def test_killed_server_with_an_emptied_pid_file_starts_with_its_data(postgres: PostgresServer) -> None:
    _remember(postgres, "kept through the kill")
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    (postgres.folder / "postmaster.pid").write_text("")
    postgres.start()
    postgres.wait_until_ready()
    assert _remembered(postgres) == "kept through the kill"


@LINUX_ONLY
def test_pid_file_with_the_number_of_another_program_does_not_stop_the_start(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    assert postgres.process is not None
    pid_file = postgres.folder / "postmaster.pid"
    written = pid_file.read_text()
    postgres.process.kill()
    postgres.process.wait()
    # PostgreSQL believes a process of its own account to be the server.
    other = spawn(["/bin/sleep", "60"], log=tmp_path / "log", env={}, account=postgres.account)
    pid_file.write_text(written.replace(str(postgres.process.pid), str(other.pid), 1))
    postgres.start()
    postgres.wait_until_ready()
    assert other.poll() is None
    other.kill()
    other.wait()


@LINUX_ONLY
def test_server_left_behind_is_ended_cleanly_before_the_next_one(postgres: PostgresServer) -> None:
    left_behind = postgres.process
    assert left_behind is not None
    postgres.start()
    postgres.wait_until_ready()
    assert left_behind.wait(0) == 0
    assert postgres.process is not None
    assert postgres.process.pid in processes_in(postgres.folder, "postgres")


def test_port_taken_by_somebody_else_is_given_up_for_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


@ROOT_ONLY
def test_data_and_programs_go_elsewhere_where_the_servers_account_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    packages = installed_programs().parent.parent.parent
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / part).symlink_to(packages / part)
    monkeypatch.syspath_prepend(closed)
    said: list[str] = []
    server = server_for(
        closed / "postgres",
        secrets=Secrets.load_or_create(closed / "secrets.json"),
        log=closed / "postgres.log",
        say=said.append,
    )
    try:
        server.start()
        server.wait_until_ready()
        assert (closed / "postgres").resolve() == server.folder
        assert server.folder.parent.parent == Path("/var/lib")
        assert server.programs.is_relative_to(server.folder.parent)
        assert [str(server.folder.parent) in line for line in said] == [True]
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        shutil.rmtree(server.folder.parent)


@ROOT_ONLY
def test_server_runs_for_an_ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = _python_for_everybody()
    script = (
        "import os, psycopg\n"
        "from config.supervisor.postgres import embedded_postgres\n"
        "with embedded_postgres() as server:\n"
        "    psycopg.connect(server.url('muniment_owner')).close()\n"
        "    print(server.folder.stat().st_uid == os.getuid() != 0)\n"
    )
    done = subprocess.run(
        [python, "-c", script],
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


# Valkey


def test_killed_valkey_starts_with_its_data(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, redis.Redis.from_url(server.url()) as client:
        client.set("limit", "7")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.start()
        server.wait_until_ready()
        assert client.get("limit") == b"7"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_valkey_answers_nobody_without_the_password(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)).ping()


# Services


def test_killed_service_runs_again(services: Services, tmp_path: Path) -> None:
    service = _service("worker", "import time; time.sleep(60)", tmp_path)
    services.start(service)
    assert service.process is not None
    first = service.process.pid
    service.process.kill()
    assert services.tend_until(lambda: service.process is not None and service.process.pid != first, 10)


def test_what_a_killed_service_left_is_gone_before_it_runs_again(services: Services, tmp_path: Path) -> None:
    """The workers of a killed web server would keep its port."""
    fork = "import os, time; child = os.fork(); child and print(child, flush=True); time.sleep(60)"
    service = _service("web", fork, tmp_path)
    services.start(service)
    services.tend_until(lambda: service.log.read_text().endswith("\n"), 10)
    assert service.process is not None
    service.process.kill()
    first = service.process.pid
    services.tend_until(lambda: service.process is not None and service.process.pid != first, 10)
    assert _gone(int(service.log.read_text().split()[0]))


def test_services_stop_in_the_reverse_of_their_start(services: Services, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("postgres", "web", "beat"):
        services.start(_service(name, _notes_its_end(name, order), tmp_path))
    services.tend_until(lambda: all((tmp_path / f"{name}.log").read_text() for name in ("postgres", "web", "beat")))
    services.stop()
    assert order.read_text() == "beat web postgres "


def test_service_that_does_not_listen_is_killed_in_time(services: Services, tmp_path: Path) -> None:
    services.start(_service("postgres", "import time; time.sleep(60)", tmp_path))
    deaf = _service("worker", IGNORES_TERM + "time.sleep(60)", tmp_path)
    services.start(deaf)
    services.tend_until(lambda: bool(deaf.log.read_text()), 10)
    begun = time.monotonic()
    services.stop()
    assert time.monotonic() - begun < deaf.stop_limit_s + 2


def test_wait_ends_when_a_stop_is_requested(services: Services) -> None:
    services.request_stop()
    with pytest.raises(StopRequested):
        services.pause(60)


@LINUX_ONLY
def test_process_ends_with_the_supervisor_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from config.supervisor.processes import spawn\n"
        "argv = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "print(spawn(argv, log=Path(sys.argv[1]), env=os.environ).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()
    assert _becomes_true(lambda: _gone(child))


@LINUX_ONLY
def test_orphans_of_this_data_folder_are_found_and_ended_and_no_others(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", IGNORES_TERM + "time.sleep(60)"]
    ours = spawn(argv, log=tmp_path / "ours", env={MARK: "/srv/a"})
    theirs = spawn(argv, log=tmp_path / "theirs", env={MARK: "/srv/ab"})
    assert _becomes_true(lambda: bool((tmp_path / "ours").read_text()))
    try:
        assert processes_of(Path("/srv/a")) == [ours.pid]
        end_all(lambda: processes_of(Path("/srv/a")), [(signal.SIGTERM, 0.2), (signal.SIGKILL, 5)])
        assert ours.wait(5) == -signal.SIGKILL
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


def test_second_start_on_the_same_data_folder_says_where_the_first_one_is(tmp_path: Path) -> None:
    State(url="http://localhost:8123", supervisor_pid=os.getpid()).save(tmp_path / "state.json")
    with (tmp_path / "supervisor.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = subprocess.run(
            [sys.executable, "-m", "config.supervisor"],
            cwd=ROOT,
            env={**os.environ, "MUNIMENT_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert second.returncode == 1
    assert second.stdout == (f"Muniment is already up from {tmp_path}: http://localhost:8123 (pid {os.getpid()})\n")


def _service(name: str, script: str, folder: Path) -> Service:
    log = folder / f"{name}.log"
    return Service(name, lambda: spawn([sys.executable, "-c", script], log=log, env=os.environ), log)


def _notes_its_end(name: str, order: Path) -> str:
    return (
        "import signal, sys, time\n"
        f"note = lambda *_: (open({str(order)!r}, 'a').write('{name} '), sys.exit())\n"
        "signal.signal(signal.SIGTERM, note); print('on', flush=True); time.sleep(60)"
    )


def _remember(server: PostgresServer, text: str) -> None:
    with psycopg.connect(server.url("muniment_owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (text text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (text,))


def _remembered(server: PostgresServer) -> str:
    with psycopg.connect(server.url("muniment_owner")) as connection:
        row = connection.execute("SELECT text FROM kept").fetchone()
    assert row is not None
    return str(row[0])


def _python_for_everybody() -> str:
    """An interpreter that an ordinary user may run and that takes this one's packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run([candidate, "--version"], user="nobody", check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip(f"no {version} that an ordinary user may run")


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def _becomes_true(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.02)
    return fact()

"""Debian's own PostgreSQL and Redis over TLS, and what production puts around them: an authority and a proxy.

PostgreSQL takes TLS connections alone; its owner's role has CREATEROLE and is no superuser, as on a managed service.
"""

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from psycopg import sql

from config.supervisor.processes import Process, end, free_port, spawn, tail, unprivileged_account

OWNER_PASSWORD, ROLE_PASSWORD = secrets.token_hex(), secrets.token_hex()
HOST = "localhost"  # the one name that the certificate has; 127.0.0.1 is not in it
PROXY_ADDRESS = "127.0.0.2"
PROGRAM_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
READY_WITHIN_S = 30
_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority with one server certificate, for HOST, in files of one folder."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """A new authority; names and times are the same each time, keys are not."""
        folder.mkdir()
        made = cls(folder)
        ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca_name = _name("Authority of this test")
        ca = (
            _begin(ca_name, ca_name, ca_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        server = (
            _begin(_name(HOST), ca_name, server_key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(authority, critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        made.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        made.key.touch(mode=0o600)
        made.key.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def required(program: Path | None, package: str) -> Path:
    """The program. A test that needs it fails without it: a skipped test would prove nothing."""
    if program is None:
        pytest.fail(f"Debian's {package} is not installed: apt-get install --no-install-recommends {package}")
    return program


def debian_postgres() -> Path:
    """The folder of the programs of the newest PostgreSQL that Debian installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    return required(found[-1] if found else None, "postgresql").parent


def debian_redis() -> Path:
    """Redis or Valkey as Debian has it."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return required(Path(found) if found else None, "redis-server")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that takes TLS connections alone, to HOST."""

    port: int
    ca: Path
    log: Path

    def url(self, role: str, *, host: str = HOST, ca: Path | None = None, database: str = "muniment") -> str:
        """The URL of a role as production has it."""
        password = OWNER_PASSWORD if role in ("postgres", "muniment_owner") else ROLE_PASSWORD
        tls = f"sslmode=verify-full&sslrootcert={ca or self.ca}"
        return f"postgresql://{role}:{password}@{host}:{self.port}/{database}?{tls}"


@contextlib.contextmanager
def tls_postgres(authority: Authority) -> Iterator[Postgres]:
    """Debian's PostgreSQL with an empty database `muniment`, owned by a role that is no superuser."""
    programs, account = debian_postgres(), unprivileged_account()
    with contextlib.ExitStack() as stack:
        place = Path(tempfile.mkdtemp(prefix="muniment-tls-"))  # the tests' own folders are closed to other accounts
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        server = Postgres(free_port(None), authority.ca, place / "postgres.log")
        password = place / "password"
        password.write_text(OWNER_PASSWORD)
        files = [Path(shutil.copy(file, place)) for file in (authority.certificate, authority.key)]
        if account:
            for path in (place, password, *files):
                os.chown(path, account.uid, account.gid)

        def run(program: str, *arguments: str) -> Process:
            argv = [str(programs / program), f"--pgdata={place / 'cluster'}", *arguments]
            return spawn(argv, log=server.log, env=PROGRAM_ENVIRONMENT, account=account)

        making = run("initdb", "--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync")
        assert making.wait(READY_WITHIN_S) == 0, tail(server.log)
        _configure(place / "cluster", server.port, *files)
        process = spawn(
            [str(programs / "postgres"), "-D", str(place / "cluster")],
            log=server.log,
            env=PROGRAM_ENVIRONMENT,
            account=account,
        )
        stack.callback(end, process, signal.SIGINT, 10)
        _make_owner(server, process)
        yield server


def _configure(cluster: Path, port: int, certificate: Path, key: Path) -> None:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": certificate,
        "ssl_key_file": key,
        "fsync": "off",  # shown here is who talks to whom, not what survives a power cut
        "log_statement": "all",  # as the strictest operator would have it
    }
    (cluster / "postgresql.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    (cluster / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")


def _make_owner(server: Postgres, process: Process) -> None:
    url = server.url("postgres", database="postgres")
    until(lambda: _answers(url) or process.poll() is not None, lambda: tail(server.log))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE ROLE muniment_owner LOGIN CREATEROLE NOSUPERUSER NOCREATEDB PASSWORD {}").format(
                sql.Literal(OWNER_PASSWORD)
            )
        )
        admin.execute("CREATE DATABASE muniment OWNER muniment_owner")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server that takes TLS connections alone, to HOST."""

    port: int
    ca: Path

    def url(self, *, host: str = HOST, ca: Path | None = None) -> str:
        """The URL as production has it."""
        return f"rediss://:{OWNER_PASSWORD}@{host}:{self.port}/0?ssl_ca_certs={ca or self.ca}"


@contextlib.contextmanager
def tls_valkey(authority: Authority, folder: Path) -> Iterator[Valkey]:
    """Debian's Redis, empty, in this new folder."""
    folder.mkdir()
    server, log = Valkey(free_port(None), authority.ca), folder / "log"
    (folder / "configuration").write_text(
        f"""
bind 127.0.0.1
port 0
tls-port {server.port}
tls-cert-file {authority.certificate}
tls-key-file {authority.key}
tls-ca-cert-file {authority.ca}
tls-auth-clients no
requirepass {OWNER_PASSWORD}
dir {folder}
save ""
"""
    )
    process = spawn([str(debian_redis()), str(folder / "configuration")], log=log, env=PROGRAM_ENVIRONMENT)
    try:
        with redis.Redis.from_url(server.url()) as client:
            until(lambda: _pings(client) or process.poll() is not None, lambda: tail(log))
        yield server
    finally:
        end(process, signal.SIGTERM, 10)


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def until(done: Callable[[], bool], told: Callable[[], str], limit_s: float = READY_WITHIN_S) -> None:
    """Wait until it is done; else fail with what is told."""
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > deadline:
            pytest.fail(f"not done after {limit_s:.0f} s: {told()}")
        time.sleep(0.05)


@contextlib.contextmanager
def tls_proxy(authority: Authority, port: int, upstream: int) -> Iterator[None]:
    """What ends TLS in front of the web process: it comes from PROXY_ADDRESS and says how it was asked, and by whom."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            passed_on = {name: text for name, text in self.headers.items() if not name.startswith("X-Forwarded-")}
            said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": self.client_address[0]}
            connection = http.client.HTTPConnection("127.0.0.1", upstream, 10, source_address=(PROXY_ADDRESS, 0))
            with contextlib.closing(connection):
                connection.request(self.command, self.path, self.rfile.read(length), {**passed_on, **said})
                answer = connection.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, text in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length"):
                        self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 -- the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

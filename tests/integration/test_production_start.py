"""A production start with an unsafe environment is refused, by every process, in sentences that mend it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha512
from pathlib import Path

import pytest
from django.core.checks import Error, run_checks
from django.test import override_settings

from config.env import Environment
from config.production import problems
from config.supervisor.portal import command_lines
from config.supervisor.state import Home, Secrets

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = sha512(b"the secret of this test").hexdigest()
PASSWORD = sha512(b"its passwords").hexdigest()
LONG_RUNNING = ("web", "recorder", "follower", "worker", "beat")


@pytest.fixture
def safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that starts."""
    for name in [name for name in os.environ if name.startswith(("PG", "SSL_CERT_", "MUNIMENT_", "DATABASE_URL"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    authorities = tmp_path / "ca.pem"
    authorities.write_text("certificates")
    (tmp_path / "keyring").mkdir(mode=0o700)
    return {
        "MUNIMENT_ENV": "production",
        "MUNIMENT_HOME": str(tmp_path),
        "MUNIMENT_SECRET_KEY": SECRET,
        "MUNIMENT_PUBLIC_URL": "https://muniment.example",
        "MUNIMENT_TRUSTED_PROXIES": "192.0.2.10",
        "DATABASE_URL": f"postgresql://web:{PASSWORD}@db.example/x?sslmode=verify-full&sslrootcert={authorities}",
        "VALKEY_URL": f"rediss://:{PASSWORD}@valkey.example:6380/0",
    }


def refusals(environment: Mapping[str, str]) -> list[str]:
    return problems(Environment(environment))


def start(environment: Mapping[str, str], *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a process in this environment alone, to its end."""
    base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": environment["MUNIMENT_HOME"]}
    return subprocess.run(argv, env={**base, **environment}, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_safe_environment_is_not_refused(safe: dict[str, str]) -> None:
    assert refusals(safe) == []


# A setting, its value ("CA" is a file that exists) and the beginning of the one sentence that refuses it.
REFUSED = [
    ("MUNIMENT_SECRET_KEY", "", "MUNIMENT_SECRET_KEY is not set: give it 50 random characters or more"),
    ("MUNIMENT_SECRET_KEY", SECRET[:49], "MUNIMENT_SECRET_KEY is too short: give it 50 random characters"),
    ("MUNIMENT_SECRET_KEY", "a" * 64, "MUNIMENT_SECRET_KEY repeats itself: give it 50 random"),
    ("MUNIMENT_SECRET_KEY", "correct-horse" * 5, "MUNIMENT_SECRET_KEY repeats itself: give it 50 random"),
    ("MUNIMENT_SECRET_KEY", f"development-{SECRET}", "MUNIMENT_SECRET_KEY was made for development: give it 50"),
    ("MUNIMENT_SECRET_KEY", f"django-insecure-{SECRET}", "MUNIMENT_SECRET_KEY was made for development: give it"),
    ("MUNIMENT_SECRET_KEY", f"{SECRET}-ChangeMe", "MUNIMENT_SECRET_KEY was made for development: give it 50"),
    ("MUNIMENT_PUBLIC_URL", "", "MUNIMENT_PUBLIC_URL is not set: give the address that people and services use"),
    ("MUNIMENT_PUBLIC_URL", "http://muniment.example", "MUNIMENT_PUBLIC_URL is not https: put TLS in front"),
    ("MUNIMENT_PUBLIC_URL", "http://localhost:8000", "MUNIMENT_PUBLIC_URL is not https: put TLS in front"),
    ("MUNIMENT_PUBLIC_URL", "muniment.example", "MUNIMENT_PUBLIC_URL must be a scheme and a host alone"),
    ("MUNIMENT_PUBLIC_URL", "https://", "MUNIMENT_PUBLIC_URL must be a scheme and a host alone"),
    ("MUNIMENT_PUBLIC_URL", "https://muniment.example/portal", "MUNIMENT_PUBLIC_URL must be a scheme and a host"),
    ("MUNIMENT_PUBLIC_URL", "https://muniment.example:port", "MUNIMENT_PUBLIC_URL must be a scheme and a host"),
    ("MUNIMENT_TRUSTED_PROXIES", "", "MUNIMENT_TRUSTED_PROXIES is not set: name the addresses or networks of the"),
    ("MUNIMENT_TRUSTED_PROXIES", "proxy.example", "MUNIMENT_TRUSTED_PROXIES must list addresses or networks like"),
    ("MUNIMENT_TRUSTED_PROXIES", "none,192.0.2.1", "MUNIMENT_TRUSTED_PROXIES must list addresses or networks like"),
    ("MUNIMENT_TRUSTED_PROXIES", "0.0.0.0/0", "MUNIMENT_TRUSTED_PROXIES names everybody (/0): name the proxies"),
    ("DATABASE_URL", "", "DATABASE_URL is not set: give the URL of this process's role, written as postgresql://"),
    ("DATABASE_URL", "mysql://db.example/x", "DATABASE_URL is not a PostgreSQL URL: write it as postgresql://"),
    ("DATABASE_URL", "postgresql://db.example/x", "DATABASE_URL reaches PostgreSQL over the network with sslmode"),
    *(
        ("DATABASE_URL", f"postgresql://db.example/x?sslmode={mode}&sslrootcert=CA", "DATABASE_URL reaches PostgreSQL")
        for mode in ("disable", "allow", "prefer", "require", "verify-ca")
    ),
    # A second host is a way in like the first; what is reached is `hostaddr`, whatever `host` calls it.
    ("DATABASE_URL", "postgresql://localhost,db.example/x", "DATABASE_URL reaches PostgreSQL over the network"),
    ("DATABASE_URL", "postgresql://localhost/x?hostaddr=192.0.2.5", "DATABASE_URL reaches PostgreSQL over the network"),
    ("DATABASE_URL", "postgresql:///x?service=managed", "DATABASE_URL reaches PostgreSQL over the network"),
    ("DATABASE_URL", "postgresql://db/x?sslmode=verify-full", "DATABASE_URL names no certificate authority that can"),
    ("DATABASE_URL", "postgresql://db/x?sslmode=verify-full&sslrootcert=/no/ca", "DATABASE_URL names no certificate"),
    ("DATABASE_URL_OWNER", "postgresql://db.example/x", "DATABASE_URL_OWNER reaches PostgreSQL over the network"),
    ("VALKEY_URL", "", "VALKEY_URL is not set: write it as rediss://"),
    ("VALKEY_URL", "redis://valkey.example:6379/0", "VALKEY_URL reaches Valkey over the network without TLS"),
    ("VALKEY_URL", "http://valkey.example", "VALKEY_URL is not a Valkey URL: write it as rediss://"),
    ("VALKEY_URL", "rediss://", "VALKEY_URL is not a Valkey URL: write it as rediss://"),
    ("VALKEY_URL", "rediss://valkey.example:port/0", "VALKEY_URL is not a Valkey URL: write it as rediss://"),
    *(
        ("VALKEY_URL", f"rediss://valkey.example?ssl_cert_reqs={word}", "VALKEY_URL does not verify the server's")
        for word in ("none", "optional", "CERT_NONE", "NONE")
    ),
    ("VALKEY_URL", "rediss://valkey.example?ssl_check_hostname=false", "VALKEY_URL does not compare host and"),
    ("VALKEY_URL", "rediss://valkey.example?ssl_check_hostname=no", "VALKEY_URL does not compare host and"),
    ("VALKEY_URL", "rediss://valkey.example?ssl_ca_certs=/no/ca", "VALKEY_URL names a file of certificate authorities"),
    ("MUNIMENT_KEYRING", "/no/keyring", "MUNIMENT_KEYRING does not exist: make the folder with mkdir -m 700"),
    ("MUNIMENT_KEYRING", "CA", "MUNIMENT_KEYRING is not a folder: name the folder of the keys"),
    ("MUNIMENT_WITNESSES", "/no/witnesses", "MUNIMENT_WITNESSES must name a file of text that this account can read"),
    ("MUNIMENT_WITNESSES", "CA", "MUNIMENT_WITNESSES names a file that is no witness policy: line 1: a line begins"),
]


@pytest.mark.parametrize(("setting", "value", "sentence"), REFUSED)
def test_unsafe_setting_is_refused_in_one_sentence(
    safe: dict[str, str], tmp_path: Path, setting: str, value: str, sentence: str
) -> None:
    found = refusals({**safe, setting: value.replace("CA", str(tmp_path / "ca.pem"))})
    assert len(found) == 1, found
    assert found[0].startswith(sentence)
    assert found[0].endswith(".")


ACCEPTED = [
    ("MUNIMENT_PUBLIC_URL", "https://muniment.example:8443/"),
    ("MUNIMENT_TRUSTED_PROXIES", "none"),
    ("MUNIMENT_TRUSTED_PROXIES", "192.0.2.0/24, 2001:db8::7"),
    ("DATABASE_URL", "postgresql://db.example/x?sslmode=verify-full&sslrootcert=CA"),
    ("DATABASE_URL", "postgresql://web@localhost/x"),
    ("DATABASE_URL", "postgresql://web@127.0.0.1,[::1]/x?sslmode=disable"),
    ("DATABASE_URL", "postgresql:///x?host=/run/postgresql"),
    ("DATABASE_URL", "postgresql:///x"),
    ("VALKEY_URL", "rediss://valkey.example?ssl_ca_certs=CA&ssl_cert_reqs=required&ssl_check_hostname=true"),
    ("VALKEY_URL", "redis://:pass@127.0.0.1:6379/0"),
    ("VALKEY_URL", "redis://[::1]:6379/0"),
    ("VALKEY_URL", "redis://localhost"),
    ("VALKEY_URL", "unix:///run/valkey.sock?db=1"),
]


WITNESS_KEY = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"


@pytest.mark.parametrize(
    ("url", "sentences"),
    [
        ("https://witness.example/submit", []),
        ("http://127.0.0.1:8080", []),
        ("http://localhost", []),
        (
            "http://witness.example",
            ["MUNIMENT_WITNESSES reaches its witness 1 without TLS: give that witness's https:// address."],
        ),
    ],
)
def test_witnesses_are_reached_over_tls(safe: dict[str, str], tmp_path: Path, url: str, sentences: list[str]) -> None:
    policy = tmp_path / "witnesses"
    policy.write_text(f"witness w1 {WITNESS_KEY} {url}\nquorum w1\n")
    assert refusals({**safe, "MUNIMENT_WITNESSES": str(policy)}) == sentences


@pytest.mark.parametrize(("setting", "value"), ACCEPTED)
def test_verified_tls_loopback_and_unix_sockets_are_accepted(
    safe: dict[str, str], tmp_path: Path, setting: str, value: str
) -> None:
    assert refusals({**safe, setting: value.replace("CA", str(tmp_path / "ca.pem"))}) == []


def test_what_libpq_takes_from_its_own_variables_counts(
    safe: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {**safe, "DATABASE_URL": "postgresql:///muniment"}
    monkeypatch.setenv("PGHOST", "db.example")
    assert refusals(short)[0].startswith("DATABASE_URL reaches PostgreSQL over the network with sslmode below")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert refusals(short)[0].startswith("DATABASE_URL names no certificate authority")
    monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / "ca.pem"))
    assert refusals(short) == []


def test_local_name_for_a_remote_address_is_no_loopback(safe: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.5")
    found = refusals({**safe, "DATABASE_URL": "postgresql://localhost/muniment"})
    assert found[0].startswith("DATABASE_URL reaches PostgreSQL over the network")


def test_system_s_authorities_are_only_there_where_openssl_is_told_of_them(
    safe: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = {**safe, "DATABASE_URL": "postgresql://db.example/x?sslmode=verify-full&sslrootcert=system"}
    assert refusals(system)[0].startswith("DATABASE_URL names no certificate authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert refusals(system) == []


def test_authorities_in_libpq_s_usual_place_will_do(safe: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("certificates")
    assert refusals({**safe, "DATABASE_URL": "postgresql://db.example/x?sslmode=verify-full"}) == []


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o770])
def test_keyring_open_to_others_is_refused(safe: dict[str, str], tmp_path: Path, mode: int) -> None:
    (tmp_path / "keyring").chmod(mode)
    sentence = "MUNIMENT_KEYRING (when not set: keyring in MUNIMENT_HOME) is open to other accounts"
    assert refusals(safe)[0].startswith(sentence)


def test_secret_that_the_supervisor_made_up_is_refused(safe: dict[str, str], tmp_path: Path) -> None:
    made_up = Secrets.load_or_create(tmp_path / "secrets.json").portal
    found = refusals({**safe, "MUNIMENT_SECRET_KEY": made_up})
    assert found[0].startswith("MUNIMENT_SECRET_KEY was made for development")


UNSAFE = {
    "MUNIMENT_SECRET_KEY": f"development-{SECRET}",
    "MUNIMENT_PUBLIC_URL": "http://muniment.example",
    "MUNIMENT_TRUSTED_PROXIES": "",
    "DATABASE_URL": f"postgresql://web:{PASSWORD}@db.example/muniment",
    "DATABASE_URL_OWNER": f"postgresql://owner:{PASSWORD}@db.example/muniment",
    "VALKEY_URL": f"redis://:{PASSWORD}@valkey.example:6379/0",
    "MUNIMENT_KEYRING": "/no/keyring",
}
COMMANDS = {
    "check": ("manage.py", "check"),
    "prepare_database": ("manage.py", "prepare_database"),
    "list_organizations": ("manage.py", "list_organizations"),
}


def _assert_refused_for_all(ended: subprocess.CompletedProcess[str]) -> None:
    told = ended.stdout + ended.stderr
    assert ended.returncode != 0
    for setting in UNSAFE:
        assert f"- {setting} " in told, told
    assert PASSWORD not in told
    assert SECRET not in told


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_long_running_process_is_refused_for_all_at_once(safe: dict[str, str], tmp_path: Path, name: str) -> None:
    _, argv = command_lines(1, Home(tmp_path))[name]
    ended = start({**safe, **UNSAFE}, *argv)
    _assert_refused_for_all(ended)
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_refused_for_all_at_once(safe: dict[str, str], name: str) -> None:
    ended = start({**safe, **UNSAFE}, sys.executable, *COMMANDS[name])
    _assert_refused_for_all(ended)
    assert "Traceback" not in ended.stdout + ended.stderr


def test_program_that_sets_django_up_by_itself_is_refused(safe: dict[str, str]) -> None:
    environment = {**safe, **UNSAFE, "DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = start(environment, sys.executable, "-c", "import django; django.setup()")
    _assert_refused_for_all(ended)


def test_word_that_is_no_environment_is_refused(safe: dict[str, str]) -> None:
    ended = start({**safe, "MUNIMENT_ENV": "prod"}, sys.executable, "manage.py", "check")
    assert (ended.returncode, ended.stderr) == (1, "MUNIMENT_ENV must be one of development, production.\n")


def test_deployment_checks_have_nothing_to_say_of_a_safe_start(safe: dict[str, str]) -> None:
    ended = start(safe, sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (ended.returncode, ended.stdout) == (0, "System check identified no issues (1 silenced).\n"), ended.stderr


def test_browsers_are_told_to_stay_on_https_for_a_year_or_more(safe: dict[str, str]) -> None:
    names = ["SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT", "SECURE_SSL_HOST", "SESSION_COOKIE_SECURE", "DEBUG"]
    program = f"""
import django, json
django.setup()
from django.conf import settings
print(json.dumps({{name: getattr(settings, name) for name in {names}}}))
"""
    ended = start({**safe, "DJANGO_SETTINGS_MODULE": "config.settings"}, sys.executable, "-c", program)
    assert json.loads(ended.stdout) == {
        "SECURE_HSTS_SECONDS": 63_072_000,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_SSL_HOST": "muniment.example",
        "SESSION_COOKIE_SECURE": True,
        "DEBUG": False,
    }


@pytest.mark.parametrize(
    ("setting", "value", "id_"),
    [
        ("SECURE_HSTS_SECONDS", 86_400, "muniment.E001"),
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"), "muniment.E002"),
        ("USE_X_FORWARDED_HOST", True, "muniment.E002"),
        ("SESSION_COOKIE_NAME", "sessionid", "muniment.E003"),
        ("CSRF_COOKIE_SECURE", False, "muniment.E003"),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"default-src": ["'self'"]}}, "muniment.E004"),
        (
            "CONTENT_SECURITY_POLICY",
            {"DIRECTIVES": {"default-src": ["'none'"], "style-src": ["'unsafe-inline'"]}},
            "muniment.E004",
        ),
        ("PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"], "muniment.E005"),
    ],
)
def test_weakened_setting_is_an_error_of_the_deployment_checks(setting: str, value: object, id_: str) -> None:
    sound = {
        "SECURE_HSTS_SECONDS": 63_072_000,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
    }
    with override_settings(**{**sound, setting: value}):
        found = run_checks(tags=["security"], include_deployment_checks=True)
    assert [error.id for error in found if isinstance(error, Error)] == [id_]

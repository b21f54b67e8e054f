"""URLs of the environment as the settings that Django, django-redis and Celery take."""

import ssl
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import LARGEST_FILE_BYTES, Environment, broker, database

VERIFIED = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("redis://:pass@127.0.0.1:6379/2", {"BROKER_URL": "redis://:pass@127.0.0.1:6379/2"}),
        ("redis://localhost:6379?db=3", {"BROKER_URL": "redis://localhost:6379/3"}),
        (
            "rediss://:pa%40ss@valkey.example:6380/1",
            {"BROKER_URL": "rediss://:pa%40ss@valkey.example:6380/1", "BROKER_USE_SSL": VERIFIED},
        ),
        (
            "rediss://valkey.example:6380?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=none&ssl_check_hostname=false",
            {
                "BROKER_URL": "rediss://valkey.example:6380/0",
                "BROKER_USE_SSL": {**VERIFIED, "ssl_ca_certs": "/etc/ca.pem"},
            },
        ),
        ("unix:///run/valkey.sock", {"BROKER_URL": "redis+socket:///run/valkey.sock?virtual_host=0"}),
        (
            "unix://:pass@/run/valkey.sock?db=4",
            {"BROKER_URL": "redis+socket://:pass@/run/valkey.sock?virtual_host=4"},
        ),
    ],
)
def test_celery_reaches_valkey_where_the_url_says_and_verifies_it(url: str, settings: dict[str, object]) -> None:
    assert broker(url) == settings


def test_every_option_of_a_database_url_is_kept() -> None:
    url = "postgresql://web@db/muniment?sslmode=verify-full&sslcrl=/crl.pem&channel_binding=require&connect_timeout=9"
    assert database("DATABASE_URL", url)["OPTIONS"] == {
        "sslmode": "verify-full",
        "sslcrl": "/crl.pem",
        "channel_binding": "require",
        "connect_timeout": "9",
    }


def test_url_that_is_none_is_not_quoted() -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        database("DATABASE_URL", "postgresql://web@db/muniment?password=secret-word&nonsense=1")
    assert str(refused.value) == "DATABASE_URL is not a PostgreSQL URL."


@pytest.mark.parametrize(
    ("said", "networks"),
    [
        ("", []),
        ("none", []),
        ("192.0.2.1", ["192.0.2.1/32"]),
        ("192.0.2.0/24, 2001:db8::/32", ["192.0.2.0/24", "2001:db8::/32"]),
    ],
)
def test_networks_are_read(said: str, networks: list[str]) -> None:
    read = Environment({"MUNIMENT_HOME": "/none", "PROXIES": said}).networks("PROXIES")
    assert [str(network) for network in read] == networks


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (None, "WITNESSES must name a file of text that this account can read."),
        (b"\xff", "WITNESSES must name a file of text that this account can read."),
        (b"a" * (LARGEST_FILE_BYTES + 1), "WITNESSES names a file of more than 65536 bytes."),
    ],
)
def test_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, refusal: str) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured) as refused:
        Environment({"MUNIMENT_HOME": "/none", "WITNESSES": str(file)}).file("WITNESSES")
    assert str(refused.value) == refusal


def test_file_is_read_where_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("quorum\n")
    environment = Environment({"MUNIMENT_HOME": "/none", "WITNESSES": str(tmp_path / "file")})
    assert (environment.file("WITNESSES"), environment.file("NOTHING")) == ("quorum\n", None)


@pytest.mark.parametrize("said", ["proxy.example", "192.0.2.1/24", "none, 192.0.2.1", "192.0.2.300", "*"])
def test_what_is_no_network_is_refused(said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PROXIES must list addresses or networks"):
        Environment({"MUNIMENT_HOME": "/none", "PROXIES": said}).networks("PROXIES")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("43200", 43_200), ("", 15)])
def test_whole_number_within_its_bounds_is_taken(text: str, number: int) -> None:
    assert Environment({"GRACE": text}).whole("GRACE", 15, most=43_200) == number


@pytest.mark.parametrize("text", ["43201", "-1", "1.5", "²", "٣", "1e3", "9" * 5_000, "a quarter"])
def test_any_other_number_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^GRACE must be a whole number from 0 to 43,200\.$"):
        Environment({"GRACE": text}).whole("GRACE", 15, most=43_200)

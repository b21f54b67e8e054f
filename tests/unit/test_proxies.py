"""Who asks, and over what, behind proxies that are named and before peers that are not."""

from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any

import pytest

from config.proxies import BehindProxies

NAMED = [ip_network("192.0.2.0/28"), ip_network("2001:db8::1/128")]
PROXY = "192.0.2.1"


def settled(peer: str, **headers: str) -> dict[str, Any]:
    """The request as the application behind the step sees it."""
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}
    BehindProxies(application, NAMED)(environ, lambda *_: None)
    return seen[0]


def test_unnamed_peer_is_believed_nothing() -> None:
    seen = settled("203.0.113.9", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert seen == {"REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "http"}


def test_named_proxy_is_believed_scheme_and_client() -> None:
    seen = settled(PROXY, HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert seen == {"REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "https"}


@pytest.mark.parametrize("scheme", ["http", "https, http", "http, https", "wss", ""])
def test_only_the_one_word_https_is_https(scheme: str) -> None:
    assert settled(PROXY, HTTP_X_FORWARDED_PROTO=scheme)["wsgi.url_scheme"] == "http"


def test_proxy_that_says_http_overrules_tls_between_it_and_us() -> None:
    seen = settled(PROXY, **{"wsgi.url_scheme": "https", "HTTP_X_FORWARDED_PROTO": "http"})
    assert seen["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the left one is what the client made up
        ("203.0.113.9, 192.0.2.2", "203.0.113.9"),  # two named proxies in a row
        ("198.51.100.7, 203.0.113.9, 192.0.2.2", "203.0.113.9"),
        ("192.0.2.3", "192.0.2.3"),
        ("", PROXY),
        (" , ", PROXY),
        ("203.0.113.9:5432", "203.0.113.9"),
        ("[2001:db8::9]:443", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", ""),
        ("203.0.113.9, unknown", ""),
    ],
)
def test_client_is_the_nearest_address_that_is_no_named_proxy(forwarded: str, client: str) -> None:
    assert settled(PROXY, HTTP_X_FORWARDED_FOR=forwarded)["REMOTE_ADDR"] == client


@pytest.mark.parametrize("peer", ["::ffff:192.0.2.1", "2001:db8::1", "2001:0db8:0::0001"])
def test_named_proxy_is_known_in_every_notation(peer: str) -> None:
    assert settled(peer, HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == "https"


def test_peer_on_a_socket_that_serves_both_protocols_is_told_as_ipv4() -> None:
    assert settled("::ffff:203.0.113.9")["REMOTE_ADDR"] == "203.0.113.9"


def test_peer_without_an_address_is_nobodys_proxy() -> None:
    assert settled("", HTTP_X_FORWARDED_PROTO="https") == {"REMOTE_ADDR": "", "wsgi.url_scheme": "http"}


@pytest.mark.parametrize("header", ["FORWARDED", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_REAL_IP"])
def test_other_forwarded_headers_are_gone_even_from_a_named_proxy(header: str) -> None:
    assert f"HTTP_{header}" not in settled(PROXY, **{f"HTTP_{header}": "attacker.example"})

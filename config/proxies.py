"""Who asks, and over what: the peer of the connection, or what a proxy named in the settings says of it."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_FOR, _PROTO = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"
# Nobody is asked about these, named or not: removed, so that no library ever believes them.
_NEVER_BELIEVED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)


class BehindProxies:
    """A WSGI application whose REMOTE_ADDR and wsgi.url_scheme are settled before it sees a request.

    X-Forwarded-For and X-Forwarded-Proto count only from a named peer, and are gone afterwards. Of
    X-Forwarded-For as many entries are believed, from the right, as there are named proxies in a row.
    """

    def __init__(self, application: Application, named: Sequence[Network]) -> None:
        self._application = application

        @lru_cache(maxsize=4096)
        def is_named(address: str) -> bool:
            ip = _ip(address)
            return ip is not None and any(ip in network for network in named)

        self._is_named = is_named

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Settle who asks, then pass on."""
        scheme, forwarded = environ.pop(_PROTO, None), environ.pop(_FOR, "")
        for header in _NEVER_BELIEVED:
            environ.pop(header, None)
        peer = environ.get("REMOTE_ADDR", "")
        if self._is_named(peer):
            if scheme is not None:
                environ["wsgi.url_scheme"] = "https" if scheme.strip().lower() == "https" else "http"
            peer = self._client(peer, forwarded)
        environ["REMOTE_ADDR"] = _plain(peer) if ":" in peer else peer
        return self._application(environ, start_response)

    def _client(self, peer: str, forwarded: str) -> str:
        """The nearest address that is no named proxy; "" where a named proxy gives something else."""
        address = peer
        said = [part.strip() for part in forwarded.split(",") if part.strip()]
        while said and self._is_named(address):
            address = _plain(said.pop())
        return address


def _plain(text: str) -> str:
    """An address as text: without a port, and IPv4 as IPv4; "" where it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return str(_ip(text) or "")


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if ip.version == 6 else ip

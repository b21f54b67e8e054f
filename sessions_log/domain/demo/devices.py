"""Where people and programs call from: user agents and addresses of documentation and private ranges."""

from dataclasses import dataclass
from random import Random

from sessions_log.domain.demo.people import Person

_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_WINDOWS = "Windows NT 10.0; Win64; x64"
_LINUX = "X11; Linux x86_64"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

DESKTOP_AGENTS = (
    f"Mozilla/5.0 ({_WINDOWS}) {_WEBKIT} Chrome/155.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_WINDOWS}) {_WEBKIT} Chrome/154.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_WINDOWS}) {_WEBKIT} Chrome/155.0.0.0 Safari/537.36 Edg/155.0.0.0",
    f"Mozilla/5.0 ({_WINDOWS}; rv:158.0) Gecko/20100101 Firefox/158.0",
    f"Mozilla/5.0 ({_MAC}) {_WEBKIT} Chrome/155.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_MAC}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Safari/605.1.15",
    f"Mozilla/5.0 ({_LINUX}; rv:157.0) Gecko/20100101 Firefox/157.0",
)

TABLET_AGENTS = (
    "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.4 Mobile/15E148 Safari/604.1",
)

# The field app: (agent before the version, model, operating system)
HANDSETS = (
    ("iOS 26.4; iPhone16,1", "iPhone16,1", "iOS 26.4"),
    ("iOS 26.4; iPhone17,3", "iPhone17,3", "iOS 26.4"),
    ("iOS 26.3; iPhone14,5", "iPhone14,5", "iOS 26.3"),
    ("iPadOS 26.4; iPad14,8", "iPad14,8", "iPadOS 26.4"),
    ("Android 16; Pixel 9", "Pixel 9", "Android 16"),
    ("Android 16; SM-S931U", "SM-S931U", "Android 16"),
    ("Android 15; SM-G556B", "SM-G556B", "Android 15"),
)
FIELD_RELEASES = ("4.18.2", "4.18.2", "4.18.2", "4.18.1", "4.17.6")

SERVICE_AGENTS = {
    "deploy-bot": "deploy-bot/3.9.2 (linux/amd64) go1.25.4",
    "permits": "permit-sync/2.14.0 Java-http-client/21.0.9",
    "site-ops": "site-ops-worker/7.2.1 python-httpx/0.28.1",
    "vendor-hub": "vendor-hub-jobs/5.30.4 node/22.21.1",
    "identity": "directory-sync/1.8.3 Go-http-client/2.0",
    "build-copilot": "copilot-indexer/0.41.0 python-httpx/0.28.1",
    "portal-web": "portal-web/2026.46.1 node/22.21.1",
    "field-app": "trailer-gateway/1.12.0 (armv7l)",
}
CONNECTOR_AGENT = "ledgerbridge-connector/4.6 (+https://ledgerbridge.example/docs) okhttp/5.1.0"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one person uses: desktop browser, handset, and the addresses that are his for the fortnight."""

    agent: str
    handset: tuple[str, str, str]
    release: str
    home: str
    vpn: str
    office: str

    @property
    def field_agent(self) -> str:
        return f"HarborforkField/{self.release} ({self.handset[0]})"


def desk_of(rng: Random, person: Person, number: int) -> Desk:
    """`number`: the person's place in the roster, which keeps the addresses of two people apart."""
    agents = TABLET_AGENTS if person.role == "superintendent" else DESKTOP_AGENTS
    return Desk(
        agent=rng.choice(agents),
        handset=rng.choice(HANDSETS),
        release=rng.choice(FIELD_RELEASES),
        home=f"198.51.100.{10 + number * 5 + rng.randrange(5)}",
        vpn=f"10.24.{rng.randrange(2, 6)}.{20 + number}",
        office=_office(rng, person, number),
    )


def _office(rng: Random, person: Person, number: int) -> str:
    if not person.is_staff:
        return f"203.0.113.{64 + number}"
    if person.city == "Chicago":
        return f"10.20.{rng.choice((14, 15, 31))}.{40 + number}"
    return rng.choice(("203.0.113.16", "203.0.113.17"))


def trailer_address(site_number: int) -> str:
    """The site trailer's line."""
    return f"203.0.113.{160 + site_number}"


def is_trailer(address: str | None) -> bool:
    return address is not None and address.startswith("203.0.113.1")


def mobile_address(rng: Random) -> str:
    """A carrier's: mostly IPv6, sometimes behind its IPv4 gateway."""
    if rng.random() < 0.6:
        area, cell, host = rng.randrange(256), rng.randrange(1, 65536), rng.randrange(1, 65536)
        return f"2001:db8:4c{area:02x}:{cell:x}::{host:x}"
    return f"192.0.2.{rng.randrange(1, 255)}"


def cluster_address(rng: Random) -> str:
    return f"10.40.{rng.randrange(8)}.{rng.randrange(2, 250)}"

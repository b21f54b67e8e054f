"""Findings: opened when something is not well, closed when it is again; both are records of the product itself."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sessions_log.commands.portal import record_action
from sessions_log.domain.findings import Seen
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.ports import Ports

_PRODUCT = Actor(user="muniment", session="health")


class Findings(Protocol):
    """Where findings are kept."""

    def note(self, seen: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
        """Open what is new, refresh what goes on, close what is not seen any more. Returns opened and closed."""

    def portal_id(self) -> int | None:
        """The id of the product's own organization, None before it is set up."""


def note_findings(seen: Iterable[Seen], findings: Findings, ports: Ports) -> None:
    """Make the open findings those that were seen now."""
    with ports.transaction():
        opened, closed = findings.note(list(seen))
        organization_id = findings.portal_id()
        if organization_id is None:
            return
        for action, changed in (("system.finding", opened), ("system.finding_closed", closed)):
            for one in changed:
                record_action(
                    PortalAction(
                        action=action,
                        actor=_PRODUCT,
                        organization_id=organization_id,
                        at=ports.clock(),
                        target=("finding", one.kind),
                        details={"about": one.about, "words": one.words},
                    ),
                    ports,
                )

"""Changing the key that signs a ledger: for a time both sign, so that whoever knows the old one learns of the new one.

Each step is stated in the ledger and recorded before it is taken: after a crash the same command takes it up again, and
may state it a second time.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions_log.commands.portal import record_action
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.domain.signed_note import InvalidNote, Note, VerifierKey, parse_note
from sessions_log.ports import LedgerSigner, Ports


class NothingToRetire(Exception):
    """One key alone signs the ledger."""


class NotSignedYet(Exception):
    """The newest checkpoint does not bear the new key's signature: who has only the old key would learn of nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSigningKey:
    """Let a new key sign beside the present one. origin: the ledger's name, where it has no key yet."""

    organization_id: int
    organization_uid: UUID
    origin: str
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireSigningKeys:
    """Let the newest key alone sign, and destroy the others. served: the newest checkpoint, as it is served."""

    organization_id: int
    organization_uid: UUID
    origin: str
    served: str | None
    actor: Actor


def rotate_signing_key(command: RotateSigningKey, signer: LedgerSigner, ports: Ports) -> None:
    """Make, announce and adopt a new key, unless two sign already.

    Raises KeyDestroyed, KeyringUnavailable, UnfitStatement; then the old key alone goes on signing.
    """
    with signer.changing(command.organization_uid, command.origin) as keys:
        signing = keys.signing()
        if len(signing) == 1:
            successor = keys.successor()
            details = {"keys": "signing", "new": str(successor), "replaces": [str(key) for key in signing]}
            _declare(command, details, ports)
            keys.adopt()


def retire_signing_keys(command: RetireSigningKeys, signer: LedgerSigner, ports: Ports) -> None:
    """End the time in which two keys sign, or finish what was interrupted.

    Raises NotSignedYet while no checkpoint has announced the new key, NothingToRetire, and what rotating raises.
    """
    with signer.changing(command.organization_uid, command.origin) as keys:
        *old, new = keys.signing()
        if old:
            _require_signed(keys.last_signed(), new)
            _require_signed(_note(command.served), new)
            details = {"keys": "signing", "retired": [str(key) for key in old], "signing": str(new)}
            _declare(command, details, ports)
        if not keys.retire_old():
            raise NothingToRetire("one key alone signs this ledger")


def _require_signed(note: Note | None, key: VerifierKey) -> None:
    if note is None or (key.name, key.id) not in {(one.name, one.key_id) for one in note.signatures}:
        raise NotSignedYet("the newest checkpoint does not bear the new key's signature yet")


def _note(served: str | None) -> Note | None:
    try:
        return parse_note(served.encode()) if served is not None else None
    except InvalidNote:
        return None


def _declare(command: RotateSigningKey | RetireSigningKeys, details: dict[str, Any], ports: Ports) -> None:
    """State it, and record who did it."""
    at = ports.clock()
    organization_id = command.organization_id
    with ports.transaction():
        make_statement(
            MakeStatement(organization_id=organization_id, type="key-rotation", details=details, at=at), ports
        )
        record_action(
            PortalAction(
                action="admin.change",
                actor=command.actor,
                organization_id=organization_id,
                at=at,
                target=("keys", "signing"),
                details=details,
            ),
            ports,
        )

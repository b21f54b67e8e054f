"""Stored signatures that are not of the keys that may have made them, each by its place and what is wrong with it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sessions_log.domain.cosignature import cosigned
from sessions_log.domain.signed_note import InvalidNote, VerifierKey, parse_note, verified
from sessions_log.domain.witness_policy import WitnessPolicy
from sessions_log.models import Checkpoint, Cosignature
from sessions_log.queries.ledger import latest_checkpoint

PlaceAndWords = tuple[str, str]
_AT_ONCE = 5_000


def retired_signature(
    organization_id: int, signing: Sequence[VerifierKey], keys: Sequence[VerifierKey]
) -> Iterator[PlaceAndWords]:
    """The newest checkpoint, where retired keys alone have signed it. One that no key signed is told elsewhere.

    signing: the keys that sign now. keys: these and the retired ones.
    """
    latest = latest_checkpoint(organization_id)
    if latest is None:
        return
    try:
        signers = verified(parse_note(latest.note.encode()), keys)
    except InvalidNote:
        return
    if not set(signers) & set(signing):
        yield f"checkpoint of {latest.size} entries", "it is the newest, and signed by a retired key alone"


def cosignature_faults(organization_id: int, policy: WitnessPolicy) -> Iterator[PlaceAndWords]:
    """The stored cosignatures of the policy's witnesses that are none of the checkpoint they were stored for."""
    known = {(key.name, key.id): key for key in policy.keys}
    stored = Cosignature.objects.filter(organization_id=organization_id).order_by("id")
    columns = ("checkpoint_id", "size", "witness", "key_id", "line", "cosigned_at")
    for checkpoint_id, size, witness, key_id, line, cosigned_at in stored.values_list(*columns).iterator(_AT_ONCE):
        key = known.get((witness, bytes(key_id)))
        if key is None:
            continue
        checkpoint = Checkpoint.objects.filter(organization_id=organization_id, id=checkpoint_id, size=size)
        note = checkpoint.values_list("note", flat=True).first()
        if note is None or not _is_of(note, line, key, cosigned_at):
            yield f"cosignature of {size} entries by {witness}", "it is none of the checkpoint that is stored"


def _is_of(note: str, line: str, key: VerifierKey, at: datetime) -> bool:
    try:
        found = cosigned(line, note.rpartition("\n\n")[0] + "\n", [key])
    except InvalidNote:
        return False
    return [one.at for one in found] == [at]

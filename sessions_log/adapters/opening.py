"""Opening sealed parts for those who may see them."""

from collections.abc import Sequence
from uuid import UUID

from sessions_log.domain import sealing
from sessions_log.domain.entries import IdentityPart, decode_identity
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.sealing import CannotOpen, PartCipher
from sessions_log.models import SubjectKey
from sessions_log.ports import EpochKeys, KeyDestroyed, Keyring


class PartOpener:
    """Lookups and opened parts of one organization. Keeps no key beyond a call: an erasure takes effect at once."""

    def __init__(self, organization_uid: UUID, epoch: int, keyring: Keyring) -> None:
        self._uid = organization_uid
        self._epoch = epoch
        self._keyring = keyring

    def lookup(self, table: str, value: str) -> bytes:
        """The keyed hash of an exact value in the current epoch."""
        return sealing.lookup(self._keys(self._epoch).search, table, value)

    def open(self, rows: Sequence[tuple[UUID, UUID, bytes | None]]) -> list[IdentityPart | None]:
        """The identity parts of (entry id, subject id, sealed), None where the key or the part is gone."""
        ciphers = self._ciphers({subject for _, subject, _ in rows})
        return [self._open(ciphers.get(subject), entry, sealed) for entry, subject, sealed in rows]

    def _open(self, cipher: PartCipher | None, entry: UUID, sealed: bytes | None) -> IdentityPart | None:
        if cipher is None or sealed is None:
            return None
        try:
            return decode_identity(cipher.open(sealed, entry_id=entry.bytes, kind=KIND_SESSION_LOG))
        except CannotOpen:
            return None

    def _ciphers(self, subjects: set[UUID]) -> dict[UUID, PartCipher]:
        keys = SubjectKey.objects.filter(subject__in=subjects, part=sealing.PART_IDENTITY)
        made = (
            (subject, self._cipher(epoch, bytes(wrapped)))
            for subject, epoch, wrapped in keys.values_list("subject_id", "epoch", "wrapped")
        )
        return {subject: cipher for subject, cipher in made if cipher is not None}

    def _cipher(self, epoch: int, wrapped: bytes) -> PartCipher | None:
        """None where the key cannot be had any more: its epoch is over, or its row was changed."""
        try:
            key = sealing.unwrap(wrapped, self._keys(epoch).wrapping)
        except (KeyDestroyed, CannotOpen):
            return None
        return PartCipher(key, sealing.PART_IDENTITY)

    def _keys(self, number: int) -> EpochKeys:
        return self._keyring.epoch(self._uid, number)

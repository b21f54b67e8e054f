"""Opening sealed parts for those who may see them."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from uuid import UUID

from sessions_log.domain import sealing
from sessions_log.domain.entries import IdentityPart, decode_identity
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.sealing import CannotOpen, PartCipher
from sessions_log.models import Organization, SubjectKey
from sessions_log.ports import EpochKeys, KeyDestroyed, Keyring


class PartOpener:
    """Lookups and opened parts of one organization, for one request. Keeps no key: an erasure takes effect at once."""

    def __init__(self, organization_uid: UUID, keyring: Keyring) -> None:
        self._uid = organization_uid
        self._keyring = keyring

    def lookups(self, table: str, value: str) -> list[bytes]:
        """The keyed hashes of an exact value, one for each epoch in use: more than one while the keys change."""
        return [sealing.lookup(self._keys(epoch).search, table, value) for epoch in self._epochs]

    @cached_property
    def _epochs(self) -> list[int]:
        both = Organization.objects.values_list("epoch", "old_epoch").get(uid=self._uid)
        return [epoch for epoch in both if epoch is not None]

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
        try:
            return self._unwrapped(subjects)
        except KeyDestroyed:
            # The keys' change may have been finished since they were read: they are under the next epoch then.
            return self._unwrapped(subjects, is_last_try=True)

    def _unwrapped(self, subjects: set[UUID], *, is_last_try: bool = False) -> dict[UUID, PartCipher]:
        """The ciphers of those whose key can be had. Raises KeyDestroyed for an epoch that is over."""
        keys = SubjectKey.objects.filter(subject__in=subjects, part=sealing.PART_IDENTITY)
        made: dict[UUID, PartCipher] = {}
        for subject, epoch, wrapped in keys.values_list("subject_id", "epoch", "wrapped"):
            with suppress(CannotOpen, *([KeyDestroyed] if is_last_try else [])):
                key = sealing.unwrap(bytes(wrapped), self._keys(epoch).wrapping)
                made[subject] = PartCipher(key, sealing.PART_IDENTITY)
        return made

    def _keys(self, number: int) -> EpochKeys:
        return self._keyring.epoch(self._uid, number)

"""Checkpoints: each ledger's head is signed soon after it has grown, and once an hour where it has not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_log.ports import Checkpoints, HeadRefused, KeyDestroyed, LedgerSigner

AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Checkpointer:
    """origin: what stands before an organization's slug in its ledger's name, as `audit.example`."""

    checkpoints: Checkpoints
    signer: LedgerSigner
    origin: str

    def publish(self, now: datetime) -> int:
        """Sign and store what is due. Returns how many checkpoints that were.

        Raises KeyringUnavailable, and what storage raises; after all others are signed, HeadRefused where the signer
        refused a head (then the database was set back or changed), KeyDestroyed where an organization has no keys.
        """
        published = 0
        refused: HeadRefused | KeyDestroyed | None = None
        for ledger in self.checkpoints.due(now - AGAIN_AFTER):
            try:
                if ledger.head is None:
                    raise HeadRefused("the ledger's head does not belong to its size")
                note = self.signer.sign(ledger.uid, f"{self.origin}/{ledger.slug}", ledger.head, now)
            except (HeadRefused, KeyDestroyed) as error:
                refused = error
            else:
                self.checkpoints.add(ledger, note)
                published += 1
        if refused is not None:
            raise refused
        return published

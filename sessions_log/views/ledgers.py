"""`/api/v1/ledgers/{organization}/…`: what others' programs need to check a ledger; nothing in it can be read."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sessions_log import wiring
from sessions_log.domain import proofs
from sessions_log.domain.merkle import consistency_proof, inclusion_proof
from sessions_log.domain.service_key import KnownKey
from sessions_log.domain.tiles import parse_tile_path
from sessions_log.models import Checkpoint, Organization
from sessions_log.permissions import MayReadLedger
from sessions_log.queries import ledger
from sessions_log.queries.organizations import organization_by_slug
from sessions_log.serializers.problems import Problem
from sessions_log.serializers.schema_ledgers import (
    read_checkpoint,
    read_consistency,
    read_keys,
    read_proof,
    read_tile,
)

_FOR_EVER = "max-age=31536000, immutable"
_SOON_S = 10


class LedgerView(APIView):
    """What is common: whose ledger it is, and who may see it."""

    scopes: ClassVar[dict[str, str]] = {"GET": "ledger"}
    permission_classes = (MayReadLedger,)

    def organization(self, request: Request, slug: str) -> Organization:
        """The organization. Raises Problem (404) for one that is not there, or not the key's."""
        organization = organization_by_slug(slug)
        key = request.auth
        is_own = isinstance(key, KnownKey) and organization is not None and key.organization_id == organization.id
        if organization is None or not (is_own or settings.IS_LEDGER_PUBLIC):
            raise Problem(404, "There is no such ledger.")
        return organization

    def checkpoint(self, organization: Organization) -> Checkpoint:
        """Its latest checkpoint. Raises Problem (404) before there is one."""
        checkpoint = ledger.latest_checkpoint(organization.id)
        if checkpoint is None:
            raise Problem(404, "The ledger has no checkpoint yet.", retry_after_s=_SOON_S)
        return checkpoint


class CheckpointView(LedgerView):
    """The latest checkpoint."""

    @read_checkpoint
    def get(self, request: Request, organization: str) -> HttpResponse:
        """The signed note, with the cosignatures that there are by now."""
        latest = self.checkpoint(self.organization(request, organization))
        return _checkpoint(ledger.with_cosignatures(latest, wiring.witness_policy()), lambda note: note)


class TileView(LedgerView):
    """Hash tiles and entry bundles."""

    @read_tile
    def get(self, request: Request, organization: str, place: str) -> HttpResponse:
        """A tile of the latest checkpoint's tree or an earlier one's; it never changes."""
        own = self.organization(request, organization)
        asked = parse_tile_path(place)
        tile = None if asked is None else ledger.tile(own.id, asked, self.checkpoint(own).size)
        if tile is None:
            raise Problem(404, "The ledger has no such tile.")
        response = HttpResponse(tile, content_type="application/octet-stream")
        reach = "public" if settings.IS_LEDGER_PUBLIC else "private"
        response["Cache-Control"] = f"{reach}, {_FOR_EVER}"
        return response


class ProofView(LedgerView):
    """Proofs of single entries."""

    @read_proof
    def get(self, request: Request, organization: str, entry_id: UUID) -> HttpResponse:
        """The proof that the entry's leaf is under the newest witnessed checkpoint, else under the latest."""
        own = self.organization(request, organization)
        seq = ledger.seq_of(own.id, entry_id)
        if seq is None:
            raise Problem(404, "The ledger has no such entry.")
        checkpoint = self.checkpoint(own)
        if seq >= checkpoint.size:
            raise Problem(404, "The entry is not under a checkpoint yet.", retry_after_s=_SOON_S)
        policy = wiring.witness_policy()
        chosen = ledger.latest_witnessed_checkpoint(own.id, policy)
        if chosen is None or seq >= chosen.checkpoint.size:
            chosen = ledger.with_cosignatures(checkpoint, policy)
        path = inclusion_proof(seq, chosen.checkpoint.size, ledger.subtrees(own.id))
        return _checkpoint(chosen, lambda note: proofs.inclusion_text(seq, path, note))


class ConsistencyView(LedgerView):
    """Proofs that an earlier tree is the beginning of the latest one."""

    @read_consistency
    def get(self, request: Request, organization: str) -> HttpResponse:
        """The proof from the tree of `old` entries to the latest checkpoint's."""
        own = self.organization(request, organization)
        checkpoint = self.checkpoint(own)
        old = _size(request, checkpoint.size)
        path = consistency_proof(old, checkpoint.size, ledger.subtrees(own.id))
        return _text(proofs.consistency_text(old, path, checkpoint.note))


class KeysView(LedgerView):
    """The ledger's keys."""

    @read_keys
    def get(self, request: Request, organization: str) -> HttpResponse:
        """Verifier keys (vkeys), one a line; those that sign now come first."""
        own = self.organization(request, organization)
        origin = f"{settings.LEDGER_ORIGIN}/{own.slug}"
        return _text("".join(f"{key}\n" for key in wiring.ledger_signer().verifiers(own.uid, origin)))


def _size(request: Request, largest: int) -> int:
    given = request.query_params.getlist("old")
    if len(given) != 1 or not given[0].isascii() or not given[0].isdecimal() or len(given[0]) > 19:
        raise _wrong("must be given once, as a whole number")
    if int(given[0]) > largest:
        raise _wrong(f"must not be above the latest checkpoint's size, {largest}")
    return int(given[0])


def _wrong(reason: str) -> Problem:
    return Problem(400, f"old {reason}.", errors=[{"path": "old", "reason": reason}])


def _checkpoint(chosen: ledger.CosignedCheckpoint, written: Callable[[str], str]) -> HttpResponse:
    response = _text(written(chosen.note))
    response["Muniment-Witnessed"] = "yes" if chosen.is_witnessed else "no"
    return response


def _text(content: str) -> HttpResponse:
    return HttpResponse(content, content_type="text/plain; charset=utf-8")

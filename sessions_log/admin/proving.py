"""Prove this: where an entry stands in its ledger, seen to be so just now, and the files that show it elsewhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

from django.http import Http404, HttpResponse

from sessions_log import wiring
from sessions_log.domain.evidence import NoLeaf, Place, Substance, evidence
from sessions_log.domain.signed_note import InvalidNote, VerifierKey, parse_note, verified
from sessions_log.models import Organization
from sessions_log.queries.evidence import place_in_ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the card of an entry shows. faults: in words, what does not hold; empty where everything does."""

    seq: int
    place: Place | None
    signers: tuple[VerifierKey, ...]
    faults: tuple[str, ...]
    took: timedelta
    stem: str

    @property
    def took_words(self) -> str:
        """`0.3 ms`."""
        return f"{self.took / timedelta(milliseconds=1):.1f} ms"


def prove(organization: Organization, seq: int, gives: Callable[[bytes], bool]) -> Proof:
    """An entry's place with all that can be checked of it here.

    gives: whether what is stored of the entry is what a leaf stands for.
    """
    began = perf_counter()
    place = place_in_ledger(organization.id, seq, wiring.witness_policy())
    signers = _signers(organization, place)
    return Proof(
        seq=seq,
        place=place,
        signers=signers,
        faults=_faults(place, signers, gives),
        took=timedelta(seconds=perf_counter() - began),
        stem=stem(organization, seq),
    )


def _faults(place: Place | None, signers: tuple[VerifierKey, ...], gives: Callable[[bytes], bool]) -> tuple[str, ...]:
    if place is None:
        return ("The ledger holds no leaf at this place.",)
    faults = [] if gives(place.leaf) else ["What is stored of the entry does not give the leaf that the ledger holds."]
    if place.head is not None:
        if not place.leads_to_head():
            faults.append("The leaf does not lead to the root that the checkpoint has signed.")
        if not signers:
            faults.append("The checkpoint is not signed by the key of the ledger.")
    return tuple(faults)


def _signers(organization: Organization, place: Place | None) -> tuple[VerifierKey, ...]:
    """The ledger's keys that have signed the checkpoint; none where a signature does not hold."""
    if place is None or place.head is None:
        return ()
    try:
        keys = wiring.ledger_keys(organization.uid, organization.slug)
        return tuple(verified(parse_note(place.head.note.encode()), keys))
    except InvalidNote:
        return ()


def stem(organization: Organization, seq: int) -> str:
    """What the files of an entry are called, without their endings."""
    return f"{organization.slug}-{seq}"


def proof_file(organization: Organization, seq: int) -> HttpResponse:
    """The `.tlog-proof` of an entry. Raises Http404 while no checkpoint covers it."""
    place = _covered(organization, seq)
    return download(place.proof(), f"{stem(organization, seq)}.tlog-proof")


def evidence_file(organization: Organization, seq: int, substance: Substance) -> HttpResponse:
    """The evidence file of an entry. Raises Http404 while no checkpoint covers it."""
    try:
        document = evidence(_covered(organization, seq), substance)
    except NoLeaf:
        raise Http404("the ledger holds no such leaf at this place") from None
    whole = json.dumps(document, indent=1) + "\n"
    return download(whole, f"{stem(organization, seq)}.json", "application/json")


def download(content: str, name: str, content_type: str = "text/plain; charset=utf-8") -> HttpResponse:
    """A text as a file to be kept."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _covered(organization: Organization, seq: int) -> Place:
    place = place_in_ledger(organization.id, seq, wiring.witness_policy())
    if place is None or place.head is None:
        raise Http404("the entry is not under a checkpoint yet")
    return place

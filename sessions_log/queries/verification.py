"""What the verifications came to."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from sessions_log.domain.verification.runs import Kind
from sessions_log.models import Organization, Verification


@dataclass(frozen=True, slots=True)
class FailedLedger:
    """A ledger in which something is wrong: the first place, what is wrong there, and in how many runs it was seen."""

    slug: str
    place: str
    words: str
    runs: int


def latest_verification(organization_id: int) -> Verification | None:
    """The last finished look at an organization's ledger, of whatever kind; None before the first."""
    return Verification.objects.filter(organization_id=organization_id).order_by("-id").first()


def failed_ledgers() -> list[FailedLedger]:
    """Ledgers with a failed run that no later one over the same, looking as deep, has found to be well."""
    slugs = dict(Organization.objects.values_list("id", "slug"))
    failed: dict[int, FailedLedger] = {}
    for run in _open_failures():
        runs = failed[run.organization_id].runs + 1 if run.organization_id in failed else 1
        failed[run.organization_id] = FailedLedger(slugs.get(run.organization_id, "?"), run.place, run.words, runs)
    return sorted(failed.values(), key=lambda one: one.slug)


def _open_failures() -> list[Verification]:
    """Oldest first. One against a checkpoint from elsewhere is over only with another such."""
    as_deep = Q(kind__gte=OuterRef("kind")) & (Q(kind__lt=Kind.AGAINST) | Q(kind=OuterRef("kind")))
    later = Verification.objects.filter(
        as_deep,
        organization_id=OuterRef("organization_id"),
        id__gt=OuterRef("id"),
        faults=0,
        first_seq__lte=OuterRef("first_seq"),
        end_seq__gte=OuterRef("end_seq"),
    )
    return list(Verification.objects.filter(Q(faults__gt=0) & ~Exists(later)).order_by("id")[:1000])

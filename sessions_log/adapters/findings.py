"""Findings in the database."""

from collections.abc import Sequence

from django.utils import timezone

from sessions_log.domain.findings import Seen
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION
from sessions_log.models import Finding, Organization


class FindingRepository:
    """See `sessions_log.commands.findings.Findings`."""

    def note(self, seen: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
        """See the protocol."""
        open_now = {(one.kind, one.about): one for one in Finding.objects.filter(closed_at=None).select_for_update()}
        seen_now = {(one.kind, one.about): one for one in seen}
        now = timezone.now()
        opened = [one for key, one in seen_now.items() if key not in open_now]
        for one in opened:
            Finding.objects.create(kind=one.kind, about=one.about, words=one.words[:300], last_seen_at=now)
        closed = []
        for key, finding in open_now.items():
            if key in seen_now:
                finding.words, finding.last_seen_at = seen_now[key].words[:300], now
            else:
                finding.closed_at = now
                closed.append(Seen(finding.kind, finding.about, finding.words))
            finding.save(update_fields=("words", "last_seen_at", "closed_at"))
        return opened, closed

    def portal_id(self) -> int | None:
        """See the protocol."""
        return Organization.objects.filter(slug=PORTAL_ORGANIZATION).values_list("id", flat=True).first()

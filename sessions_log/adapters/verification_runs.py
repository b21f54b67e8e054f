"""Runs of the verification, and how far those on their way have come, in the database."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from sessions_log.domain.verification.results import Fault
from sessions_log.domain.verification.runs import Kind, Position, Run
from sessions_log.domain.verification.scope import VerifiedLedger
from sessions_log.models import LedgerHead, Organization, Verification, VerificationPosition


class VerificationRuns:
    """See `sessions_log.commands.verifying.Runs`."""

    def ledgers(self, kind: Kind) -> list[VerifiedLedger]:
        """See the protocol."""
        moved = VerificationPosition.objects.filter(organization_id=OuterRef("id"), kind=kind).values("moved_at")
        heads = LedgerHead.objects.filter(size__gt=0).values("organization_id")
        with_entries = Organization.objects.filter(id__in=heads).alias(moved=Subquery(moved))
        in_turn = with_entries.order_by(F("moved").asc(nulls_first=True), "id")
        return [VerifiedLedger(*row) for row in in_turn.values_list("id", "uid", "slug")]

    def size(self, organization_id: int) -> int:
        """See the protocol."""
        return LedgerHead.objects.filter(organization_id=organization_id).values_list("size", flat=True).first() or 0

    def position(self, organization_id: int, kind: Kind) -> Position | None:
        """See the protocol."""
        row = VerificationPosition.objects.filter(organization_id=organization_id, kind=kind).first()
        if row is None:
            return None
        return Position(
            organization_id=organization_id,
            kind=kind,
            started_at=row.started_at,
            next_seq=row.next_seq,
            entries=row.entries,
            opened=row.opened,
            checkpoints=row.checkpoints,
            faults=row.faults,
            fault=Fault(row.place, row.words) if row.faults else None,
        )

    def is_done(self, organization_id: int, kind: Kind, since: datetime) -> bool:
        """See the protocol."""
        done = Verification.objects.filter(organization_id=organization_id, kind=kind, first_seq=0)
        return done.filter(started_at__gte=since).exists()

    def note(self, runs: list[Run], position: Position, at: datetime, *, is_over: bool = False) -> None:
        """See the protocol."""
        kept = VerificationPosition.objects.filter(organization_id=position.organization_id, kind=position.kind)
        with transaction.atomic():
            self.add(runs)
            if is_over:
                kept.delete()
                return
            VerificationPosition.objects.update_or_create(
                organization_id=position.organization_id,
                kind=position.kind,
                defaults={
                    "next_seq": position.next_seq,
                    "started_at": position.started_at,
                    "moved_at": at,
                    "entries": position.entries,
                    "opened": position.opened,
                    "checkpoints": position.checkpoints,
                    "faults": position.faults,
                    **_said(position.fault),
                },
            )

    def add(self, runs: list[Run]) -> None:
        """Keep finished runs."""
        Verification.objects.bulk_create(
            Verification(
                organization_id=run.organization_id,
                kind=run.kind,
                first_seq=run.first_seq,
                end_seq=run.end_seq,
                entries=run.entries,
                opened=run.opened,
                checkpoints=run.checkpoints,
                started_at=run.started_at,
                finished_at=run.finished_at,
                faults=run.faults,
                **_said(run.fault),
            )
            for run in runs
        )


def _said(fault: Fault | None) -> dict[str, str]:
    return {"place": fault.place[:120], "words": fault.words[:200]} if fault else {"place": "", "words": ""}

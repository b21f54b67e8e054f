"""The ledger: its state, its keys, how to check it oneself, and the checkpoints that were signed."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from sessions_log import wiring
from sessions_log.admin.base import CURSOR, ReadOnlyAdmin, organization_to_see
from sessions_log.admin.looks import record_look
from sessions_log.admin.proving import download
from sessions_log.domain.merkle import consistency_proof
from sessions_log.domain.proofs import consistency_text
from sessions_log.models import Checkpoint, Organization
from sessions_log.queries import ledger
from sessions_log.queries.filter_values import ledger_size
from sessions_log.queries.statements import latest_statements
from sessions_log.queries.verification import latest_verification
from sessions_log.templatetags.portal import count, moment, short_hash


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """Newest first. Nothing here can be read of a record: hashes, sizes and signatures."""

    page_title = "Ledger"
    singular = "checkpoint"
    empty_words = "The first checkpoint is signed within seconds of the first entry."
    list_display = ("signed", "entries", "root_hash", "signers")

    def get_urls(self) -> list[URLPattern]:
        """A list, a checkpoint, and what of them is kept elsewhere."""
        protect = self.admin_site.admin_view
        return [
            path("keys/", protect(self.keys), name="sessions_log_checkpoint_keys"),
            path("<int:checkpoint_id>/", protect(self.checkpoint), name="sessions_log_checkpoint_change"),
            path("<int:checkpoint_id>/note/", protect(self.note), name="sessions_log_checkpoint_note"),
            path("<int:checkpoint_id>/growth/", protect(self.growth), name="sessions_log_checkpoint_growth"),
            *[url for url in super().get_urls() if url.name == "sessions_log_checkpoint_changelist"],
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, on its first page under what is to be known of the ledger."""
        organization = organization_to_see(request)
        if CURSOR in request.GET:
            return super().changelist_view(request, extra_context)
        latest, policy = ledger.latest_checkpoint(organization.pk), wiring.witness_policy()
        signing = wiring.signing_keys(organization.uid, organization.slug)
        size = ledger_size(organization.pk)
        known = {
            "is_first_page": True,
            "size": size,
            "latest": latest,
            "unsigned": size - (latest.size if latest else 0),
            "keys": signing,
            "retired": [key for key in wiring.ledger_keys(organization.uid, organization.slug) if key not in signing],
            "policy": policy,
            "cosigned": ledger.with_cosignatures(latest, policy) if latest else None,
            "statements": latest_statements(organization.pk),
            "verification": latest_verification(organization.pk),
        }
        return super().changelist_view(request, {**known, **(extra_context or {})})

    def checkpoint(self, request: HttpRequest, checkpoint_id: int) -> HttpResponse:
        """One checkpoint, as it was signed."""
        organization = organization_to_see(request)
        one = _checkpoint(organization, checkpoint_id)
        latest = ledger.latest_checkpoint(organization.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Checkpoint of {one.size:,} entries",
            "opts": self.opts,
            "one": one,
            "latest": latest,
            "cosigned": ledger.with_cosignatures(one, wiring.witness_policy()),
        }
        return TemplateResponse(request, "portal/checkpoint.html", context)

    def note(self, request: HttpRequest, checkpoint_id: int) -> HttpResponse:
        """A checkpoint to be kept elsewhere."""
        organization = organization_to_see(request)
        one = _checkpoint(organization, checkpoint_id)
        _record_export(request, organization, "checkpoint", one.size)
        note = ledger.with_cosignatures(one, wiring.witness_policy()).note
        return download(note, f"{organization.slug}-{one.size}.checkpoint")

    def growth(self, request: HttpRequest, checkpoint_id: int) -> HttpResponse:
        """The proof that this checkpoint is the beginning of the latest one."""
        organization = organization_to_see(request)
        one, latest = _checkpoint(organization, checkpoint_id), ledger.latest_checkpoint(organization.pk)
        if latest is None or latest.size < one.size:
            raise Http404("no checkpoint is as large as this one")
        path_up = consistency_proof(one.size, latest.size, ledger.subtrees(organization.pk))
        _record_export(request, organization, "growth", one.size)
        name = f"{organization.slug}-{one.size}-{latest.size}.growth"
        return download(consistency_text(one.size, path_up, latest.note), name)

    def keys(self, request: HttpRequest) -> HttpResponse:
        """The verifier keys that sign now, one a line: who has kept a retired one does not get it from here."""
        organization = organization_to_see(request)
        _record_export(request, organization, "keys", None)
        keys = wiring.signing_keys(organization.uid, organization.slug)
        return download("".join(f"{key}\n" for key in keys), f"{organization.slug}.vkeys")

    @admin.display(description="Signed")
    def signed(self, row: Checkpoint) -> SafeString:
        """The link of the row."""
        return moment(row.signed_at)

    @admin.display(description="Entries")
    def entries(self, row: Checkpoint) -> SafeString:
        """How many it covers."""
        return count(row.size)

    @admin.display(description="Root")
    def root_hash(self, row: Checkpoint) -> SafeString:
        """The hash over all of them."""
        return short_hash(bytes(row.root))

    @admin.display(description="Signatures")
    def signers(self, row: Checkpoint) -> SafeString:
        """How many signatures stand under it."""
        return count(row.note.count("\n\N{EM DASH} "))


def _checkpoint(organization: Organization, checkpoint_id: int) -> Checkpoint:
    one = Checkpoint.objects.filter(organization_id=organization.pk, id=checkpoint_id).first()
    if one is None:
        raise Http404("no such checkpoint in this organization")
    return one


def _record_export(request: HttpRequest, organization: Organization, file: str, size: int | None) -> None:
    details = {"file": file} if size is None else {"file": file, "entries": size}
    record_look(request, organization, "admin.export", target=("page", "ledger"), details=details)

"""Statements: what the product itself declared about a ledger, in words, with proof."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin, organization_to_see
from sessions_log.admin.looks import record_look
from sessions_log.admin.proving import evidence_file, proof_file, prove
from sessions_log.domain.evidence import Substance
from sessions_log.domain.statements import details_of, statement_leaf
from sessions_log.models import Organization, Statement
from sessions_log.queries.statements import statement
from sessions_log.templatetags.portal import count, moment
from sessions_log.templatetags.statements import in_one_line, statement_type


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    """Newest first: by their places in the ledger."""

    page_title = "Statements"
    singular = "statement"
    empty_words = "What Muniment does to a ledger is declared in it: digests, gaps, rotated keys, erasures, policies."
    keyset = ("-seq",)
    list_display = ("stated", "declares", "says", "place")

    def get_urls(self) -> list[URLPattern]:
        """A list, a statement, and its proof."""
        protect = self.admin_site.admin_view
        return [
            path("<uuid:statement_id>/", protect(self.page), name="sessions_log_statement_change"),
            path("<uuid:statement_id>/proof/", protect(self.proof), name="sessions_log_statement_proof"),
            path("<uuid:statement_id>/evidence/", protect(self.evidence), name="sessions_log_statement_evidence"),
            *[url for url in super().get_urls() if url.name == "sessions_log_statement_changelist"],
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and the record of the look at it."""
        record_look(request, organization_to_see(request), "admin.view", target=("page", "statements"))
        return super().changelist_view(request, extra_context)

    def page_meta(self, request: HttpRequest) -> str:
        """How the list is ordered, and what looking at it leaves."""
        return "newest first · this look is recorded"

    def page(self, request: HttpRequest, statement_id: UUID) -> HttpResponse:
        """One statement."""
        organization = organization_to_see(request)
        one = _statement(organization, statement_id)
        record_look(request, organization, "admin.view", target=("statement", str(one.pk)))
        body = bytes(one.body)
        context = {
            **self.admin_site.each_context(request),
            "title": statement_type(one.type),
            "opts": self.opts,
            "one": one,
            "details": details_of(body),
            "body": body.decode(),
            "proof": prove(organization, one.seq, statement_leaf(body).__eq__),
        }
        return TemplateResponse(request, "portal/statement.html", context)

    def proof(self, request: HttpRequest, statement_id: UUID) -> HttpResponse:
        """The statement's `.tlog-proof`."""
        organization = organization_to_see(request)
        one = _statement(organization, statement_id)
        answer = proof_file(organization, one.seq)
        _record_export(request, organization, one, "proof")
        return answer

    def evidence(self, request: HttpRequest, statement_id: UUID) -> HttpResponse:
        """The statement with its proof."""
        organization = organization_to_see(request)
        one = _statement(organization, statement_id)
        answer = evidence_file(organization, one.seq, Substance(entry_id=one.pk, statement=bytes(one.body)))
        _record_export(request, organization, one, "evidence")
        return answer

    @admin.display(description="Stated")
    def stated(self, row: Statement) -> SafeString:
        """The link of the row."""
        return moment(row.stated_at)

    @admin.display(description="Declares")
    def declares(self, row: Statement) -> str:
        """Its type in words."""
        return statement_type(row.type)

    @admin.display(description="Says")
    def says(self, row: Statement) -> SafeString:
        """Its details on one line."""
        return in_one_line(details_of(bytes(row.body)))

    @admin.display(description="Seq")
    def place(self, row: Statement) -> SafeString:
        """Its place in the ledger."""
        return count(row.seq)


def _statement(organization: Organization, statement_id: UUID) -> Statement:
    one = statement(organization.pk, statement_id)
    if one is None:
        raise Http404("no such statement in this organization")
    return one


def _record_export(request: HttpRequest, organization: Organization, one: Statement, file: str) -> None:
    details = {"file": file, "seq": one.seq}
    record_look(request, organization, "admin.export", target=("statement", str(one.pk)), details=details)

"""Session logs: the list with its filters and exact search, and one record with its session around it."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from sessions_log import wiring
from sessions_log.admin.base import IDENTIFY, ReadOnlyAdmin, may, organization_to_see
from sessions_log.admin.looks import record_look
from sessions_log.admin.proving import evidence_file, proof_file, prove
from sessions_log.admin.session_log_filters import SessionLogFilters
from sessions_log.admin.timeline import AROUND, timeline
from sessions_log.domain.evidence import Substance, opened_identity
from sessions_log.domain.sealing import PART_IDENTITY
from sessions_log.models import Organization, SessionLog
from sessions_log.queries.evidence import is_row_of, row_of_entry
from sessions_log.queries.exact_search import find_exactly
from sessions_log.queries.filter_values import actions_seen, ledger_size, services_of
from sessions_log.queries.session_logs import (
    Opener,
    Search,
    SessionLogPage,
    SessionLogRow,
    course_of_session,
    session_log,
    session_log_page,
)

_LIST = "sessions_log_sessionlog_changelist"
_LONGEST_VALUE = 1200
_NOTHING = SessionLogPage([], has_older=False, has_newer=False)


@admin.register(SessionLog)
class SessionLogAdmin(ReadOnlyAdmin):
    """Its pages show what the queries give: the rows of the table are sealed."""

    def get_urls(self) -> list[URLPattern]:
        """A list, a search and a record; nothing else can be done to a session log."""
        protect = self.admin_site.admin_view
        return [
            path("", protect(self.list_page), name=_LIST),
            path("search/", protect(self.search), name="sessions_log_sessionlog_search"),
            path("<uuid:log_id>/", protect(self.record_page), name="sessions_log_sessionlog_change"),
            path("<uuid:log_id>/proof/", protect(self.proof), name="sessions_log_sessionlog_proof"),
            path("<uuid:log_id>/evidence/", protect(self.evidence), name="sessions_log_sessionlog_evidence"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """A page of records under the filters of the address."""
        organization = organization_to_see(request)
        filters = _filters(organization, request.GET.dict())
        page = _page(filters, organization, _opener(request, organization))
        if filters.is_forwards and not page.has_newer and not filters.faults:
            # Going newer has arrived at the newest: the first page, whole, in place of what is left above.
            return HttpResponseRedirect(filters.first_page_url)
        details = {"asked": filters.asked, "rows": len(page.rows)}
        record_look(request, organization, "admin.view", target=("page", "session-logs"), details=details)
        return self._render_list(request, filters, page)

    @method_decorator([require_POST, sensitive_post_parameters("q")])
    def search(self, request: HttpRequest) -> HttpResponse:
        """Find an exact value; the address of the answer names a random id, never the value."""
        organization = organization_to_see(request)
        if not may(request, IDENTIFY):
            raise PermissionDenied
        value = request.POST.get("q", "").strip()[:_LONGEST_VALUE]
        if not value:
            return HttpResponseRedirect(reverse(f"admin:{_LIST}"))
        found = find_exactly(organization.pk, value, _opener(request, organization))
        # What was found, never the value: the record of a search must not outlive the person it was for.
        details = {"found": [f"{one.kind}:{one.id}" for one in found]}
        record_look(request, organization, "admin.search", target=("page", "session-logs"), details=details)
        if found:
            return HttpResponseRedirect(f"{reverse(f'admin:{_LIST}')}?found={found[0].kind}:{found[0].id}")
        return self._render_list(request, _filters(organization, {}), _NOTHING, searched=value)

    def record_page(self, request: HttpRequest, log_id: UUID) -> HttpResponse:
        """One record: its facts, who it was, and what else happened in its session."""
        organization = organization_to_see(request)
        opener = _opener(request, organization)
        row = _record(organization, log_id, opener)
        record_look(request, organization, "admin.view", target=("session-log", str(row.id)))
        context = {
            "title": row.action,
            "row": row,
            "recorded_after": max(row.recorded_at - row.timestamp, timedelta()),
            "findings": sorted((row.findings or {}).items()),
            "newer": _neighbour(organization, after=row.id),
            "older": _neighbour(organization, before=row.id),
            "timeline": timeline(course_of_session(row, opener, AROUND + 1), row.id),
            "proof": prove(organization, row.seq, partial(is_row_of, organization, row.id)),
        }
        return self._render(request, "portal/session_log.html", context)

    def proof(self, request: HttpRequest, log_id: UUID) -> HttpResponse:
        """The record's `.tlog-proof`."""
        organization = organization_to_see(request)
        row = _record(organization, log_id, _closed(organization))
        answer = proof_file(organization, row.seq)
        details = {"file": "proof", "seq": row.seq}
        record_look(request, organization, "admin.export", target=("session-log", str(row.id)), details=details)
        return answer

    def evidence(self, request: HttpRequest, log_id: UUID) -> HttpResponse:
        """The record with its proof; its sealed part too, closed and opened, for those who may see who."""
        organization = organization_to_see(request)
        row = _record(organization, log_id, _opener(request, organization))
        may_open = may(request, IDENTIFY)
        answer = evidence_file(organization, row.seq, _substance(organization, row, with_sealed=may_open))
        details = {"file": "evidence", "seq": row.seq, "identities": may_open}
        record_look(request, organization, "admin.export", target=("session-log", str(row.id)), details=details)
        return answer

    def _render_list(
        self, request: HttpRequest, filters: SessionLogFilters, page: SessionLogPage, searched: str = ""
    ) -> HttpResponse:
        sequence = [row.seq for row in page.rows]
        context = {
            "title": "Session logs",
            "filters": filters,
            "page": page,
            "searched": searched,
            "found_label": _found_label(filters, page),
            "ledger_size": ledger_size(organization_to_see(request).pk),
            "has_years": any(row.timestamp.year != timezone.now().year for row in page.rows),
            "highest_seq": max(sequence, default=None),
            "lowest_seq": min(sequence, default=None),
            "newer_url": filters.page_url(after=page.rows[0].id) if page.rows and page.has_newer else "",
            "older_url": filters.page_url(before=page.rows[-1].id) if page.rows and page.has_older else "",
        }
        return self._render(request, "portal/session_logs.html", context)

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": reverse(f"admin:{_LIST}"),
            "identified": may(request, IDENTIFY),
        }
        response = TemplateResponse(request, template, {**frame, **context})
        response["Cache-Control"] = "no-store"
        return response


def _opener(request: HttpRequest, organization: Organization) -> Opener:
    return wiring.opener(organization.uid, with_identities=may(request, IDENTIFY))


def _closed(organization: Organization) -> Opener:
    return wiring.opener(organization.uid, with_identities=False)


def _record(organization: Organization, log_id: UUID, opener: Opener) -> SessionLogRow:
    row = session_log(organization.pk, log_id, opener)
    if row is None:
        raise Http404("no such record in this organization")
    return row


def _substance(organization: Organization, row: SessionLogRow, *, with_sealed: bool) -> Substance:
    committed = row_of_entry(organization, row.id)
    if committed is None:
        raise Http404("the record holds values that no entry has")
    return Substance(
        entry_id=row.id,
        nonce=committed.nonce,
        columns=committed.columns,
        sealed={PART_IDENTITY: committed.identity} if with_sealed and committed.identity is not None else None,
        opened={PART_IDENTITY: opened_identity(row.identity)} if row.identity else None,
    )


def _filters(organization: Organization, params: dict[str, str]) -> SessionLogFilters:
    return SessionLogFilters(
        params,
        actions=actions_seen(organization.pk),
        services=services_of(organization.pk),
        now=timezone.now(),
    )


def _page(filters: SessionLogFilters, organization: Organization, opener: Opener) -> SessionLogPage:
    if filters.faults:
        return _NOTHING  # in place of records that nobody asked for
    search = filters.search(organization.pk)
    if filters.found:
        search = replace(search, reference=(filters.found.kind, filters.found.id))
    return session_log_page(search, opener)


def _neighbour(organization: Organization, *, before: UUID | None = None, after: UUID | None = None) -> UUID | None:
    """The next record of the organization in time, to either side."""
    search = Search(organization_id=organization.pk, before=before, after=after, limit=1)
    rows = session_log_page(search, _closed(organization)).rows
    return rows[0].id if rows else None


def _found_label(filters: SessionLogFilters, page: SessionLogPage) -> str:
    """The searched value as a row of the answer shows it; its short id where that is sealed."""
    if filters.found is None:
        return ""
    identity = page.rows[0].identity if page.rows else None
    if identity is None:
        return f"{str(filters.found.id)[:8]}…"
    values = {
        "subject": identity.user,
        "session": identity.session,
        "address": identity.address,
        "target": f"{page.rows[0].target_type or identity.target_type}/{identity.target}",
    }
    return values[filters.found.kind] or f"{str(filters.found.id)[:8]}…"

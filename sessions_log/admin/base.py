"""What the portal's lists have in common: an organization, rights on it, read-only records, pages by key."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse

from sessions_log.models import Organization

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

SEE = "sessions_log.metadata"
IDENTIFY = "sessions_log.identities"
ACCESS = "sessions_log.access"

CURSOR = "cursor"


def current_organization(request: HttpRequest) -> Organization | None:
    """The organization chosen in the top bar; None for somebody who has no right on any."""
    organization = getattr(request, "organization", None)
    return cast(Organization, organization) if organization else None


def organization_to_see(request: HttpRequest) -> Organization:
    """The current organization. Raises PermissionDenied for those who may not see its records."""
    organization = current_organization(request)
    if organization is None or not may(request, SEE):
        raise PermissionDenied
    return organization


def may(request: HttpRequest, right: str) -> bool:
    """Whether the user has this right on the current organization."""
    organization = current_organization(request)
    return organization is not None and request.user.has_perm(right, organization)


class KeysetChangeList(ChangeList):
    """A change list that pages by its model admin's `keyset`: no COUNT, no OFFSET.

    The cursor names the last row of the page before: `older:` or `newer:` and the values of its keyset.
    A cursor that cannot be read gives the first page.
    """

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The filters alone: the cursor is no column."""
        filters = super().get_filters_params(params)
        filters.pop(CURSOR, None)
        return filters

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: Iterable[str] | None = None) -> str:
        """A changed filter starts again at the first page."""
        wanted = {CURSOR: None} | (new_params or {})
        return super().get_query_string(wanted, list(remove or []))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """The keyset, backwards on the way to newer rows."""
        is_newer = self._cursor()[0] == "newer"
        return [_flipped(name) if is_newer else name for name in self._keyset()]

    def get_results(self, request: HttpRequest) -> None:
        """Read one row more than a page holds: it tells whether there is another page."""
        direction, values = self._cursor()
        after = _after([str(name) for name in self.get_ordering(request, self.queryset)], values)
        rows = list(self.queryset.filter(after)[: self.list_per_page + 1])
        has_more = len(rows) > self.list_per_page
        rows = rows[: self.list_per_page]
        if direction == "newer":
            rows.reverse()
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False
        self._link_neighbours(rows, has_more=has_more, direction=direction if values else "")

    def _link_neighbours(self, rows: Sequence[Model], *, has_more: bool, direction: str) -> None:
        self.newer_link = self.older_link = ""
        if rows and (direction == "older" or (direction == "newer" and has_more)):
            self.newer_link = self.get_query_string({CURSOR: self._cursor_at("newer", rows[0])})
        if rows and (direction == "newer" or has_more):
            self.older_link = self.get_query_string({CURSOR: self._cursor_at("older", rows[-1])})

    def _keyset(self) -> tuple[str, ...]:
        return cast(PortalAdmin, self.model_admin).keyset

    def _cursor_at(self, direction: str, row: Model) -> str:
        values = (row.serializable_value(name.lstrip("-")) for name in self._keyset())
        texts = (value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values)
        return f"{direction}:{'~'.join(texts)}"

    def _cursor(self) -> tuple[str, list[Any]]:
        direction, _, texts = self.params.get(CURSOR, "").partition(":")
        names = [name.lstrip("-") for name in self._keyset()]
        if direction not in ("older", "newer") or texts.count("~") != len(names) - 1:
            return "", []
        try:
            return direction, [
                cast("Field[Any, Any]", self.lookup_opts.get_field(name)).to_python(text)
                for name, text in zip(names, texts.split("~"), strict=True)
            ]
        except (ValidationError, FieldDoesNotExist):
            return "", []


def _flipped(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _after(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """What comes after the row with these values in this order; without values everything does."""
    condition, equal = Q(), Q()
    for name, value in zip(ordering, values, strict=bool(values)):
        column = name.lstrip("-")
        condition |= equal & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{column: value})
    return condition


class PortalAdmin(ModelAdmin):
    """A list of what belongs to the current organization, for those who may see its records.

    keyset: the order of the list, unique and indexed, all ascending or all descending.
    page_title, singular: what the pages call the things listed. empty_words: what an empty list says.
    save_words: the form's button.
    """

    page_title = ""
    singular = ""
    save_words = "Save"
    empty_words = "There is none yet."
    keyset: tuple[str, ...] = ("-id",)
    list_per_page = 50
    sortable_by = ()
    actions: Any = None
    show_full_result_count = False
    right_to_see = SEE
    right_to_change = ACCESS

    def page_meta(self, request: HttpRequest) -> str:
        """What the line under the list's title says beside the time of the answer."""
        return ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under its own name."""
        words = {
            "page_meta": self.page_meta(request),
            "without_links": self.list_display_links is None,
            **self._names(),
        }
        return super().changelist_view(request, {**words, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """A form or a record, under its own name, with one button."""
        names = {"show_save_and_continue": False, "show_save_and_add_another": False, **self._names()}
        return super().changeform_view(request, object_id, form_url, {**names, **(extra_context or {})})

    def _names(self) -> dict[str, str]:
        return {
            "page_title": self.page_title,
            "singular": self.singular,
            "empty_words": self.empty_words,
            "save_words": self.save_words,
        }

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Pages by key."""
        return KeysetChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The current organization's rows."""
        organization = current_organization(request)
        rows = super().get_queryset(request)
        return rows.none() if organization is None else self.of_organization(rows, organization)

    def of_organization(self, rows: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        """The rows that belong to the organization."""
        return rows.filter(organization_id=organization.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Listed for those who may see it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the right on the current organization; other organizations' rows are not in the queryset."""
        return may(request, self.right_to_see)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By the right to change."""
        return may(request, self.right_to_change)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the right to change."""
        return may(request, self.right_to_change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here: keys are revoked, records purged by their own ways."""
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's own log stays empty: a change is an entry of the ledger, where values are sealed."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """See log_addition."""


class ReadOnlyAdmin(PortalAdmin):
    """What is only looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed by hand."""
        return False

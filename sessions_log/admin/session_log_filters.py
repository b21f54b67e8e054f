"""The filters of the list of session logs: what is asked, and the links that ask for something else."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from sessions_log.forms.session_logs import OUTCOMES, SessionLogQuestion
from sessions_log.queries.exact_search import Found
from sessions_log.queries.session_logs import Search
from sessions_log.templatetags.list_filters import Choice, FilterColumn

ROWS = 50
_PERIOD_LABELS = {"1h": "1 h", "24h": "24 h", "7d": "7 d"}
_PERIOD_WORDS = {"1h": "of the last hour", "24h": "of the last 24 hours", "7d": "of the last 7 days"}
_KIND_WORDS = {"subject": "user", "session": "session", "target": "target", "address": "address"}
_TIME = ("period", "start", "end")
_EDGES = ("before", "after")


class SessionLogFilters:
    """The list's address, read and written."""

    def __init__(
        self, params: Mapping[str, str], *, actions: Iterable[str], services: Iterable[str], now: datetime
    ) -> None:
        form = SessionLogQuestion(params)
        self._answers = form.answers()
        self._params = {name: params[name] for name in self._answers if name not in _EDGES}
        self.start, self.end = form.bounds(now)
        self.faults = form.faults()
        self.columns = [
            self._column("action", actions),
            self._column("outcome", OUTCOMES),
            self._column("service", services),
            self._column("sensitive", ("yes", "no")),
        ]

    def search(self, organization_id: int) -> Search:
        """What the query is asked."""
        asked = self._answers
        sensitive = asked.get("sensitive")
        return Search(
            organization_id=organization_id,
            action=asked.get("action"),
            outcome=OUTCOMES.get(asked.get("outcome", "")),
            service=asked.get("service"),
            sensitive=None if sensitive is None else sensitive == "yes",
            start=self.start,
            end=self.end,
            before=None if self.is_forwards else asked.get("before"),
            after=asked.get("after"),
            limit=ROWS,
        )

    @property
    def asked(self) -> dict[str, str]:
        """The filters in use, as a record of the look names them."""
        return dict(self._params)

    @property
    def found(self) -> Found | None:
        """What was searched."""
        found: Found | None = self._answers.get("found")
        return found

    @property
    def is_forwards(self) -> bool:
        """Whether the page is on the way to newer records."""
        return "after" in self._answers

    @property
    def is_any(self) -> bool:
        """Whether a filter or a search is in use."""
        return bool(self._params)

    @property
    def has_time(self) -> bool:
        """Whether a time is asked for."""
        return any(name in self._params for name in _TIME)

    @property
    def has_range(self) -> bool:
        """Whether the time was given as from and to."""
        return "period" not in self._params and self.has_time

    @property
    def segments(self) -> list[Choice]:
        """The periods; All is the one without."""
        chosen = self._params.get("period")
        periods = [
            Choice(label=label, url=self._url(period=name, start=None, end=None), is_chosen=chosen == name)
            for name, label in _PERIOD_LABELS.items()
        ]
        return [*periods, Choice(label="All", url=self.all_time_url, is_chosen=not self.has_time)]

    @property
    def start_text(self) -> str:
        """The start as its field takes it."""
        return _field_text(self._answers.get("start"))

    @property
    def end_text(self) -> str:
        """The end as its field takes it."""
        return _field_text(self._answers.get("end"))

    @property
    def range_words(self) -> str:
        """From and to, as the chip writes them."""
        ends = (f"{timezone.localtime(end):%Y-%m-%d %H:%M}" if end else "…" for end in (self.start, self.end))
        return " to ".join(ends)

    @property
    def time_words(self) -> str:
        """The time asked for, as a sentence goes on with it."""
        return _PERIOD_WORDS.get(self._params.get("period", ""), "of this time" if self.has_time else "here")

    @property
    def found_word(self) -> str:
        """What the searched value is: user, session, target or address."""
        return _KIND_WORDS[self.found.kind] if self.found else ""

    @property
    def all_time_url(self) -> str:
        """The same question without a time."""
        return self._url(period=None, start=None, end=None)

    @property
    def without_search_url(self) -> str:
        """The same question without the searched value."""
        return self._url(found=None)

    @property
    def first_page_url(self) -> str:
        """The newest page of the same question."""
        return self._url()

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form of from and to must carry along."""
        return [(name, value) for name, value in self._params.items() if name not in _TIME]

    def page_url(self, **edge: UUID) -> str:
        """The page before or after an id."""
        return self._url(**{name: str(value) for name, value in edge.items()})

    def _column(self, name: str, values: Iterable[str]) -> FilterColumn:
        chosen = self._params.get(name)
        if chosen is not None and chosen not in (values := list(values)):
            values = [chosen, *values]  # a word that does not occur here is a filter in use all the same
        choices = [Choice(label="Any", url=self._url(**{name: None}), is_chosen=chosen is None)]
        choices += [Choice(label=value, url=self._url(**{name: value}), is_chosen=chosen == value) for value in values]
        return FilterColumn(title=name, choices=tuple(choices))

    def _url(self, **changes: str | None) -> str:
        params = {name: value for name, value in {**self._params, **changes}.items() if value}
        return f"?{urlencode(params)}"


def _field_text(value: datetime | None) -> str:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if value else ""

"""What is asked of the list of session logs, read from its address."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from sessions_log.domain import actions
from sessions_log.queries.exact_search import KINDS, Found

PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
OUTCOMES = {"ok": 1, "failed": 2, "denied": 3}
LOCAL_TIME = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_HOW_TO_WRITE = "could not be read. Write it as 2026-11-23, 2026-11-23 14:30 or 2026-11-23 14:30:59."
_FIRST_PAGE = {"invalid": "The page could not be read. Begin with the first."}


class FoundField(forms.Field):
    """What a search found: `subject:<uuid>`; never the searched value."""

    def to_python(self, value: Any) -> Any:
        """The reference. Raises ValidationError."""
        kind, _, text = str(value or "").partition(":")
        try:
            return Found(kind, UUID(text)) if value else None
        except ValueError:
            raise self._unreadable() from None

    def validate(self, value: Any) -> None:
        """Raises ValidationError for a kind that there is not."""
        if value and value.kind not in KINDS:
            raise self._unreadable()

    def _unreadable(self) -> forms.ValidationError:
        return forms.ValidationError("What was searched for could not be read. Search for it again.")


class ActionField(forms.CharField):
    """A word of the vocabulary."""

    def validate(self, value: str) -> None:
        """Raises ValidationError."""
        if value and not actions.is_action(value):
            raise forms.ValidationError("There is no such action.")


def _choice(name: str, words: Iterable[str]) -> forms.ChoiceField:
    *others, last = words
    told = {"invalid_choice": f"{name} can be {', '.join(others)} or {last}."}
    return forms.ChoiceField(choices=[(word, word) for word in words], required=False, error_messages=told)


def _time(name: str) -> forms.DateTimeField:
    told = {"invalid": f"The time {name} which to search {_HOW_TO_WRITE}"}
    return forms.DateTimeField(input_formats=LOCAL_TIME, required=False, error_messages=told)


class SessionLogQuestion(forms.Form):
    """The filters of the list and the page's edge."""

    period = _choice("The period", PERIODS)
    start = _time("from")
    end = _time("up to")
    action = ActionField(required=False)
    outcome = _choice("The outcome", OUTCOMES)
    service = forms.CharField(
        max_length=63, required=False, error_messages={"max_length": "The name of a service has at most 63 characters."}
    )
    sensitive = _choice("Sensitive", ("yes", "no"))
    found = FoundField(required=False)
    before = forms.UUIDField(required=False, error_messages=_FIRST_PAGE)
    after = forms.UUIDField(required=False, error_messages=_FIRST_PAGE)

    def __init__(self, params: Mapping[str, str]) -> None:
        super().__init__(params)
        self._unknown = sorted(params.keys() - self.fields.keys())

    def clean(self) -> None:
        """A range that ends before it begins holds nothing."""
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start and end and start > end:
            self.add_error("start", "The time from which to search is later than the time up to which to search.")

    def answers(self) -> dict[str, Any]:
        """The readable fields that were given."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def faults(self) -> list[str]:
        """A sentence for each filter that is none or cannot be read, without the value that was given."""
        told = [str(sentence) for sentences in self.errors.values() for sentence in sentences]
        return told + [f"There is no filter “{name[:40]}”." for name in self._unknown]

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """The time asked for: a period up to now, or from and to; None where it is open."""
        answers = self.answers()
        if period := answers.get("period"):
            return now - PERIODS[period], None
        return answers.get("start"), answers.get("end")

"""What is asked of the list of session logs, read from its address."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from sessions_log.queries.exact_search import KINDS, Found

PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
OUTCOMES = {"ok": 1, "failed": 2, "denied": 3}
LOCAL_TIME = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


class FoundField(forms.Field):
    """What a search found: `subject:<uuid>`; never the searched value."""

    def to_python(self, value: Any) -> Any:
        """The reference, or None where it cannot be read."""
        kind, _, text = str(value or "").partition(":")
        try:
            return Found(kind, UUID(text)) if kind in KINDS else None
        except ValueError:
            return None


class SessionLogQuestion(forms.Form):
    """The filters of the list and the page's edge; what cannot be read is left out."""

    period = forms.ChoiceField(choices=[(name, name) for name in PERIODS], required=False)
    start = forms.DateTimeField(input_formats=LOCAL_TIME, required=False)
    end = forms.DateTimeField(input_formats=LOCAL_TIME, required=False)
    action = forms.CharField(max_length=64, required=False)
    outcome = forms.ChoiceField(choices=[(name, name) for name in OUTCOMES], required=False)
    service = forms.CharField(max_length=63, required=False)
    sensitive = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")], required=False)
    found = FoundField(required=False)
    before = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)

    def __init__(self, params: Mapping[str, str]) -> None:
        super().__init__(params)

    def answers(self) -> dict[str, Any]:
        """The readable fields that were given."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """The time asked for: a period up to now, or from and to; None where it is open."""
        answers = self.answers()
        if period := answers.get("period"):
            return now - PERIODS[period], None
        return answers.get("start"), answers.get("end")

"""Redaction: what is found in texts and JSON values, what is not, and what stands in its place."""

import json
import re
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.redaction import may_contain, redact, redact_text
from sessions_log.domain.redaction.detectors import Span, has_luhn_checksum, spans
from sessions_log.domain.redaction.placeholders import PATTERN, placeholder

KEY = bytes(range(32))


def _redacted(text: str) -> str:
    """The text with marks left out of its placeholders."""
    return PATTERN.sub(r"[\g<type>]", redact_text(text, KEY, {}))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("m.russo@trattoria.example", "[email]"),
        ("Write to m.russo+orders@mail.trattoria.co.uk, please.", "Write to [email], please."),
        ("<m.russo@trattoria.example>", "<[email]>"),
        ("mailto:m.russo@trattoria.example?subject=x", "mailto:[email]?subject=x"),
        ("a@b.it,c@d.it;e@f.it", "[email],[email];[email]"),
        ("o'neill@pub.example", "[email]"),
        ("M.RUSSO@TRATTORIA.EXAMPLE", "[email]"),
        ("m.russo@trattoria.example.", "[email]."),
        ("wait...m.russo@trattoria.example", "wait...[email]"),
        (".m.russo@trattoria.example", ".[email]"),
        ("järvi@süd.example", "[email]"),
        ("用户@例子.广告", "[email]"),
        ("пример@почта.рф", "[email]"),
        ("first\nm.russo@trattoria.example\nlast", "first\n[email]\nlast"),
        ("x" * 100 + "@trattoria.example", "x" * 36 + "[email]"),
    ],
)
def test_email_address_is_replaced(text: str, redacted: str) -> None:
    assert _redacted(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "m.russo", "@m.russo", "m.russo@", "m.russo@localhost", "m.russo@trattoria", "a@b.c", "a@1.2.3.4", "pkg@1.2.3",
        "@decorator.method", "a @ b.it", "50% @ noon.", "a@.it", "a@b..it", "..@trattoria.example", "…@", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_email_address_stays(text: str) -> None:
    assert redact_text(text, KEY, {}) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("4111111111111111", "[payment_card]"),
        ("4111 1111 1111 1111", "[payment_card]"),
        ("4111-1111-1111-1111", "[payment_card]"),
        ("5555555555554444", "[payment_card]"),
        ("2223003122003222", "[payment_card]"),
        ("378282246310005", "[payment_card]"),
        ("3782 822463 10005", "[payment_card]"),
        ("30569309025904", "[payment_card]"),
        ("6011111111111117", "[payment_card]"),
        ("3530111333300000", "[payment_card]"),
        ("4222222222222", "[payment_card]"),
        ("6304000000000000000", "[payment_card]"),
        ("card:4111111111111111.", "card:[payment_card]."),
        ("paid\n4111111111111111\n", "paid\n[payment_card]\n"),
        ("4111 1111 1111 1111 123", "[payment_card] 123"),
        ("4111111111111111 12 27 123", "[payment_card] 12 27 123"),
        ("7 4111 1111 1111 1111", "7 [payment_card]"),
        ("2026-11-23 4111111111111111", "2026-11-23 [payment_card]"),
        ("4111111111111111 5555555555554444", "[payment_card] [payment_card]"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", "[payment_card] [payment_card]"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[payment_card]"),
    ],
)
def test_payment_card_number_is_replaced(text: str, redacted: str) -> None:
    assert _redacted(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112", "4111 1111 1111 1112", "1111111111111117", "0000000000000000", "411111111111", "9" * 16,
        "41111111111111111111", "a4111111111111111", "4111111111111111a", "4111_1111_1111_1111", "1763899140123",
        "+49 170 1234567", "2026-11-23 2026-11-24 2026-11-25", "192.0.2.7", "01a20846-fe7b-73ee-a54b-42e86a23d10d",
        "4111 1111 1111", "7", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_payment_card_number_stays(text: str) -> None:
    assert redact_text(text, KEY, {}) == text


def test_luhn_s_own_example_passes_and_any_other_last_digit_does_not() -> None:
    # ISO/IEC 7812-1, annex B
    assert [digit for digit in "0123456789" if has_luhn_checksum("7992739871" + digit)] == ["3"]


@given(st.text("0123456789", min_size=1, max_size=18))
def test_one_changed_digit_always_breaks_the_checksum(digits: str) -> None:
    whole = next(digits + last for last in "0123456789" if has_luhn_checksum(digits + last))
    changed = str((int(whole[0]) + 1) % 10) + whole[1:]
    assert not has_luhn_checksum(changed)


def test_spans_count_characters_not_bytes() -> None:
    assert spans("é😀 m@russo.it 4111111111111111") == [Span(3, 13, "email"), Span(14, 30, "payment_card")]


def test_overlapping_findings_are_one() -> None:
    assert spans("4111111111111111@trattoria.example") == [Span(0, 34, "email")]


def test_findings_are_counted_by_type() -> None:
    counts = {"email": 1}
    redact_text("a@b.it c@d.it 4111111111111111", KEY, counts)
    assert counts == {"email": 3, "payment_card": 1}


def test_placeholder_is_fixed_for_ever() -> None:
    assert placeholder("email", "m.russo@trattoria.example", KEY) == "[email:37ce7a37bc]"


def test_equal_values_have_equal_placeholders_and_others_do_not() -> None:
    text = redact_text("a@b.it c@d.it a@b.it", KEY, {})
    first, second, third = text.split()
    assert first == third != second


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        ("email", "m.russo@trattoria.example", "M.Russo@Trattoria.example"),
        ("payment_card", "4111111111111111", "4111 1111-1111 1111"),
    ],
)
def test_value_written_in_another_way_has_the_same_placeholder(type_: str, one: str, other: str) -> None:
    assert placeholder(type_, one, KEY) == placeholder(type_, other, KEY)


def test_another_organization_s_key_gives_another_placeholder() -> None:
    assert redact_text("a@b.it", KEY, {}) != redact_text("a@b.it", bytes(32), {})


def test_keys_values_and_numbers_are_redacted_at_every_depth() -> None:
    counts: dict[str, int] = {}
    value = {"a@b.it": [{"note": "to c@d.it", "card": 4111111111111111}], "float": 4111111111111111.0, "kept": [1, 1.5]}
    redacted = json.loads(PATTERN.sub(r"[\g<type>]", json.dumps(redact(value, KEY, counts))))
    assert redacted == {
        "[email]": [{"note": "to [email]", "card": "[payment_card]"}],
        "float": "[payment_card]",
        "kept": [1, 1.5],
    }
    assert counts == {"email": 2, "payment_card": 2}


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -1, 2**53, 1e300, -1.5e15, 4111111111111112, 0.4111111111111111]
)
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert redact({"a": value}, KEY, {}) == {"a": value}


SENSITIVE = st.sampled_from(["m.russo@trattoria.example", "4111111111111111", "4111 1111 1111 1111", "用户@例子.广告"])
AROUND = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00") | st.sampled_from('\n\t\r"\\ nrt'), max_size=12
)


@given(st.lists(SENSITIVE | AROUND, max_size=6).map(" | ".join))
def test_redacting_again_finds_nothing_more(text: str) -> None:
    once = redact_text(text, KEY, {})
    assert redact_text(once, KEY, {}) == once


@given(st.lists(SENSITIVE | AROUND, max_size=6).map("".join))
def test_quick_look_never_misses_what_the_exact_one_finds(text: str) -> None:
    if spans(text):
        assert may_contain(text.encode())
        assert may_contain(msgspec.json.encode({"note": [text]}))
        assert may_contain(msgspec.json.encode({text: 1}))


@given(st.lists(st.tuples(AROUND, SENSITIVE), min_size=1, max_size=4))
def test_only_what_stands_in_spans_is_changed(pieces: list[tuple[str, str]]) -> None:
    text = "".join(f"{before} {sensitive} " for before, sensitive in pieces)
    kept, at = [], 0
    for span in spans(text):
        kept.append(text[at : span.start])
        at = span.end
    assert re.split(PATTERN, _without_marks(redact_text(text, KEY, {})))[::3] == [*kept, text[at:]]


def _without_marks(text: str) -> str:
    return PATTERN.sub("[\\g<type>:0000000000]", text)


@pytest.mark.parametrize(
    "unit",
    [
        "a", "1", "@", ".", "é", "a@", "a@a.", "a@a. ", "1 ", "1-", "4111 ", "4111-1111-", "a.", "..@", "@.aa", "-",
        "\\",
        "a@b.c1.", "用", "用@", "4111111111111112 ",
    ],
)  # fmt: skip
def test_a_megabyte_of_near_misses_takes_no_more_than_linear_time(unit: str) -> None:
    text = (unit * (1_048_576 // len(unit) + 1))[:1_048_576]
    begun = time.process_time()
    assert _redacted(text) == text
    # Half a second is usual for the slowest; anything quadratic takes hours.
    assert time.process_time() - begun < 20


def test_a_hundred_thousand_findings_take_no_more_than_linear_time() -> None:
    counts: dict[str, int] = {}
    begun = time.process_time()
    redact_text("a@b.it 4111111111111111 " * 50_000, KEY, counts)
    assert counts == {"email": 50_000, "payment_card": 50_000}
    assert time.process_time() - begun < 30


def test_keys_that_become_the_same_placeholder_are_told_apart() -> None:
    counts: dict[str, int] = {}
    same = placeholder("email", "bob@x.example", KEY)
    redacted = redact({"Bob@x.example": 1, "bob@x.example": 2, "BOB@x.example": 3, "kept": 4}, KEY, counts)
    assert redacted == {same: 1, f"{same} (2)": 2, f"{same} (3)": 3, "kept": 4}
    assert counts == {"email": 3}

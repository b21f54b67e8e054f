"""How the portal writes what it shows."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from compliance.templatetags import charts
from sessions_log.queries.overview import HourCounts
from sessions_log.templatetags import portal
from sessions_log.templatetags.metadata_text import metadata_as_text, shortened, visible


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=219), "219 ms"),
        (timedelta(seconds=46), "46 s"),
        (timedelta(seconds=106), "1 min 46 s"),
        (timedelta(hours=6), "6 h"),
        (timedelta(days=2, hours=1, minutes=5), "2 d 1 h"),
    ],
)
def test_span_has_its_two_largest_units(value: timedelta, words: str) -> None:
    assert portal.span(value) == words


@pytest.mark.parametrize(
    ("ranges", "words", "title"),
    [
        ([(4, 6)], "4 to 6", "3 in all"),
        ([(4, 6), (9, 9), (12, 13)], "4 to 6, 9, 12 to 13", "6 in all"),
        ([(1, 1), (3, 3), (5, 5), (7, 2006)], "1, 3, 5, …", "2,003 in all"),
    ],
)
def test_ranges_of_numbers_show_the_first_three(ranges: list[tuple[int, int]], words: str, title: str) -> None:
    cell = portal.number_ranges(ranges)
    assert f'title="{title}"' in cell
    assert f">{words}</span>" in cell


def test_time_has_seconds_and_zone_and_the_year_when_it_is_another() -> None:
    assert "2023-07-10</span> <b>11:42:18</b>" in portal.moment(datetime(2023, 7, 10, 11, 42, 18, tzinfo=UTC))
    this_year = timezone.now().replace(month=11, day=3, hour=15, minute=9, second=31)
    assert '3 Nov</span> <b>15:09:31</b> <span class="zone">UTC' in portal.moment(this_year)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ines Keller", "IK"), ("ines.keller@example.com", "IK"), ("Portal", "PO"), ("x", "X"), ("Ä-team", "ÄT")],
)
def test_initials_are_two_letters(name: str, letters: str) -> None:
    assert portal.initials(name) == letters


@pytest.mark.parametrize(("value", "words"), [(9_999, "9,999"), (22_782, "22 k"), (61_284_201, "61 M")])
def test_large_numbers_are_shortened_where_only_the_size_matters(value: int, words: str) -> None:
    assert portal.short_number(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("s-81", "s-81"),
        ("0123456789", "0123456789"),
        ("portal-248f58114", "porta…8114"),
        ("<b>bold</b>!", "&lt;b&gt;bo…/b&gt;!"),
    ],
)
def test_long_id_is_shortened_in_its_middle(value: str, words: str) -> None:
    assert shortened(value) == words


def test_senders_markup_is_escaped() -> None:
    for text in (visible("<b>\u200b</b>"), metadata_as_text({"<b>": "<i>"}), portal.action("custom.<b>")):
        assert "<b>" not in text
        assert "<i>" not in text
        assert "&lt;b&gt;" in text


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\U000e0041", "\ue000", "\u2028", "\x7f"])
def test_character_that_cannot_be_seen_is_named(character: str) -> None:
    assert f"U+{ord(character):04X}" in visible(f"a{character}b")
    assert character not in visible(f"a{character}b")


def test_letters_of_other_scripts_stay_as_they_are() -> None:
    assert visible("Łódź 東京 😀") == "Łódź 東京 😀"


def test_placeholder_is_a_chip_with_its_whole_mark_as_title() -> None:
    text = visible("for [email:3f9c02aa71], today")

    assert 'title="[email:3f9c02aa71]"' in text
    assert "EMAIL <b>3f9c</b>" in text


def test_metadata_is_indented_and_short_lists_stay_on_one_line() -> None:
    shown = metadata_as_text({"rows": 4, "fields": ["a", "b"], "none": None, "empty": {}, "deep": {"x": True}})

    assert _plain(shown) == (
        '{\n  "rows": 4,\n  "fields": ["a", "b"],\n  "none": null,\n  "empty": {},\n  "deep": { "x": true }\n}'
    )


def test_long_list_has_a_line_for_each_item() -> None:
    assert _plain(metadata_as_text({"a": ["x" * 40, "y" * 40]})) == (
        '{\n  "a": [\n    "' + "x" * 40 + '",\n    "' + "y" * 40 + '"\n  ]\n}'
    )


@pytest.mark.parametrize(("value", "top"), [(0, 10), (10, 10), (230, 240), (241, 300), (6_001, 8_000)])
def test_chart_ends_above_its_highest_column(value: int, top: int) -> None:
    hours = [HourCounts(start=datetime(2026, 11, 23, tzinfo=UTC), success=value)]

    assert charts.hour_chart(hours)["scale"] == [top, top // 2, 0]


def test_share_of_nothing_is_a_dash() -> None:
    assert charts.share(0, 0) == portal.DASH
    assert charts.share(46, 1000) == "4.6 %"


def _plain(shown: str) -> str:
    return unescape(re.sub("<[^>]+>", "", shown))

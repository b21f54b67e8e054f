"""JSON from strangers: what two parsers could read differently is refused, everything else keeps its value."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.json_body import MalformedJson, decode_json, refuse_extremes, split_array

# Integers beyond 64 bits are told apart later, by `refuse_extremes`.
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner, max_size=5
        )
    ),
    max_leaves=20,
)


def _reason(text: bytes) -> str:
    with pytest.raises(MalformedJson) as caught:
        decode_json(text)
    return str(caught.value)


@given(JSON_VALUES)
def test_every_value_survives_however_it_is_spelt(value: Any) -> None:
    for text in (
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, ensure_ascii=True),
        json.dumps(value, indent="\t"),
        json.dumps(value, separators=(" ,\r\n", "\t: ")),
    ):
        assert decode_json(text.encode()).value == value


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_malformed_json(text: bytes) -> None:
    try:
        value = decode_json(text).value
    except MalformedJson:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize("text", [b"", b" ", b"\n\t\r "], ids=["empty", "space", "white space"])
def test_nothing_is_not_json(text: bytes) -> None:
    assert _reason(text) == "empty"


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"[NaN]",
        b"Infinity",
        b"[-Infinity]",
        b"1e400",
        b'{"a": [-1e400]}',
        b"9" * 5000,
        b'{ "a": ' + b"9" * 5000 + b"}",
    ],
)
def test_number_that_is_not_finite_or_absurdly_long_is_refused(text: bytes) -> None:
    _reason(text)


@pytest.mark.parametrize(
    "text",
    [
        rb'"\ud800"',
        rb'"\udc00"',
        rb'"\ud800\ud800"',
        rb'"\ud800A"',
        rb'"\ud800\u0041"',
        rb'{"\ud800": 1}',
        b'"\xed\xa0\x80"',
    ],
)
def test_lone_surrogate_is_refused(text: bytes) -> None:
    _reason(text)


def test_pair_of_surrogates_is_one_character() -> None:
    assert decode_json(rb'"\ud83d\ude00"').value == "😀"


@pytest.mark.parametrize(
    "text",
    [rb'"\u0000"', rb'"a\u0000b"', rb'{"a\u0000": 1}', rb'"\\\u0000"', rb'"\\\\\u0000"', rb'["", "\n\u0000"]'],
)
def test_escaped_nul_is_refused(text: bytes) -> None:
    assert _reason(text) == "the character U+0000 is not allowed in strings"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\\u0000"', r"\u0000"),
        (rb'"\\\\u0000"', r"\\u0000"),
        (rb'"u0000"', "u0000"),
        (rb'"\u00001"'[:-3] + b'1"', "\x01"),
    ],
    ids=["one escaped backslash", "two escaped backslashes", "no backslash", "U+0001"],
)
def test_text_that_only_looks_like_an_escaped_nul_is_taken(text: bytes, value: str) -> None:
    assert decode_json(text).value == value


@given(st.integers(0, 9), st.text("ab\\", max_size=4))
def test_nul_is_found_behind_any_run_of_backslashes(backslashes: int, before: str) -> None:
    text = json.dumps(before)[:-1].encode() + b"\\" * backslashes + b'u0000"'
    means_nul = backslashes % 2 == 1
    if means_nul:
        assert _reason(text) == "the character U+0000 is not allowed in strings"
    else:
        assert decode_json(text).value == before + "\\" * (backslashes // 2) + "u0000"


@pytest.mark.parametrize("text", [b'"a\x00b"', b'"a\nb"', b'"a\x1fb"'])
def test_raw_control_character_in_a_string_is_refused(text: bytes) -> None:
    _reason(text)


@pytest.mark.parametrize(
    "text",
    [b'{"a":1,"a":2}', b'{"a":1,"a":1}', rb'{"a": 1, "\u0061": 2}', b'{"x": [{"a": 1, "b": 2, "a": 3}]}'],
)
def test_repeated_key_is_refused(text: bytes) -> None:
    assert _reason(text) == "an object has the same key twice"


def test_same_key_in_two_objects_is_no_repetition() -> None:
    assert decode_json(b'[{"a": 1}, {"a": 2}]').value == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("text", [b'"\xff"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"', b'{"\xff": 1}'])
def test_bad_utf_8_is_refused(text: bytes) -> None:
    assert _reason(text) == "not valid UTF-8"


@pytest.mark.parametrize(
    "text",
    [b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-16-le"), '{"a": 1}'.encode("utf-32")],
    ids=["byte order mark", "UTF-16", "UTF-16 little endian", "UTF-32"],
)
def test_other_encodings_than_plain_utf_8_are_refused(text: bytes) -> None:
    _reason(text)


@pytest.mark.parametrize(
    "text", [b"{} {}", b"1 2", b"[1,]", b"{,}", b"'a'", b"01", b"+1", b".5", b"5.", b"0x1", b"tru", b"\x0b1", b"/**/1"]
)
def test_what_is_nearly_json_is_refused(text: bytes) -> None:
    _reason(text)


@pytest.mark.parametrize("depth", [201, 1_000, 6_000, 9_000, 100_000])
@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [
        (b"[", b"", b"]"),
        (b'{"a":', b"1", b"}"),
        (b"[ ", b"", b"]"),
        (b"[", b"", b""),
        (b'["]]",', b"0", b"]"),
        (b'[[],{},"\\"]",', b"0", b"]"),
    ],
    ids=["arrays", "objects", "with spaces", "unclosed", "brackets in strings", "shallow siblings"],
)
def test_bottomless_nesting_is_refused_before_a_parser_can_overflow(
    depth: int, opening: bytes, inner: bytes, closing: bytes
) -> None:
    text = opening * depth + inner + closing * depth
    assert _reason(text) == "nested deeper than 32 levels"
    with pytest.raises(MalformedJson):
        split_array(text)


@pytest.mark.parametrize("depth", [33, 100, 200])
def test_nesting_that_every_parser_bears_is_parsed(depth: int) -> None:
    assert decode_json(b"[" * depth + b"]" * depth).value is not None


def _depth_of(text: bytes) -> int:
    """The deepest level of brackets outside of strings, byte by byte."""
    depth = deepest = at = 0
    is_string = False
    while at < len(text):
        character = text[at : at + 1]
        if is_string and character == b"\\":
            at += 1
        elif character == b'"':
            is_string = not is_string
        elif not is_string and character in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif not is_string and character in b"]}":
            depth = max(0, depth - 1)
        at += 1
    return deepest


@given(st.integers(195, 200), st.lists(st.sampled_from(list(b'[]{}"\\ a')), max_size=24).map(bytes))
def test_depth_is_told_exactly_in_any_text(levels: int, rest: bytes) -> None:
    text = b"[" * levels + rest
    is_too_deep = _depth_of(text) > 200
    assert (_reason(text) == "nested deeper than 32 levels") is is_too_deep


def test_reason_does_not_quote_the_text() -> None:
    for text in (b'{"secret": nope}', b'{"secret": "\xff"}', b'{"secret": 1, "secret": 2}', rb'{"secret": "\ud800"}'):
        assert "secret" not in _reason(text)


def _refuse(value: Any) -> None:
    refuse_extremes(value, msgspec.json.encode(value))


def test_thirty_two_levels_are_taken_and_thirty_three_are_not() -> None:
    nested: Any = {}
    for _ in range(31):
        nested = {"a": nested}
    _refuse(nested)
    with pytest.raises(MalformedJson, match="nested deeper than 32 levels"):
        _refuse({"a": nested})


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**64, 10**30])
def test_integer_that_programs_round_differently_is_refused(value: int) -> None:
    with pytest.raises(MalformedJson, match="send it as a string"):
        _refuse({"a": [1, {"b": value}]})


@pytest.mark.parametrize("value", [2**53, -(2**53), "99999999999999999999", 1.5e300, 0.1234567890123456789])
def test_exact_integers_long_strings_and_floats_are_taken(value: Any) -> None:
    _refuse({"a": value, "b": [value]})


_numbers = st.one_of(st.integers(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False))
_scalars = st.one_of(_numbers, st.text(alphabet='0123456789[]{}"\\\\:, a'), st.booleans(), st.none())
_values = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def _is_extreme(value: Any) -> bool:
    try:
        _refuse(value)
    except MalformedJson:
        return True
    return False


@given(_values, st.integers(0, 40), st.sampled_from([None, 2]))
def test_what_is_called_unremarkable_holds_nothing_extreme(value: Any, levels: int, indent: int | None) -> None:
    for _ in range(levels):
        value = [value]
    text = json.dumps([{"metadata": {"a": value}}], indent=indent).encode()
    try:
        decoded = decode_json(text)
    except MalformedJson:
        return
    if decoded.is_unremarkable:
        assert not _is_extreme(decoded.value[0]["metadata"])


@pytest.mark.parametrize("value", [{"a": 1}, {"a": [123456789012345]}, {"a": "12345678901234567890"}, {"[": '"{'}])
def test_usual_values_are_unremarkable(value: Any) -> None:
    assert decode_json(json.dumps([value]).encode()).is_unremarkable


@pytest.mark.parametrize("value", [2**53 + 1, -(10**30), json.loads("[" * 34 + "]" * 34)])
def test_extreme_values_are_not_unremarkable(value: Any) -> None:
    text = json.dumps(value).encode()
    assert not decode_json(b'{"a": ' + text + b"}").is_unremarkable


def test_array_is_split_without_reading_its_elements() -> None:
    assert split_array(b' [ {"a": 1e3} ,"x", [1, 2]] ') == [b'{"a": 1e3}', b'"x"', b"[1, 2]"]


@pytest.mark.parametrize("text", [b"[", b"[1,", b"{}", b"[" * 100_000, b"[1] 2"])
def test_what_is_no_array_cannot_be_split(text: bytes) -> None:
    with pytest.raises(MalformedJson):
        split_array(text)


@given(
    st.sampled_from(["1e3", "1E300", "-1.5e-7", "0.10", "1.0", "12345678901234567", "1e22", "123456789012345.5"]),
    st.sampled_from([r"\u0041\/", r"\u003a\u0022", r"\ud83d\ude00", "é\u2028", "true", "us 1e9"]),
    st.integers(0, 12),
    st.sampled_from(["", " ", "\n\t "]),
)
def test_repeated_key_is_found_whatever_gets_shorter_or_longer_beside_it(
    number: str, text: str, numbers: int, space: str
) -> None:
    beside = ",".join([number] * numbers)
    assert "same key twice" in _reason(f'{{"k":{space}1,"n":[{beside}],"s":"{text}","k":{space}1}}'.encode())

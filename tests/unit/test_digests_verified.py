"""Digests follow each other without a hole."""

from typing import Any

from sessions_log.domain.verification.digests import digest_faults


def _digest(seq: int, first: int | None, last: int | None, count: int) -> tuple[int, dict[str, Any]]:
    return seq, {"firstSeq": first, "lastSeq": last, "count": count, "records": count}


def test_digests_that_follow_each_other_are_well() -> None:
    assert list(digest_faults([_digest(0, None, None, 0), _digest(1, 0, 0, 1), _digest(40, 1, 39, 39)])) == []
    assert list(digest_faults([_digest(5, 0, 4, 5), _digest(6, 5, 5, 1)])) == []


def test_digest_that_leaves_something_out_is_named() -> None:
    digests = [_digest(5, 0, 4, 5), _digest(9, 6, 8, 3), _digest(12, 9, 11, 4), _digest(13, 12, 12, 1)]
    assert [fault.place for fault in digest_faults(digests)] == ["digest at entry 9", "digest at entry 12"]


def test_digest_that_was_left_out_is_missed_by_the_next() -> None:
    assert [fault.place for fault in digest_faults([_digest(5, 0, 4, 5), _digest(12, 9, 11, 3)])] == [
        "digest at entry 12"
    ]

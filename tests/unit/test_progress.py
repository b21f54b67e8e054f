"""The progress bar says how far it is, and nothing where nobody looks."""

import pytest

from sessions_log.management.progress import ProgressBar, bar


@pytest.mark.parametrize(
    ("done", "total", "drawn"),
    [(0, 10, "-" * 30), (5, 10, "#" * 15 + "-" * 15), (10, 10, "#" * 30), (12, 10, "#" * 30), (-1, 10, "-" * 30)],
)
def test_bar_is_filled_by_what_is_done(done: int, total: int, drawn: str) -> None:
    assert bar(done, total).startswith(f"[{drawn}] ")


def test_bar_of_an_unknown_total_is_left_out() -> None:
    assert bar(3, 0) == ""


def test_nothing_is_drawn_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    ProgressBar("import").show("1 record", 1, 1)
    assert capsys.readouterr().err == ""


def test_end_is_drawn_with_a_line_feed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    progress = ProgressBar("import")
    for done in range(1, 1001):
        progress.show(f"{done} records", done, 1000)
    drawn = capsys.readouterr().err
    assert drawn.endswith("] 100 %  1000 records\x1b[K\n")
    assert drawn.count("\r") < 20

"""A progress bar on a terminal; nothing where standard error is none."""

import sys
import time

_WIDTH = 30
_EVERY_S = 0.2


class ProgressBar:
    """`import: [########----] 67 %  12,000 records stored`, drawn anew a few times a second."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._next_at = 0.0

    def show(self, words: str, done: float, total: float) -> None:
        """Draw it; where `total` is 0 the end is not known, and words alone are shown. The end is always drawn."""
        now = time.monotonic()
        if not sys.stderr.isatty() or (now < self._next_at and done < total):
            return
        self._next_at = now + _EVERY_S
        sys.stderr.write(f"\r{self._title}: {bar(done, total)}{words}\x1b[K" + ("\n" if 0 < total <= done else ""))
        sys.stderr.flush()


def bar(done: float, total: float) -> str:
    """The bar and the percentage; empty where the total is not known."""
    if total <= 0:
        return ""
    part = min(1.0, max(0.0, done / total))
    filled = int(part * _WIDTH)
    return f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {int(part * 100):3d} %  "

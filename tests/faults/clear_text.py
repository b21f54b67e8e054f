"""A search for values in every file of a folder, in each of the forms in which a value could lie there in the clear."""

import base64
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import re2

# Enough of a long value to be sure of it, few enough that thousands are looked for at once.
LONGEST = 48
_ALIGNMENTS = 3
_FIRST = 12


def forms(value: str) -> dict[str, bytes]:
    """The value as plain text, as JSON escapes it, in hex, UTF-16 and base64; of base64 what is the same in any text.

    Base64 takes three bytes at a time: what a value looks like in it depends on how many bytes stand before, and
    its first and last character also on what those are.
    """
    begin = value[:LONGEST]
    plain = begin.encode()
    found = {
        "plain": plain,
        "json": json.dumps(begin)[1:-1].encode(),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "utf-16-le": begin.encode("utf-16-le"),
        "utf-16-be": begin.encode("utf-16-be"),
    }
    for before in range(_ALIGNMENTS):
        encoded = base64.b64encode(bytes(before) + plain).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = len(encoded) - bool((before + len(plain)) % 3)
        found[f"base64+{before}"] = encoded[first:last]
        found[f"base64url+{before}"] = encoded[first:last].replace(b"+", b"-").replace(b"/", b"_")
    return found


class ClearText:
    """Looks for all forms of some values: for their first bytes all at once, then for the whole where these stand."""

    def __init__(self, values: Iterable[str]) -> None:
        self._meant: dict[bytes, dict[bytes, tuple[str, str]]] = {}
        for value in sorted(values):
            for form, pattern in forms(value).items():
                self._meant.setdefault(pattern[:_FIRST], {}).setdefault(pattern, (value, form))
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 1 << 30
        options.never_capture = True
        # The shorter first, so that nothing stands behind one that begins like it.
        firsts = sorted(self._meant, key=lambda first: (len(first), first))
        self._any = re2.compile(b"|".join(re2.escape(first) for first in firsts), options)
        self._lengths = sorted({len(first) for first in firsts})

    def found_in(self, folder: Path) -> dict[tuple[str, str], Path]:
        """(value, form) of all that is found, each with a file that has it."""
        found: dict[tuple[str, str], Path] = {}
        for path in _files(folder):
            with suppress(FileNotFoundError):  # servers drop files while they run
                for meant in self._in(path.read_bytes()):
                    found.setdefault(meant, path)
        return found

    def _in(self, content: bytes) -> Iterator[tuple[str, str]]:
        at = 0
        while match := self._any.search(content, at):
            at = match.start()
            for length in self._lengths:
                for pattern, meant in self._meant.get(content[at : at + length], {}).items():
                    if content.startswith(pattern, at):
                        yield meant
            at += 1


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder, followlinks=True):
        yield from (Path(parent) / name for name in names)

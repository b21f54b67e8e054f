"""Files of records: their lines, decompressed by the file's ending, and never a part of one for the whole."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import zstandard

_PIECE_BYTES = 16 * 1024


class DamagedFile(Exception):
    """The file is cut short, or not what its ending says."""


def lines_of(file: Path) -> Iterator[bytes]:
    """The lines of a plain, .gz or .zst file. Raises DamagedFile, after the lines that could be read."""
    try:
        with _opened(file) as stream:
            yield from stream
    except (EOFError, OSError, zlib.error, zstandard.ZstdError):
        raise DamagedFile("the file is cut short or damaged") from None


def _opened(file: Path) -> IO[bytes]:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]  # GzipFile reads as a binary file does
    if file.suffix == ".zst":
        return io.BufferedReader(_ZstdFile(file))
    return file.open("rb")


class _ZstdFile(io.RawIOBase):
    """A file of whole zstd frames; zstandard's own reader takes one that is cut short for one that ends."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb")
        self._pieces = self._decompressed()
        self._rest = b""

    def readable(self) -> bool:
        """Nothing else can be done with it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as it goes; 0 at the end. Raises EOFError within a frame."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _decompressed(self) -> Iterator[bytes]:
        frame = None
        while piece := self._file.read(_PIECE_BYTES):
            while piece:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(piece)
                piece = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
        if frame is not None:
            raise EOFError

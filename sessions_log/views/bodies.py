"""Request bodies: bounded before and after decompression, and read in one of the media types that are taken."""

import re
import zlib
from collections.abc import Callable

import zstandard
from django.http import HttpRequest

from sessions_log.serializers.problems import Problem

LARGEST_BODY_BYTES = 4 * 1024 * 1024
_LENGTH = re.compile(r"[0-9]{1,18}")
# One slice of zstd may stand for 128 KiB in each 4 bytes: this bounds what is decompressed before it is counted.
_ZSTD_SLICE_BYTES = 256
_JSON = ("application/json",)
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


def read_body(request: HttpRequest) -> tuple[bytes, bool]:
    """The decompressed body, and whether it is NDJSON.

    Raises Problem: 411 for uncompressed lines without a length, 413 over 4 MiB before or after decompression, 415 for
    other types and encodings, 400 for what does not decompress.
    """
    is_lines = _is_lines(request)
    decompress = _decompressor(request)
    if is_lines and not decompress and not request.META.get("CONTENT_LENGTH"):
        # Chunks that were cut off look like a body that ended, and fewer lines are lines, too.
        raise Problem(411, "Send lines with their Content-Length, or compressed.")
    raw = _read(request)
    return (decompress(raw) if decompress else raw), is_lines


def _is_lines(request: HttpRequest) -> bool:
    media_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type in _LINES:
        return True
    if media_type in _JSON:
        return False
    raise Problem(415, "Content-Type must be application/json or application/x-ndjson.")


def _read(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length and not _LENGTH.fullmatch(length):
        raise Problem(400, "Content-Length must be a number.")
    if length and int(length) > LARGEST_BODY_BYTES:
        raise _too_large()
    raw: bytes = request.META["wsgi.input"].read(int(length) if length else LARGEST_BODY_BYTES + 1)
    if len(raw) > LARGEST_BODY_BYTES:
        raise _too_large()
    if length and len(raw) < int(length):
        raise Problem(400, "The body is shorter than its Content-Length.")
    return raw


def _decompressor(request: HttpRequest) -> Callable[[bytes], bytes] | None:
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    known: dict[str, Callable[[bytes], bytes] | None] = {
        "identity": None, "": None, "gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd,
    }  # fmt: skip
    if encoding not in known:
        raise Problem(415, "Content-Encoding must be gzip, zstd or identity.")
    return known[encoding]


def _gunzip(raw: bytes) -> bytes:
    stream = zlib.decompressobj(31)
    try:
        body = stream.decompress(raw, LARGEST_BODY_BYTES + 1)
    except zlib.error:
        raise Problem(400, "The body is not valid gzip.") from None
    if len(body) > LARGEST_BODY_BYTES:
        raise _too_large()
    if not stream.eof or stream.unused_data:
        raise Problem(400, "The body is not one whole gzip stream.")
    return body


def _unzstd(raw: bytes) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
    body = bytearray()
    try:
        for at in range(0, len(raw), _ZSTD_SLICE_BYTES):
            body += stream.decompress(raw[at : at + _ZSTD_SLICE_BYTES])
            if len(body) > LARGEST_BODY_BYTES:
                raise _too_large()
    except zstandard.ZstdError:
        raise Problem(400, "The body is not valid zstd.") from None
    if not stream.eof or stream.unused_data:
        raise Problem(400, "The body is not one whole zstd frame.")
    return bytes(body)


def _too_large() -> Problem:
    return Problem(413, f"The body is larger than {LARGEST_BODY_BYTES} bytes, decompressed.")

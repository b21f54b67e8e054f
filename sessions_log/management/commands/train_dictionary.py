"""`manage.py train_dictionary FILE`: the zstd dictionary of sealed parts, from synthetic records only.

A dictionary holds pieces of what it was trained on, in the clear; and what was sealed with one version can be
opened with that version alone. So a version is trained once, committed, and never changed.
"""

import argparse
import secrets
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from django.core.management import BaseCommand

from sessions_log.domain.demo.training import training_parts
from sessions_log.domain.entries import identity_part
from sessions_log.domain.json_body import encode_sorted
from sessions_log.domain.sealing import DIGEST_BYTES
from sessions_log.domain.session_record import SessionRecord

SIZE_BYTES = 64 * 1024
SAMPLES = 24_000


class Command(BaseCommand):
    """For developers; the running product only reads the result."""

    help = "Train a new version of the dictionary by which sealed parts are compressed."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Train and write."""
        samples: list[bytes | bytearray | memoryview[int]] = [
            _part(record) for record in training_parts(SAMPLES, seed=1)
        ]
        trained = zstandard.train_dictionary(SIZE_BYTES, samples, k=2000, d=8, level=3)
        options["file"].write_bytes(trained.as_bytes())
        self.stdout.write(f"{len(trained.as_bytes())} bytes from {len(samples)} samples")


def _part(record: dict[str, Any]) -> bytes:
    part, _, _ = identity_part(msgspec.json.decode(encode_sorted(record), type=SessionRecord))
    return secrets.token_bytes(DIGEST_BYTES) + part

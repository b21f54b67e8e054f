"""The examples of docs/detectors.md are what the detectors do."""

import re
from pathlib import Path

import pytest

from sessions_log.domain.redaction import redact_text

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "detectors.md"
EXAMPLE = re.compile(r"^\| `([^`]+)`[^|]* \| `([^`]+)` \|$", re.MULTILINE)
EXAMPLES = EXAMPLE.findall(DOCUMENT.read_text())


def test_document_has_examples() -> None:
    assert len(EXAMPLES) == 11


@pytest.mark.parametrize(("text", "becomes"), EXAMPLES)
def test_example_of_the_document_is_what_happens(text: str, becomes: str) -> None:
    redacted = redact_text(text, b"any key", {})

    assert re.sub(r":[0-9a-f]{10}\]", ":…]", redacted) == becomes

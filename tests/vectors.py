"""Test vectors on which an independent implementation agreed, where they lie beside the checkout."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="the test vectors are not there")


def vectors() -> dict[str, Any]:
    """The values that stand in one file."""
    return dict(json.loads((VECTORS / "vectors.json").read_text()))

"""Redaction: sensitive values are found and replaced before anything is stored.

`redact` walks a JSON value; the detectors stand in `detectors`, the placeholders in `placeholders`.
"""

from sessions_log.domain.redaction.detectors import DETECTORS_VERSION, may_contain
from sessions_log.domain.redaction.walk import redact, redact_text

__all__ = ["DETECTORS_VERSION", "may_contain", "redact", "redact_text"]

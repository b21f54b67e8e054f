"""Findings: what the product has to say about itself, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that is not as it should be. `kind` and `about` name it; `words` may change while it lasts."""

    kind: str
    about: str
    words: str

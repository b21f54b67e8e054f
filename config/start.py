"""How a process ends that may not start: with the sentences that say why, not with a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def refusals_in_words() -> Iterator[None]:
    """Around what reads the settings. Where they are wrong: the sentences to stderr, exit code 1."""
    try:
        yield
    except ImproperlyConfigured as refused:
        sys.exit(str(refused))

"""The web process: the portal behind Django's usual middleware, the API behind a short chain of its own.

Sessions, CSRF, cookies and templates cost a request more than taking its records does, and a service key
needs none of them.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from config.proxies import BehindProxies
from config.start import refusals_in_words
from sessions_log.management.process import spare_the_collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

with refusals_in_words():
    portal = get_wsgi_application()


class ApiHandler(WSGIHandler):
    """Django's handler with API_MIDDLEWARE in place of MIDDLEWARE."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain from API_MIDDLEWARE; Django reads the name MIDDLEWARE from settings."""
        with _middleware(settings.API_MIDDLEWARE):
            super().load_middleware(is_async)


class _middleware:  # noqa: N801 -- used as a context manager only
    def __init__(self, chain: list[str]) -> None:
        self._chain, self._usual = chain, settings.MIDDLEWARE

    def __enter__(self) -> None:
        settings.MIDDLEWARE = self._chain

    def __exit__(self, *_: object) -> None:
        settings.MIDDLEWARE = self._usual


api = ApiHandler()
spare_the_collector()


def by_path(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Choose the chain by path."""
    chain = api if environ["PATH_INFO"].startswith(settings.API_PREFIXES) else portal
    return chain(environ, start_response)


application = BehindProxies(by_path, settings.TRUSTED_PROXIES)

"""What a service key may do: each view names the scope it asks for."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from sessions_log.domain.service_key import KnownKey


class HasScope(BasePermission):
    """The key has the scope that the view asks of this method: `scopes = {"POST": "ingest"}`."""

    message = "The key does not have the scope that this needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the key has the scope. Raises MethodNotAllowed where the view names none for the method."""
        key = request.auth
        if not isinstance(key, KnownKey):
            return False
        scope = getattr(view, "scopes", {}).get("GET" if request.method == "HEAD" else request.method)
        if scope is None:
            raise MethodNotAllowed(str(request.method))
        return scope in key.scopes


class MayReadLedger(HasScope):
    """As `HasScope`; where ledgers are public, nobody needs a key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the ledgers are public, or the key has the scope."""
        return settings.IS_LEDGER_PUBLIC or super().has_permission(request, view)


def key_of(request: Request) -> KnownKey:
    """The key that a request came with. Raises NotAuthenticated."""
    key = request.auth
    if not isinstance(key, KnownKey):
        raise NotAuthenticated
    return key

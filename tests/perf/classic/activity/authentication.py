import hashlib
import hmac

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tests.perf.classic.activity.models import ServiceKey


class ServiceKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <prefix>.<secret>`, checked against the hashed key table."""

    def authenticate(self, request: Request) -> tuple[ServiceKey, None] | None:
        scheme, _, presented = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        prefix, _, secret = presented.partition(".")
        key = ServiceKey.objects.select_related("service__organization").filter(prefix=prefix).first()
        if key is None or not is_valid(key, secret):
            raise AuthenticationFailed("Unknown, expired or revoked key.")
        return key, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def is_valid(key: ServiceKey, secret: str) -> bool:
    presented = hashlib.sha256(secret.encode()).hexdigest()
    is_live = not key.is_revoked and (key.expires_at is None or key.expires_at > timezone.now())
    return hmac.compare_digest(presented, key.secret_sha256) and is_live

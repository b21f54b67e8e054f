"""Sign-in by e-mail and password, and the answer to `user.has_perm`: grants, asked at each use."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from compliance.queries import Rights, rights_of

# Which right opens which of the admin's own permissions (`app.verb_model`); what is not here nobody has.
MODEL_RIGHTS = {
    "sessions_log.view_sessionlog": "metadata",
    "sessions_log.view_sessionsummary": "metadata",
    "sessions_log.view_organization": "metadata",
    "sessions_log.change_organization": "access",
    "sessions_log.view_service": "metadata",
    "sessions_log.add_service": "access",
    "sessions_log.view_servicekey": "access",  # pragma: allowlist secret
    "sessions_log.add_servicekey": "access",  # pragma: allowlist secret
    "sessions_log.view_inboxrow": "metadata",
    "sessions_log.view_quarantinedrequest": "access",
    "sessions_log.change_quarantinedrequest": "access",
    "sessions_log.view_finding": "metadata",
    "sessions_log.view_checkpoint": "metadata",
    "sessions_log.view_statement": "metadata",
}


class GrantBackend(ModelBackend):
    """Permissions are rights: `sessions_log.identities` on an organization, or a model permission of the admin."""

    def has_perm(self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: Any = None) -> bool:
        """Whether a right is held on `obj` (an organization), or anywhere when there is no object."""
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        right = MODEL_RIGHTS.get(perm) or perm.partition(".")[2]
        rights = _rights(user_obj)
        organization_id = _organization_of(obj)
        return rights.anywhere(right) if organization_id is None else rights.may(right, organization_id)

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        """Every signed-in person sees the portal's sections; each page asks for its own right."""
        return user_obj.is_active and not user_obj.is_anonymous

    def get_all_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Any = None) -> set[str]:
        """The model permissions held, for Django's own templates."""
        return {perm for perm in MODEL_RIGHTS if self.has_perm(user_obj, perm, obj)}


def _rights(user: Any) -> Rights:
    """The user's rights, read once for each user object, which lives as long as its request."""
    known: Rights | None = getattr(user, "_rights", None)
    if known is None:
        known = user._rights = rights_of(user.pk, timezone.now())
    return known


def _organization_of(obj: Any) -> int | None:
    """The organization that an object is, or belongs to."""
    if obj is None:
        return None
    if hasattr(obj, "organization_id"):
        return int(obj.organization_id)
    service = getattr(obj, "service", None)
    return int(service.organization_id) if service is not None else int(obj.pk)

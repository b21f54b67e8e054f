"""Who works in the portal, and who may do what."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from compliance.domain.rights import RIGHTS


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no way to make a superuser."""

    def create_user(self, email: str, password: str | None, name: str) -> "User":
        """A person who may sign in; without a password only by another way than one."""
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who works in the portal. Rights come from grants alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name",)
        constraints = (models.CheckConstraint(condition=Q(is_superuser=False), name="user_is_no_superuser"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Everybody with an account works in the portal; what he sees there is for grants to say."""
        return self.is_active

    def get_short_name(self) -> str:
        """The name that the top bar shows."""
        return self.name


class Grant(models.Model):
    """A right on an organization, or on one of its services, with its reason and end. The truth about access."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    holder = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    right = models.CharField(max_length=16, choices=[(name, name) for name in RIGHTS])
    organization = models.ForeignKey("sessions_log.Organization", on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(
        "sessions_log.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300)
    granted_by = models.CharField(max_length=120)
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("organization", "holder", "right")
        indexes = (models.Index(fields=("holder", "organization", "right"), name="grant_holder"),)

    def __str__(self) -> str:
        return f"{self.right} on {self.organization_id}"

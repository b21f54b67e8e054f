"""Organizations, their services, and the services' keys."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_log.fields import TextArrayField

# Ten years: each month that a late record falls into gets a partition, which every search without bounds looks at.
MOST_DAYS_BACK = 3650


class Organization(models.Model):
    """The tenant: records, keys, ledger and officers' rights belong to one. `portal` is the product's own."""

    id = models.AutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    accepts_back_days = models.PositiveSmallIntegerField(
        "takes records up to (days back)", default=7, help_text="Older records need an import of history."
    )
    shard = models.PositiveSmallIntegerField(default=0, editable=False)
    epoch = models.PositiveSmallIntegerField(default=1, editable=False)
    # While the keys change: the epoch whose keys some references are still under.
    old_epoch = models.PositiveSmallIntegerField(null=True, editable=False)
    erasures = models.PositiveIntegerField(db_default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("slug",)
        constraints = (
            models.CheckConstraint(condition=Q(accepts_back_days__lte=MOST_DAYS_BACK), name="organization_back_days"),
        )

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A program that sends records. Its name stands in every leaf and never changes."""

    id = models.AutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="services")
    name = models.SlugField(max_length=63)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("organization", "name")
        constraints = (models.UniqueConstraint(fields=("organization", "name"), name="service_name"),)

    def __str__(self) -> str:
        return self.name


class ServiceKey(models.Model):
    """A service's key: shown once, kept as a hash, scoped, expiring, revocable."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    scopes = TextArrayField()
    records_per_minute = models.PositiveIntegerField(default=600_000)
    allowed_networks = TextArrayField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    replaced_by = models.ForeignKey("self", null=True, editable=False, on_delete=models.PROTECT)

    class Meta:
        ordering = ("service", "-created_at")

    def __str__(self) -> str:
        return f"mun_{self.prefix}_…"

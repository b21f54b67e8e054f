import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Organization(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)

    # Named in each model: the type checker knows the product's settings, where this app is not installed.
    objects: ClassVar[models.Manager["Organization"]] = models.Manager()

    def __str__(self) -> str:
        return self.slug


class Service(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    name = models.CharField(max_length=128)

    objects: ClassVar[models.Manager["Service"]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class ServiceKey(models.Model):
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    prefix = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_revoked = models.BooleanField(default=False)

    objects: ClassVar[models.Manager["ServiceKey"]] = models.Manager()

    # What DRF's IsAuthenticated asks of request.user.
    is_authenticated = True

    def __str__(self) -> str:
        return self.prefix


class SessionLog(models.Model):
    """One record of a service.

    Each search of the list has its index, led by the organization and ending in the time: it grows at its end
    and is read backwards, newest first. Equal times are put in order by id while reading, which keeps the id
    out of the indexes. The rare values of `outcome` and `sensitive` have partial indexes: for the frequent
    ones the index on time is as good.
    """

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        FAILURE = "failure"
        DENIED = "denied"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Their indexes are below, with the time.
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, db_index=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    # Null where the client gave none: the unique constraint must not take two such for one.
    client_id = models.CharField(max_length=128, null=True, blank=True)
    user_id = models.CharField(max_length=256, blank=True, default="")
    session_id = models.CharField(max_length=256)
    timestamp = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=128)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.SUCCESS)
    sensitive = models.BooleanField(default=False)
    target_type = models.CharField(max_length=128, blank=True, default="")
    target_id = models.CharField(max_length=512, blank=True, default="")
    ip_address = models.CharField(max_length=255, blank=True, default="")
    user_agent = models.CharField(max_length=1024, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    ai_model_used = models.CharField(max_length=128, blank=True, default="")
    trace_id = models.CharField(max_length=128, blank=True, default="")
    sequence = models.BigIntegerField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    objects: ClassVar[models.Manager["SessionLog"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "client_id"], name="one_log_per_client_id"),
        ]
        indexes = [
            models.Index(fields=["organization", "timestamp"], name="log_by_time"),
            models.Index(fields=["organization", "user_id", "timestamp"], name="log_by_user"),
            models.Index(fields=["organization", "session_id", "timestamp"], name="log_by_session"),
            models.Index(fields=["organization", "ip_address", "timestamp"], name="log_by_ip"),
            models.Index(fields=["organization", "target_type", "target_id", "timestamp"], name="log_by_target"),
            models.Index(fields=["organization", "action", "timestamp"], name="log_by_action"),
            models.Index(fields=["organization", "service", "timestamp"], name="log_by_service"),
            models.Index(
                fields=["organization", "outcome", "timestamp"],
                condition=~Q(outcome="success"),
                name="log_not_successful",
            ),
            models.Index(fields=["organization", "timestamp"], condition=Q(sensitive=True), name="log_sensitive"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

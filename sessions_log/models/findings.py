"""Findings: what the product has to say about itself."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Finding(models.Model):
    """Something that is not as it should be; open until it is seen to be well again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=80)
    words = models.CharField(max_length=300)
    opened_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-opened_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "about"), condition=Q(closed_at__isnull=True), name="finding_open_once"
            ),
        )

"""Who and what entries are about: random UUIDs, found again by keyed hashes of the exact value.

`lookup` is an HMAC under the search key of `epoch`; `sealed` holds the value itself, so that lookups can
be made anew when the epoch changes. Entries carry the UUIDs only.
"""

import uuid

from django.db import models
from django.db.models.functions import Now


class Subject(models.Model):
    """A person; provisional while only a session of his is known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.IntegerField()
    epoch = models.SmallIntegerField()
    lookup = models.BinaryField()
    sealed = models.BinaryField()
    is_provisional = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "lookup"), name="subject_lookup"),)


class Tombstone(models.Model):
    """That a subject was erased: his key, names and lookups are gone, his entries stand unopenable.

    id: the subject's, which entries go on to carry. statement_id: the entry that says who asked, and under which law.
    """

    id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    statement_id = models.UUIDField()
    erased_at = models.DateTimeField()


class SubjectKey(models.Model):
    """A subject's key for one part, wrapped under the organization's epoch key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="keys", db_index=False)
    part = models.SmallIntegerField()
    epoch = models.SmallIntegerField()
    wrapped = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "part"), name="subject_key_part"),)


class Session(models.Model):
    """A session token that was seen; `subject` is whom records without a user belong to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.IntegerField()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT)
    epoch = models.SmallIntegerField()
    lookup = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "lookup"), name="session_lookup"),)


class SubjectLink(models.Model):
    """That a provisional subject turned out to be a person: a user was seen in its session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.IntegerField()
    provisional = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="became")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="was")
    linked_at = models.DateTimeField(db_default=Now())


class Target(models.Model):
    """What was acted on: type and id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.IntegerField()
    epoch = models.SmallIntegerField()
    lookup = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "lookup"), name="target_lookup"),)


class Address(models.Model):
    """A network address, or what was sent in its place."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.IntegerField()
    epoch = models.SmallIntegerField()
    lookup = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization_id", "lookup"), name="address_lookup"),)

"""Every table of the app, as Django knows it."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import sessions_log.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        # Partitioned: the table itself is made by 0002.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="InboxRow",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("xid", sessions_log.fields.Xid8Field()),
                        ("serial", models.BigIntegerField()),
                        ("organization_id", models.IntegerField()),
                        ("service_id", models.IntegerField()),
                        ("shard", models.SmallIntegerField()),
                        ("lane", models.SmallIntegerField()),
                        ("kind", models.SmallIntegerField()),
                        ("records", models.IntegerField()),
                        (
                            "received_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("entry_ids", models.BinaryField()),
                        ("sealed", models.BinaryField()),
                    ],
                    options={
                        "db_table": "sessions_log_inbox",
                    },
                ),
            ]
        ),
        migrations.CreateModel(
            name="LedgerHead",
            fields=[
                ("organization_id", models.IntegerField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="QuarantinedRequest",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("service_id", models.IntegerField()),
                ("shard", models.SmallIntegerField()),
                ("kind", models.SmallIntegerField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "quarantined_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("retried_at", models.DateTimeField(null=True)),
                ("entry_ids", models.BinaryField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "ordering": ("-quarantined_at",),
            },
        ),
        # Partitioned: the table itself is made by 0002.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="RequestOutcome",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("organization_id", models.IntegerField()),
                        ("batch", models.BigIntegerField()),
                        ("recorded", models.IntegerField()),
                        ("duplicates", models.IntegerField()),
                        ("conflicts", models.IntegerField()),
                        ("quarantined", models.IntegerField()),
                    ],
                    options={
                        "db_table": "sessions_log_outcome",
                    },
                ),
            ]
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("lookup", models.BinaryField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id", "lookup"), name="address_lookup")],
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shard", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("entries", models.IntegerField()),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("shard", "number"), name="batch_number")],
            },
        ),
        migrations.CreateModel(
            name="BatchSpan",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shard", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("organization_id", models.IntegerField()),
                ("kind", models.SmallIntegerField()),
                ("entries", models.IntegerField()),
                ("first_seq", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField()),
                ("lowest_id", models.UUIDField()),
                ("highest_id", models.UUIDField()),
            ],
            options={
                "indexes": [models.Index(fields=["shard", "number"], name="batch_span_number")],
            },
        ),
        migrations.CreateModel(
            name="Conflict",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("entry_id", models.UUIDField()),
                ("request_id", models.UUIDField()),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "entry_id"], name="conflict_entry")],
            },
        ),
        migrations.CreateModel(
            name="Facet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("service_id", models.IntegerField()),
                ("action", models.TextField()),
                ("outcome", models.SmallIntegerField()),
                ("sensitive", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "service_id", "action", "outcome", "sensitive"),
                        name="facet_values",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("about", models.CharField(max_length=80)),
                ("words", models.CharField(max_length=300)),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-opened_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("kind", "about"),
                        name="finding_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FollowerPosition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("follower", models.CharField(max_length=40)),
                ("shard", models.SmallIntegerField()),
                ("batch", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("follower", "shard"), name="follower_position")],
            },
        ),
        migrations.CreateModel(
            name="LeafBundle",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("number", models.BigIntegerField()),
                ("leaves", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "number"), name="leaf_bundle_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="LeafTail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("first_seq", models.BigIntegerField()),
                ("leaves", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id", "first_seq"), name="leaf_tail_seq")],
            },
        ),
        migrations.CreateModel(
            name="MinuteCounter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("minute", models.DateTimeField()),
                ("entries", models.IntegerField(default=0)),
                ("success", models.IntegerField(default=0)),
                ("failure", models.IntegerField(default=0)),
                ("denied", models.IntegerField(default=0)),
                ("sensitive", models.IntegerField(default=0)),
                ("redacted", models.IntegerField(default=0)),
                ("auth", models.IntegerField(default=0)),
                ("auth_failed", models.IntegerField(default=0)),
                ("session", models.IntegerField(default=0)),
                ("record", models.IntegerField(default=0)),
                ("file", models.IntegerField(default=0)),
                ("export", models.IntegerField(default=0)),
                ("permission", models.IntegerField(default=0)),
                ("secret", models.IntegerField(default=0)),
                ("ai", models.IntegerField(default=0)),
                ("admin", models.IntegerField(default=0)),
                ("other", models.IntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "minute"), name="minute_counter_minute")
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("slug", models.SlugField(max_length=63, unique=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "accepts_back_days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        help_text="Older records need an import of history.",
                        verbose_name="takes records up to (days back)",
                    ),
                ),
                ("shard", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("epoch", models.PositiveSmallIntegerField(default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "ordering": ("slug",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("accepts_back_days__lte", 3650)), name="organization_back_days"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecorderPosition",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("shard", models.SmallIntegerField()),
                ("lane", models.SmallIntegerField()),
                ("xid", sessions_log.fields.Xid8Field()),
                ("serial", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("shard", "lane"), name="recorder_position_lane")],
            },
        ),
        migrations.CreateModel(
            name="Service",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.SlugField(max_length=63)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="sessions_log.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization", "name"),
            },
        ),
        migrations.CreateModel(
            name="ServiceKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("prefix", models.CharField(editable=False, max_length=12, unique=True)),
                ("secret_hash", models.BinaryField(max_length=32)),
                ("scopes", sessions_log.fields.TextArrayField()),
                ("records_per_minute", models.PositiveIntegerField(default=600000)),
                ("allowed_networks", sessions_log.fields.TextArrayField(default=list)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                (
                    "replaced_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sessions_log.servicekey",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="sessions_log.service",
                    ),
                ),
            ],
            options={
                "ordering": ("service", "-created_at"),
            },
        ),
        # Partitioned: the table itself is made by 0002.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SessionLog",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("organization_id", models.IntegerField()),
                        ("seq", models.BigIntegerField()),
                        ("timestamp", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("hour", models.IntegerField()),
                        ("duration", models.IntegerField(null=True)),
                        ("subject_id", models.UUIDField()),
                        ("session_id", models.UUIDField()),
                        ("target_id", models.UUIDField(null=True)),
                        ("address_id", models.UUIDField(null=True)),
                        (
                            "outcome",
                            models.SmallIntegerField(choices=[(1, "ok"), (2, "failed"), (3, "denied")]),
                        ),
                        ("detectors", models.SmallIntegerField()),
                        ("policy", models.SmallIntegerField()),
                        ("sensitive", models.BooleanField()),
                        ("action", models.TextField()),
                        ("target_type", models.TextField(null=True)),
                        ("ai_model", models.TextField(null=True)),
                        ("findings", models.JSONField(null=True)),
                        ("nonce", models.BinaryField()),
                        ("identity", models.BinaryField(null=True)),
                        (
                            "service",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to="sessions_log.service",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "sessions_log_sessionlog",
                    },
                ),
            ]
        ),
        migrations.CreateModel(
            name="SessionSummary",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("subject_id", models.UUIDField()),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField()),
                ("entries", models.IntegerField()),
                ("failures", models.IntegerField()),
                ("denials", models.IntegerField()),
                ("ai_uses", models.IntegerField()),
                ("sensitive", models.IntegerField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "-last_seen", "-id"], name="session_summary_recent"),
                    models.Index(fields=["subject_id"], name="session_summary_subject"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subject",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("lookup", models.BinaryField()),
                ("sealed", models.BinaryField()),
                ("is_provisional", models.BooleanField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id", "lookup"), name="subject_lookup")],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("lookup", models.BinaryField()),
                ("sealed", models.BinaryField()),
                (
                    "subject",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="sessions_log.subject"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("part", models.SmallIntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("wrapped", models.BinaryField()),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="sessions_log.subject",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SubjectLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("linked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "provisional",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="became",
                        to="sessions_log.subject",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="was",
                        to="sessions_log.subject",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Target",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("lookup", models.BinaryField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id", "lookup"), name="target_lookup")],
            },
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="service_name"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(fields=("organization_id", "lookup"), name="session_lookup"),
        ),
        migrations.AddConstraint(
            model_name="subjectkey",
            constraint=models.UniqueConstraint(fields=("subject", "part"), name="subject_key_part"),
        ),
    ]

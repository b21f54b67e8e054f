"""Verifications: what was looked at, and how far those have come that take several steps."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0009_session_sequences"),
    ]

    operations = [
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("kind", models.SmallIntegerField(choices=[(1, "part"), (2, "whole"), (3, "opened"), (4, "against")])),
                ("first_seq", models.BigIntegerField()),
                ("end_seq", models.BigIntegerField()),
                ("entries", models.BigIntegerField()),
                ("opened", models.BigIntegerField()),
                ("checkpoints", models.BigIntegerField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("faults", models.IntegerField()),
                ("place", models.CharField(blank=True, max_length=120)),
                ("words", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "id"], name="verification_latest"),
                    models.Index(condition=models.Q(("faults__gt", 0)), fields=["id"], name="verification_failed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VerificationPosition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("kind", models.SmallIntegerField()),
                ("next_seq", models.BigIntegerField()),
                ("started_at", models.DateTimeField()),
                ("moved_at", models.DateTimeField()),
                ("entries", models.BigIntegerField()),
                ("opened", models.BigIntegerField()),
                ("checkpoints", models.BigIntegerField()),
                ("faults", models.IntegerField()),
                ("place", models.CharField(blank=True, max_length=120)),
                ("words", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "kind"), name="verification_position_kind")
                ],
            },
        ),
    ]

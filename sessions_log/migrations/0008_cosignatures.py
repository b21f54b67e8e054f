"""Cosignatures of witnesses, and how each ledger stands with each witness."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0007_epochs_and_tombstones"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("checkpoint_id", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("witness", models.TextField()),
                ("key_id", models.BinaryField()),
                ("line", models.TextField()),
                ("cosigned_at", models.DateTimeField()),
                ("stored_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "size", "witness", "key_id"), name="cosignature_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WitnessStanding",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("witness", models.TextField()),
                ("key_id", models.BinaryField()),
                ("checkpoint_id", models.BigIntegerField(null=True)),
                ("size", models.BigIntegerField(default=0)),
                ("refusal", models.CharField(blank=True, default="", max_length=20)),
                ("failures", models.IntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "witness", "key_id"), name="witness_standing_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "SELECT muniment_guard('sessions_log_cosignature')", "DROP TRIGGER evidence ON sessions_log_cosignature"
        ),
    ]

"""Signed heads of the ledgers."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0004_ledger_tree"),
    ]

    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("batch", models.BigIntegerField()),
                ("signed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "id"], name="checkpoint_latest")],
            },
        ),
        migrations.RunSQL(
            "SELECT muniment_guard('sessions_log_checkpoint')", "DROP TRIGGER evidence ON sessions_log_checkpoint"
        ),
    ]

"""Statements."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0005_checkpoints"),
    ]

    operations = [
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("seq", models.BigIntegerField()),
                ("stated_at", models.DateTimeField()),
                ("type", models.CharField(max_length=40)),
                ("body", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id", "seq"), name="statement_seq")],
            },
        ),
        migrations.RunSQL(
            "SELECT muniment_guard('sessions_log_statement')", "DROP TRIGGER evidence ON sessions_log_statement"
        ),
    ]

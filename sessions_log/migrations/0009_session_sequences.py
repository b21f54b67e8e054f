"""The senders' own counts within sessions, and statements found by their type."""

from django.db import migrations, models

import sessions_log.fields


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0008_cosignatures"),
    ]

    operations = [
        migrations.CreateModel(
            name="SessionSequence",
            fields=[
                ("session_id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("seen", sessions_log.fields.Int8MultirangeField()),
                ("waiting_since", models.DateTimeField(null=True)),
                ("waiting", sessions_log.fields.Int8MultirangeField()),
                ("stated", sessions_log.fields.Int8MultirangeField(null=True)),
                ("truncated", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("waiting_since__isnull", False)),
                        fields=["waiting_since"],
                        name="session_sequence_waiting",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            "statement", models.Index(fields=["organization_id", "type", "seq"], name="statement_type")
        ),
    ]

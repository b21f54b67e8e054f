"""Changing an organization's keys, and erased subjects."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0006_statements"),
    ]

    operations = [
        migrations.AddField("organization", "old_epoch", models.PositiveSmallIntegerField(editable=False, null=True)),
        migrations.AddField("organization", "erasures", models.PositiveIntegerField(db_default=0, editable=False)),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.IntegerField()),
                ("statement_id", models.UUIDField()),
                ("erased_at", models.DateTimeField()),
            ],
        ),
    ]

"""Which run of a scheduled job did which period."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0002_partitioned_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job", models.CharField(max_length=60)),
                ("period", models.DateTimeField()),
                ("ran_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ("-period", "job"),
                "constraints": [models.UniqueConstraint(fields=("job", "period"), name="job_run_period")],
            },
        ),
    ]

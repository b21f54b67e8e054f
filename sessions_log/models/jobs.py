"""Scheduled jobs: which run did which period's work."""

from django.db import models
from django.db.models.functions import Now


class JobRun(models.Model):
    """A job's work for one period, claimed by inserting this row: two beats, or a restarted one, do it once."""

    id = models.BigAutoField(primary_key=True)
    job = models.CharField(max_length=60)
    period = models.DateTimeField()
    ran_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-period", "job")
        constraints = (models.UniqueConstraint(fields=("job", "period"), name="job_run_period"),)

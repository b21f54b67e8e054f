"""The senders' own counts within sessions."""

from django.db import models

from sessions_log.fields import Int8MultirangeField


class SessionSequence(models.Model):
    """Which numbers of a session's count came; kept by the recorder, for sessions that have such a count.

    waiting_since: since when the missing numbers are others than the stated ones; `waiting` is what they were then.
    stated: what the last statement called missing. truncated: holes beyond the number that is kept were given up;
    then `stated` is null until that is stated, too.
    """

    session_id = models.UUIDField(primary_key=True)
    organization_id = models.IntegerField()
    seen = Int8MultirangeField()
    waiting_since = models.DateTimeField(null=True)
    waiting = Int8MultirangeField()
    stated = Int8MultirangeField(null=True)
    truncated = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(
                fields=("waiting_since",),
                condition=models.Q(waiting_since__isnull=False),
                name="session_sequence_waiting",
            ),
        )

"""Which shards there are."""

from sessions_log.models import RecorderPosition


def shards() -> list[int]:
    """The shards that have a recorder's position, rising."""
    return sorted(set(RecorderPosition.objects.values_list("shard", flat=True)))

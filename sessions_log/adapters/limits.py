"""Limits per key in Valkey: each process takes permits in small lots, so that a request rarely asks the server."""

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from redis.exceptions import RedisError

from sessions_log.domain.inbox import InboxRequest
from sessions_log.ports import Inbox, NeverPermitted, OverLimit

_log = logging.getLogger("muniment.limits")

# Takes up to ARGV[1] permits of the minute's ARGV[2]; returns how many were left to take. One step, atomic.
_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local taken = math.min(tonumber(ARGV[1]), math.max(0, tonumber(ARGV[2]) - used))
if taken > 0 then
    redis.call('INCRBY', KEYS[1], taken)
    redis.call('EXPIRE', KEYS[1], 120)
end
return taken
"""
_LOTS_PER_MINUTE = 200
_TRY_AGAIN_S = 5.0


class RecordLimits:
    """Permits for records per minute and key. Without Valkey everything is permitted, and `is_guarding` is False.

    The minutes are the server's clock's; a process may hold at most a two-hundredth of a minute's permits.
    """

    def __init__(self, evaluate: Callable[[str, str, int, int], int]) -> None:
        self._evaluate = evaluate
        self._held: dict[tuple[UUID, int], int] = {}
        self._lock = threading.Lock()
        self._failed_at = 0.0
        self.is_guarding = True

    def take(self, key_id: UUID, records: int, per_minute: int) -> int:
        """0 when the records may come in now, else the seconds until they may be tried again."""
        now = time.time()
        minute = int(now // 60)
        with self._lock:
            held = self._held.get((key_id, minute), 0)
            if held < records:
                held += self._fetch(key_id, minute, records - held, per_minute)
            if held < records:
                self._held[key_id, minute] = held
                return 60 - int(now % 60)
            if len(self._held) > 1000:
                self._held.clear()
            self._held[key_id, minute] = held - records
            return 0

    def _fetch(self, key_id: UUID, minute: int, missing: int, per_minute: int) -> int:
        if time.monotonic() - self._failed_at < _TRY_AGAIN_S:
            return missing
        lot = max(missing, per_minute // _LOTS_PER_MINUTE)
        try:
            taken = self._evaluate(_TAKE, f"muniment:limit:{key_id}:{minute}", lot, per_minute)
        except RedisError as error:
            # Records are worth more than limits: intake goes on, and health says so.
            _log.warning("limits are off: Valkey is away (%s)", type(error).__name__)
            self._failed_at, self.is_guarding = time.monotonic(), False
            return missing
        self.is_guarding = True
        return taken


class LimitedInbox:
    """See `sessions_log.ports.Inbox`: the inbox as one key may use it."""

    def __init__(self, inbox: Inbox, limits: RecordLimits, key_id: UUID, per_minute: int) -> None:
        self._inbox, self._limits = inbox, limits
        self._key_id, self._per_minute = key_id, per_minute

    def put(self, request: InboxRequest) -> None:
        """See the port. Raises OverLimit, NeverPermitted."""
        if wait_s := self._limits.take(self._key_id, request.records, self._per_minute):
            if request.records > self._per_minute:
                raise NeverPermitted(self._per_minute)
            raise OverLimit(wait_s)
        self._inbox.put(request)

"""Services that send records while the portal is being killed, and note outside of it what was acknowledged."""

import gzip
import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.running_portal import Answer, Client, RunningPortal

ACTIONS = (
    "record.view",
    "record.update",
    "file.download",
    "ai.prompt",
    "auth.login_failed",
    "session.end",
    "custom.till",
)
OUTCOMES = ("success", "success", "success", "failure", "denied")
LARGEST_BATCH = 500
# How often a batch is sent once more although it was acknowledged, as a service does whose note of it was lost.
SENT_AGAIN = 0.05


class Pace:
    """Lets records through in slices, so that the load lasts as long as the killing does."""

    def __init__(self) -> None:
        self._let_through, self._taken, self._is_closed = 0, 0, False
        self._changed = threading.Condition()

    def let_through(self, records: int) -> None:
        with self._changed:
            self._let_through += records
            self._changed.notify_all()

    @property
    def so_far(self) -> int:
        """How many were let through."""
        return self._let_through

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def take(self, most: int) -> int:
        """How many records may be sent now, waiting for the first; 0 when nothing more comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._let_through or self._is_closed)
            taken = min(most, self._let_through - self._taken)
            self._taken += taken
            return taken


@dataclass
class Sender(threading.Thread):
    """One service with ids of its own, a connection of its own, and a file of what it was promised."""

    portal: RunningPortal
    number: int
    seed: int
    pace: Pace
    noted: Path
    statuses: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    unexpected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name=f"sender-{self.number}", daemon=True)
        self._random = random.Random(f"{self.seed}-{self.number}")
        self._made = 0
        self._client: Client = self.portal.client(timeout_s=20)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Send until nothing more comes; every batch until it is acknowledged, under the same ids."""
        with self.noted.open("w") as notes:
            while count := self.pace.take(self._batch_size()):
                records = [self._record() for _ in range(count)]
                while True:
                    answer = self._send_until_acknowledged(records)
                    if answer is None:
                        return
                    self._note(notes, answer, records)
                    if self._random.random() > SENT_AGAIN:
                        break
        self._client.close()

    def _batch_size(self) -> int:
        kind = self._random.random()
        if kind < 0.4:
            return 1
        return self._random.randint(2, 30) if kind < 0.7 else self._random.randint(31, LARGEST_BATCH)

    def _record(self) -> dict[str, Any]:
        """A record by its number; a session has one user and times of its own, so that summaries are certain."""
        self._made += 1
        number, chosen = self._made, self._random
        at = datetime.now(UTC) - timedelta(hours=chosen.choice((0, 0, 0, 1, 30)), microseconds=number)
        session = chosen.randrange(200)
        record: dict[str, Any] = {
            "id": f"{self.seed}-{self.number}-{number}",
            "sessionId": f"session-{self.number}-{session}",
            "timestamp": at.isoformat(),
            "action": chosen.choice(ACTIONS),
            "outcome": chosen.choice(OUTCOMES),
            "metadata": {"number": number, "by": self.number},
            "ipAddress": f"198.51.100.{chosen.randrange(256)}",
            "sensitive": chosen.random() < 0.1,
        }
        if session % 10:
            record["userId"] = f"user-{self.number}-{session}"
        if chosen.random() < 0.3:
            record["target"] = {"type": "order", "id": str(chosen.randrange(1000))}
        if chosen.random() < 0.2:
            record["aiModelUsed"] = "planner-2"
        if chosen.random() < 0.5:
            record["duration"] = chosen.randrange(5000)
        return record

    def _send_until_acknowledged(self, records: list[dict[str, Any]]) -> Answer | None:
        """The 202; None after an answer that may never come."""
        while True:
            answer = self._send_once(records)
            if answer is not None:
                self.statuses[str(answer.status)] += 1
                self.slowest_s = max(self.slowest_s, answer.took_s)
                if answer.status == 202:
                    return answer
                if answer.status != 503 or "Retry-After" not in answer.headers:
                    self.unexpected.append(f"{answer.status} {answer.body[:300]!r}")
                    return None
            time.sleep(self._random.uniform(0.02, 0.2))  # sooner than Retry-After asks: the harder case

    def _send_once(self, records: list[dict[str, Any]]) -> Answer | None:
        """The server's answer, or None where the connection ended without a whole one."""
        try:
            if self._random.random() < 0.3:
                lines = b"\n".join(json.dumps(record).encode() for record in records)
                return self._client.post(
                    gzip.compress(lines, 1), "application/x-ndjson", **{"Content-Encoding": "gzip"}
                )
            return self._client.send(records)
        except (OSError, http.client.HTTPException) as error:
            self.statuses[type(error).__name__] += 1
            return None

    def _note(self, notes: Any, answer: Answer, records: list[dict[str, Any]]) -> None:
        """Write down what was promised: client's id, entry id, request id."""
        promised = answer.json()
        receipts = promised["receipts"]
        if [receipt["id"] for receipt in receipts] != [record["id"] for record in records]:
            self.unexpected.append("receipts in another order than the records")
        for receipt in receipts:
            if receipt["status"] != "accepted":
                self.unexpected.append(f"rejected {receipt.get('path')}")
            notes.write(f"{receipt['id']} {receipt['entryId']} {promised['requestId']}\n")
        notes.flush()

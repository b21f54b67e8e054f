"""Somebody outside who keeps every checkpoint that he is served, and checks the ledger with the stand-alone verifier."""

import http.client
import subprocess
import sys
import threading
from pathlib import Path

from tests.faults.running_portal import ROOT, Client, RunningPortal

VERIFIER = ROOT / "compliance" / "static" / "portal" / "muniment_verify.py"
_LOOKS_EVERY_S = 0.1
_BUNDLE = 256


class Auditor(threading.Thread):
    """Asks for the checkpoint again and again, as long as he is not told to stop."""

    def __init__(self, portal: RunningPortal, organization: str) -> None:
        super().__init__(name="auditor", daemon=True)
        key = portal.manage("create_service_key", "--organization", organization, "--scope=ledger").stdout.strip()
        self._portal, self._key, self._below = portal, key, f"/api/v1/ledgers/{organization}"
        self._is_over = threading.Event()
        self.served: dict[str, None] = {}

    def run(self) -> None:
        """Keep what is served; while nobody answers, ask again."""
        client = self._client(timeout_s=5)
        while not self._is_over.wait(_LOOKS_EVERY_S):
            try:
                answer = client.get(f"{self._below}/checkpoint")
            except (OSError, http.client.HTTPException):
                continue
            if answer.status == 200:
                self.served[answer.body.decode()] = None

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def check(self, folder: Path) -> tuple[int, list[str]]:
        """Fetch the ledger and verify it. Returns its size, and what the verifier objects to.

        What is verified: every leaf up to the latest checkpoint's root, and that every checkpoint that was ever served
        is consistent with that.
        """
        client = self._client(timeout_s=30)
        latest = self._get(client, "checkpoint").decode()
        keys = folder / "keys"
        keys.write_bytes(self._get(client, "keys"))
        (folder / "checkpoint").write_text(latest)
        size = _size(latest)
        for number in range(-(-size // _BUNDLE)):
            width = min(_BUNDLE, size - number * _BUNDLE)
            place = f"tile/entries/{(number // 1000 and f'x{number // 1000:03d}/') or ''}{number % 1000:03d}"
            place += f".p/{width}" if width < _BUNDLE else ""
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(self._get(client, place))
        objections = [_verify("ledger", folder, "--key", keys)]
        for number, served in enumerate(self.served):
            old, growth = folder / f"old-{number}", folder / f"growth-{number}"
            old.write_text(served)
            growth.write_bytes(self._get(client, f"consistency?old={_size(served)}"))
            objections.append(_verify("growth", old, growth, "--key", keys))
        return size, [one for one in objections if one]

    def _client(self, timeout_s: float) -> Client:
        return self._portal.client(self._key, timeout_s)

    def _get(self, client: Client, place: str) -> bytes:
        answer = client.get(f"{self._below}/{place}")
        assert answer.status == 200, (place, answer.body)
        return answer.body


def _size(checkpoint: str) -> int:
    return int(checkpoint.split("\n")[1])


def _verify(*arguments: object) -> str:
    """What the verifier objects to; empty where all holds."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"{arguments[0]}: {done.stderr.strip()}"

"""Witnesses for tests: each is a process of its own (see `witness_server`), and knows the logs that it is told."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sessions_log.domain.signed_note import COSIGNATURE_V1, VerifierKey
from sessions_log.domain.witness_policy import Witness, WitnessPolicy, parse_policy

SERVER = Path(__file__).with_name("witness_server.py")


class RunningWitness:
    """A witness that runs until `stop`; `start` brings it back with what it has cosigned, on another port."""

    def __init__(self, folder: Path, name: str, logs: list[str]) -> None:
        folder.mkdir()
        self._folder, self._seed = folder, secrets.token_bytes(32)
        self._told: dict[str, object] = {
            "name": f"{name}.example/w",
            "seed": self._seed.hex(),
            "logs": logs,
            "mode": "honest",
        }
        self.name = name
        self.tell()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(SERVER), str(self._folder)], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        address = "https://localhost" if (self._folder / "tls.pem").exists() else "http://127.0.0.1"
        self.url = f"{address}:{int(self._process.stdout.readline())}"

    def speak_tls(self, key_and_certificate: bytes) -> None:
        """From the next start on, as localhost."""
        (self._folder / "tls.pem").write_bytes(key_and_certificate)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def tell(self, **changed: object) -> None:
        """Change what it knows (`logs`) or how it behaves (`mode`)."""
        self._told |= changed
        (self._folder / "witness.json").write_text(json.dumps(self._told))

    @property
    def key(self) -> VerifierKey:
        public = Ed25519PrivateKey.from_private_bytes(self._seed).public_key().public_bytes_raw()
        return VerifierKey(str(self._told["name"]), COSIGNATURE_V1, public)

    @property
    def as_witness(self) -> Witness:
        """As a policy names it."""
        return Witness(self.name, self.key, self.url)

    def asked(self) -> list[str]:
        """What it was asked for so far: `old 3 17` for a proof from 3 to 17."""
        file = self._folder / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def remember(self, origin: str, size: int, root: bytes) -> None:
        """Have cosigned this, and nothing else."""
        (self._folder / "cosigned.json").write_text(json.dumps({origin: [size, root.hex()]}))

    def cosigned(self, origin: str) -> int:
        """The size that it has cosigned last."""
        file = self._folder / "cosigned.json"
        return int(json.loads(file.read_text()).get(origin, [0])[0]) if file.exists() else 0


def policy_of(*witnesses: RunningWitness, needed: int | str = "all") -> WitnessPolicy:
    """A policy in which so many of these are the quorum."""
    return parse_policy(policy_text(*witnesses, needed=needed))


def policy_text(*witnesses: RunningWitness, needed: int | str = "all") -> str:
    """The file of such a policy."""
    lines = [f"witness {one.name} {one.key} {one.url}" for one in witnesses]
    group = f"group enough {needed} {' '.join(one.name for one in witnesses)}"
    return "\n".join([*lines, group, "quorum enough", ""])

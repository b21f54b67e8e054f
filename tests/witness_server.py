"""A witness (C2SP tlog-witness) as a program of its own, which shares no code with the product.

    python tests/witness_server.py FOLDER

FOLDER/witness.json: {"name", "seed" (hex), "logs" (vkeys), "mode"}, read anew at each request; `mode` is "honest" or
a way to misbehave. What it has cosigned stands in FOLDER/cosigned.json, written before it answers. It prints its port.
With FOLDER/tls.pem (key and certificate) it speaks TLS.
"""

import base64
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_one_at_a_time = threading.Lock()


class Refused(Exception):
    """The answer is this status, and this body."""

    def __init__(self, status: int, body: str = "", content_type: str = "text/plain") -> None:
        super().__init__(status)
        self.status, self.body, self.content_type = status, body, content_type


def roots(old: int, new: int, proof: Iterator[bytes], known: bytes | None) -> tuple[bytes, bytes]:
    """The two roots that a consistency proof leads to, by the definition of RFC 6962 (2.1.2), read backwards."""
    if old == new:
        hash_ = known if known is not None else next(proof)
        return hash_, hash_
    half = 1
    while half * 2 < new:
        half *= 2
    if old <= half:
        of_old, of_new = roots(old, half, proof, known)
        return of_old, sha256(b"\x01" + of_new + next(proof)).digest()
    of_old, of_new = roots(old - half, new - half, proof, None)
    left = next(proof)
    return sha256(b"\x01" + left + of_old).digest(), sha256(b"\x01" + left + of_new).digest()


def continues(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    rest = iter(proof)
    try:
        fits = roots(old, new, rest, old_root) == (old_root, new_root) if old else True
    except StopIteration:
        return False
    return fits and next(rest, None) is None


class Witness:
    """What it is told, and what it has cosigned."""

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / "witness.json").read_text())
        self.mode, self.name = told["mode"], told["name"]
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(told["seed"]))
        self.logs: dict[tuple[str, bytes], bytes] = {}
        for vkey in told["logs"]:
            name, hash_, key = vkey.split("+", 2)
            self.logs[name, bytes.fromhex(hash_)] = base64.b64decode(key)[1:]
        self.file = folder / "cosigned.json"
        self.cosigned: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}

    def add(self, body: str) -> str:
        head, _, checkpoint = body.partition("\n\n")
        text, _, signatures = checkpoint.rpartition("\n\n")
        text += "\n"
        old_line, *proof_lines = head.split("\n")
        origin, size_line, root_line = text.split("\n")[:3]
        old, size, root = int(old_line.removeprefix("old ")), int(size_line), base64.b64decode(root_line)
        self._check_signature(origin, text, signatures)
        last_size, last_root = self.cosigned.get(origin, [0, ""])
        if old > size:
            raise Refused(400)
        if old != last_size:
            raise Refused(409, f"{last_size}\n", "text/x.tlog.size")
        if old == size and root.hex() != last_root:
            raise Refused(409)
        if not continues(old, bytes.fromhex(last_root), size, root, [base64.b64decode(line) for line in proof_lines]):
            raise Refused(422)
        self.cosigned[origin] = [size, root.hex()]
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(self.cosigned))
        fresh.replace(self.file)
        return self.cosignature(text)

    def _check_signature(self, origin: str, text: str, signatures: str) -> None:
        if not any(name == origin for name, _ in self.logs):
            raise Refused(404)
        is_trusted = False
        for line in signatures.splitlines():
            _, name, encoded = line.split(" ")
            signature = base64.b64decode(encoded)
            if name == origin and (public := self.logs.get((name, signature[:4]))):
                try:
                    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
                except InvalidSignature:
                    raise Refused(403) from None
                is_trusted = True
        if not is_trusted:
            raise Refused(403)

    def cosignature(self, text: str) -> str:
        """Its line, or what its mode makes of it."""
        key = Ed25519PrivateKey.generate() if self.mode == "other_key" else self.key
        at = int(time.time()) - {"old_time": 7200, "early_time": -7200}.get(self.mode, 0)
        signed = "another.example\n1\nAAAA\n" if self.mode == "wrong_signature" else text
        signature = key.sign(f"cosignature/v1\ntime {at}\n{signed}".encode())
        public = key.public_key().public_bytes_raw()
        key_id = sha256(self.name.encode() + b"\n\x04" + public).digest()[:4]
        whole = base64.b64encode(key_id + at.to_bytes(8, "big") + signature).decode()
        unknown = base64.b64encode(bytes(76)).decode()
        return f"\N{EM DASH} stranger.example {unknown}\n\N{EM DASH} {self.name} {whole}\n"


class Handler(BaseHTTPRequestHandler):
    """HTTP, as it should be and in all the ways to misbehave."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.path.endswith("/add-checkpoint"):
            self._answer(405, "", "text/plain")
            return
        with _one_at_a_time:
            witness = Witness(self.folder)
            size = body.partition("\n\n")[2].splitlines()[1]
            with (self.folder / "asked").open("a") as asked:
                asked.write(f"{body.splitlines()[0]} {size}\n")
            try:
                status, answer, content_type = 200, witness.add(body), "text/plain"
            except Refused as refused:
                status, answer, content_type = refused.status, refused.body, refused.content_type
        self._behave(witness.mode, status, answer, content_type)

    def _behave(self, mode: str, status: int, answer: str, content_type: str) -> None:
        if mode == "fault":
            self._answer(503, "busy", "text/plain")
        elif mode == "elsewhere":
            self.send_response(307)
            self.send_header("Location", "/elsewhere/add-checkpoint")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif mode == "huge":
            self._answer(status, answer * 2000, content_type)
        elif mode == "slow":
            self._drip(answer)
        elif mode == "no_lines":
            self._answer(200, "thank you\n", "text/plain")
        elif mode == "nonsense_size":
            self._answer(409, "many\n", "text/x.tlog.size")
        else:
            self._answer(status, answer, content_type)

    def _answer(self, status: int, body: str, content_type: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drip(self, answer: str) -> None:
        """A byte now and then, so that no single read ever takes long."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        try:
            for byte in answer.encode():
                self.wfile.write(bytes([byte]))
                time.sleep(0.5)
        except OSError:  # nobody listens any more
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is printed but the port."""


def main() -> None:
    Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if (Handler.folder / "tls.pem").exists():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Handler.folder / "tls.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()

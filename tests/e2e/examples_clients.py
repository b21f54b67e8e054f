"""Starts the example clients as processes, the TypeScript one compiled under strict rules first."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DRIVERS = Path(__file__).parent
TYPESCRIPT = "5.9.3"
TYPESCRIPT_INTEGRITY = (  # the public hash of that release
    # pragma: allowlist nextline secret
    "sha512-jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw=="
)
STRICT = (
    "--strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --noImplicitOverride --noUnusedLocals "
    "--noUnusedParameters --verbatimModuleSyntax --isolatedModules --target es2022 "
    "--lib es2022,dom,dom.iterable --module esnext --moduleResolution bundler --typeRoots none"
).split()

QUICK = {"intervalMs": 20, "retryFirstMs": 20, "retryMostMs": 100, "timeoutMs": 5_000}
HOUR_MS = 3_600_000


class Client:
    """A running client. `ask` gives it one command and returns its answer."""

    def __init__(self, command: Sequence[str | Path], environment: dict[str, str], errors: Path) -> None:
        self.errors = errors
        with errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=os.environ | environment,
            )
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        answer = self._exchange(do, arguments)
        assert "error" not in answer, answer["error"]
        return answer

    def fail(self, do: str, **arguments: object) -> str:
        """The words of the error that the command must end in."""
        return str(self._exchange(do, arguments)["error"])

    def _exchange(self, do: str, arguments: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do} | arguments).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answers.get(timeout=60)
        assert answer, f"the client ended: {self.errors.read_text()}"
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def record(self, count: int, *, first: int = 0, padding: int = 0, **metadata: object) -> dict[str, Any]:
        return self.ask("record", first=first, count=count, metadata=metadata, padding=padding)

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 20.0) -> dict[str, Any]:
        """Asks for the client's figures until they are so."""
        deadline = time.monotonic() + timeout_s
        while not condition(stats := self.ask("stats")):
            assert time.monotonic() < deadline, f"not so within {timeout_s} s: {stats}"
        return stats

    def end(self, timeout_s: float = 20.0) -> int:
        """Lets the program come to its end, as a service that is stopped; gives its exit status."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")


class StartClient(Protocol):
    """Starts the client with `QUICK` and the options of the test, `environment` beside the inherited one."""

    def __call__(self, environment: dict[str, str] | None = None, **options: object) -> Client: ...


def python_command() -> list[str | Path]:
    return [sys.executable, DRIVERS / "examples_driver.py", EXAMPLES]


def typescript_command(folder: Path) -> list[str | Path]:
    return [program("node"), folder / "examples_driver.mjs"]


def compile_typescript(folder: Path) -> Path:
    """Type-checks and compiles the TypeScript example into `folder`, beside the driver that uses it."""
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(EXAMPLES / "muniment.ts", folder)
    shutil.copy(DRIVERS / "examples_driver.mjs", folder)
    compiler = _typescript() / "node_modules" / "typescript" / "lib" / "tsc.js"
    compiled = subprocess.run(
        [program("node"), compiler, *STRICT, "muniment.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert compiled.returncode == 0, compiled.stdout
    return folder


def program(name: str) -> str:
    """The path of a program that the tests cannot do without."""
    path = shutil.which(name)
    assert path is not None, f"{name} is needed to test the TypeScript example (Node 18 or newer with npm)"
    return path


def _typescript() -> Path:
    """A folder with the pinned compiler, kept for the next run; npm checks it against the hash."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"muniment-typescript-{TYPESCRIPT}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as made:
        folder = Path(made) / "made"
        folder.mkdir()
        _write_lock(folder)
        command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert installed.returncode == 0, installed.stderr
        with contextlib.suppress(OSError):  # another run was quicker: its folder holds the same
            folder.rename(kept)
    return kept


def _write_lock(folder: Path) -> None:
    wanted = {"dependencies": {"typescript": TYPESCRIPT}}
    compiler = {"version": TYPESCRIPT, "integrity": TYPESCRIPT_INTEGRITY}
    packages = {"": wanted, "node_modules/typescript": compiler}
    (folder / "package.json").write_text(json.dumps(wanted))
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))

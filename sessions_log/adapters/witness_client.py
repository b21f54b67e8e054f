"""HTTP to the witnesses: each on a connection and in a thread of its own, for a bounded time.

Nothing is followed, remembered or believed: a redirection is an answer like any other, bodies are read up to a limit,
and TLS is verified against the machine's authorities.
"""

import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from urllib.parse import urlsplit

from sessions_log.domain.witness_answer import LARGEST_ANSWER_BYTES, NO_ANSWER, Answer
from sessions_log.domain.witness_policy import Witness

SILENCE_S = 3.0
ROUND_S = 4.0


def ask_witnesses(requests: Sequence[tuple[Witness, str]]) -> list[Answer | None]:
    """See `sessions_log.ports.AskWitnesses`."""
    conversations: dict[Witness, _Conversation] = {}
    for place, (witness, body) in enumerate(requests):
        conversations.setdefault(witness, _Conversation(witness)).bodies.append((place, body.encode()))
    until = time.monotonic() + ROUND_S
    for conversation in conversations.values():
        conversation.start()
    answers: dict[int, Answer] = {}
    for conversation in conversations.values():
        conversation.join(max(0.0, until - time.monotonic()))
        answers |= conversation.heard()
    return [answers.get(place) for place in range(len(requests))]


class _Conversation(threading.Thread):
    """What is said to one witness in a round, one body after another; it ends with the first that has no answer."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(name=f"witness-{witness.name}", daemon=True)
        self.bodies: list[tuple[int, bytes]] = []
        self._url = urlsplit(f"{witness.url}/add-checkpoint")
        self._connection = _connection(witness.url)
        self._answers: dict[int, Answer] = {}
        self._is_over = threading.Event()

    def run(self) -> None:
        for place, body in self.bodies:
            if self._is_over.is_set():
                break
            self._answers[place] = NO_ANSWER
            try:
                self._answers[place] = self._post(body)
            except (OSError, HTTPException, ValueError):  # the last for a host whose name is none
                break
        self._connection.close()

    def heard(self) -> dict[int, Answer]:
        """The answers until now, by place; what is still to come is given up."""
        answers = dict(self._answers)
        self._is_over.set()
        if (socket := self._connection.sock) is not None:
            with suppress(OSError):  # it was closed meanwhile
                socket.shutdown(SHUT_RDWR)
        return answers

    def _post(self, body: bytes) -> Answer:
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "muniment"}
        self._connection.request("POST", self._url.path, body, headers)
        response = self._connection.getresponse()
        content = response.read(LARGEST_ANSWER_BYTES + 1)
        if len(content) > LARGEST_ANSWER_BYTES:
            self._connection.close()
            content = b""
        elif not response.isclosed():  # just the limit: its end was not seen
            self._connection.close()
        return Answer(response.status, response.headers.get("Content-Type", ""), content)


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=SILENCE_S, context=_verified())
    return HTTPConnection(parts.hostname or "", parts.port, timeout=SILENCE_S)


@cache
def _verified() -> ssl.SSLContext:
    return ssl.create_default_context()

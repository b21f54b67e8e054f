"""Witnessing: checkpoints are shown to witnesses outside, who cosign what continues all that they have seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_log.domain.cosignature import Cosigned
from sessions_log.domain.merkle import Subtree, consistency_proof
from sessions_log.domain.proofs import consistency_text
from sessions_log.domain.witness_answer import Answer, Holds, Refusal, understood
from sessions_log.domain.witness_policy import WitnessPolicy
from sessions_log.ports import AskWitnesses, Cosignatures, Uncosigned

SOONEST = timedelta(seconds=10)
LATEST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Request:
    """A checkpoint for a witness, proven from the size `old` on."""

    asked: Uncosigned
    old: int


@dataclass(frozen=True, slots=True)
class Witnessing:
    """subtrees: organization's id -> the hashes of its tree. clock: tells the time."""

    policy: WitnessPolicy
    cosignatures: Cosignatures
    ask: AskWitnesses
    subtrees: Callable[[int], Subtree]
    clock: Callable[[], datetime]

    def seek(self) -> int:
        """Ask each witness for what it has not cosigned. Returns how many cosignatures came.

        A witness that holds another size than was thought is asked once more, from that size on. It takes the time of
        two rounds of `ask` at most; no transaction is open while the witnesses are waited for.
        """
        due = self.cosignatures.due(self.policy.witnesses, self.clock())
        came, elsewhere = self._round([_Request(one, one.cosigned) for one in due])
        came_again, moved = self._round(elsewhere)
        for request in moved:
            self._refused(request.asked, Refusal.MOVED)
        return came + came_again

    def _round(self, requests: Sequence[_Request]) -> tuple[int, list[_Request]]:
        """Ask. Returns how many cosignatures came, and what is to be proven from another size on."""
        proven = [(request, body) for request in requests if (body := self._body(request)) is not None]
        answers = self.ask([(request.asked.witness, body) for request, body in proven])
        came, elsewhere = 0, []
        for (request, _), answer in zip(proven, answers, strict=True):
            said = self._understood(request, answer) if answer is not None else None
            if isinstance(said, Cosigned):
                self.cosignatures.add(request.asked, said, self.clock())
                came += 1
            elif isinstance(said, Holds):
                elsewhere.append(_Request(request.asked, said.size))
            elif said is not None:
                self._refused(request.asked, said)
        return came, elsewhere

    def _body(self, request: _Request) -> str | None:
        """What is sent; None where the stored tree is damaged, which must not keep other ledgers back."""
        asked = request.asked
        try:
            path = consistency_proof(request.old, asked.size, self.subtrees(asked.organization_id))
        except ValueError:
            self._refused(asked, Refusal.UNPROVEN)
            return None
        return consistency_text(request.old, path, asked.note)

    def _understood(self, request: _Request, answer: Answer) -> Cosigned | Holds | Refusal:
        asked = request.asked
        text = asked.note.rpartition("\n\n")[0] + "\n"
        return understood(answer, text, asked.witness.key, old=request.old, size=asked.size, now=self.clock())

    def _refused(self, asked: Uncosigned, refusal: Refusal) -> None:
        now = self.clock()
        self.cosignatures.refused(asked, refusal, now, now + pause_after(asked.failures + 1))


def pause_after(failures: int) -> timedelta:
    """How long a witness that has failed so often in a row is left alone: twice as long each time."""
    return min(LATEST, SOONEST * (1 << min(failures - 1, 10)))

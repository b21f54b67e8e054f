"""Questions to the build copilot. Its records say that and how much was asked, never what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from sessions_log.domain.demo.envelopes import Hand
from sessions_log.domain.demo.form import Deed, sorted_id, took, trace_id

_MODELS = ("claude-sonnet-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "gpt-5-mini", "mistral-small-3.2")
_TOPICS = (
    "code lookup",
    "submittal summary",
    "schedule question",
    "drawing comparison",
    "letter to vendor",
    "cost question",
)
_TOOLS = {
    "search_drawings": {"index": "drawings-v7", "hits": 8},
    "lookup_code_section": {"edition": "IPC 2024", "hits": 3},
    "read_rfi": {"hits": 1},
    "schedule_delta": {"baseline": 4, "hits": 17},
    "cost_history": {"sites": 12, "hits": 41},
    "draft_letter": {"template": "vendor-notice", "hits": 1},
}
_ENDS = ("end_turn", "end_turn", "end_turn", "end_turn", "max_tokens")


@dataclass(frozen=True, slots=True)
class _Talk:
    """A conversation: what all of its records have in common."""

    id: str
    site: str
    topic: str
    model: str
    trace_id: str

    def deed(self, action: str, more: Mapping[str, object], *, pause_s: float, took_ms: int | None = None) -> Deed:
        return Deed(
            service="build-copilot",
            action=action,
            target=("conversation", self.id),
            metadata={"conversation": self.id, "site": self.site, "topic": self.topic, **more},
            took_ms=took_ms,
            pause_s=pause_s,
            model=self.model,
            trace_id=self.trace_id,
        )


def ask_copilot(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    talk = _Talk(sorted_id(rng, "conv"), hand.site.code, rng.choice(_TOPICS), rng.choice(_MODELS), trace_id(rng))
    for turn in range(1, rng.choice((2, 2, 3, 4, 6))):
        yield from _turn(rng, talk, turn)


def _turn(rng: Random, talk: _Talk, turn: int) -> Iterator[Deed]:
    asked, answered = rng.randrange(18, 420) + turn * 300, rng.randrange(60, 1400)
    attached = rng.choice((0, 0, 0, 1))
    prompt = {"turn": turn, "characters": asked * 4, "attachments": attached, "screening": "clean"}
    yield talk.deed("ai.prompt", prompt, pause_s=rng.uniform(12, 150))
    if rng.random() < 0.55:
        tool, given = rng.choice(tuple(_TOOLS.items()))
        call = {"turn": turn, "tool": tool, "result": given}
        yield talk.deed("ai.tool_call", call, pause_s=1.2, took_ms=took(rng, 260))
    tokens = {
        "input": asked + rng.randrange(900, 6200),
        "output": answered,
        "cached": rng.choice((0, 512, 2048)),
    }
    response = {"turn": turn, "finish": rng.choice(_ENDS), "citations": rng.randrange(0, 7), "tokens": tokens}
    waited_ms = took(rng, 3400)
    yield talk.deed("ai.response", response, pause_s=waited_ms / 1000, took_ms=waited_ms)

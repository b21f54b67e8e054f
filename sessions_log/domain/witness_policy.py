"""Which witnesses cosign the ledgers, and how many of them make a checkpoint witnessed (C2SP tlog-policy).

witness north north.example/w+1f2e3d4c+BA… https://north.example
witness south south.example/w+5a6b7c8d+BB… https://south.example
group both all north south
quorum both
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sessions_log.domain.signed_note import COSIGNATURE_V1, InvalidNote, VerifierKey

MOST_WITNESSES = 32
MOST_GROUPS = 32
_NO_ONE = "none"
_BLANK = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class PolicyRefused(ValueError):
    """A text that is no policy; the message names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness: its name within the policy, its key, and where it takes checkpoints (`url` + `/add-checkpoint`)."""

    name: str
    key: VerifierKey
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Some of `members` are enough: at least `threshold`."""

    threshold: int
    members: tuple["Witness | Group", ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """The witnesses, and whose cosignatures a checkpoint needs to be called witnessed."""

    witnesses: tuple[Witness, ...]
    quorum: Witness | Group

    @property
    def keys(self) -> list[VerifierKey]:
        """The witnesses' keys."""
        return [witness.key for witness in self.witnesses]

    def is_met_by(self, keys: Collection[VerifierKey]) -> bool:
        """Whether a checkpoint that these keys have cosigned is witnessed."""
        return _is_met(self.quorum, keys)

    def fewest(self) -> int:
        """With fewer cosignatures than these no checkpoint is witnessed."""
        return _fewest(self.quorum)


def parse_policy(text: str) -> WitnessPolicy:
    """The policy in a file's text. Lines of logs are passed over: the ledgers are our own. Raises PolicyRefused."""
    draft = _Draft()
    for number, line in enumerate(text.split("\n"), 1):
        words = _BLANK.split(line.strip(" \t"))
        if any(ord(character) < 0x20 and character != "\t" for character in line):
            raise PolicyRefused(f"line {number}: control characters are not allowed")
        if words != [""] and not words[0].startswith("#"):
            try:
                draft.take(words)
            except (PolicyRefused, InvalidNote) as error:
                raise PolicyRefused(f"line {number}: {error}") from None
    return draft.policy()


@dataclass(slots=True)
class _Draft:
    """What the lines so far have defined."""

    witnesses: list[Witness] = field(default_factory=list)
    named: dict[str, Witness | Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorum: Witness | Group | None = None

    def take(self, words: list[str]) -> None:
        """Take a line. Raises PolicyRefused, InvalidNote."""
        takes = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}
        if words[0] not in takes:
            raise PolicyRefused("a line begins with log, witness, group, quorum or #")
        takes[words[0]](words[1:])

    def policy(self) -> WitnessPolicy:
        """The whole. Raises PolicyRefused."""
        if self.quorum is None:
            raise PolicyRefused("the line with the quorum is missing")
        return WitnessPolicy(tuple(self.witnesses), self.quorum)

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise PolicyRefused("write it as: log <vkey> [<url>]")
        VerifierKey.parsed(words[0])

    def _witness(self, words: list[str]) -> None:
        if len(words) != 3:
            raise PolicyRefused("write it as: witness <name> <vkey> <url>")
        name, vkey, url = words
        key = VerifierKey.parsed(vkey)
        if key.type != COSIGNATURE_V1:
            raise PolicyRefused("the key is not one for cosignatures by Ed25519 (type 4)")
        if any(key.public == one.key.public for one in self.witnesses):
            raise PolicyRefused("another witness has the same key")
        if len(self.witnesses) == MOST_WITNESSES:
            raise PolicyRefused(f"more than {MOST_WITNESSES} witnesses")
        witness = Witness(name, key, _submission_prefix(url))
        self._define(name, witness)
        self.witnesses.append(witness)

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise PolicyRefused("write it as: group <name> all|any|<number> <member>…")
        name, threshold, *members = words
        if len(self.named) - len(self.witnesses) == MOST_GROUPS:
            raise PolicyRefused(f"more than {MOST_GROUPS} groups")
        needed = {"all": len(members), "any": 1}.get(threshold) or _count(threshold)
        if needed > len(members):
            raise PolicyRefused(f"the group has {len(members)} members and needs {needed} of them")
        chosen = tuple(self._member(member) for member in members)
        self._define(name, Group(needed, chosen))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise PolicyRefused("write it as: quorum <name>")
        if self.quorum is not None:
            raise PolicyRefused("a policy has one quorum")
        if words[0] == _NO_ONE:
            raise PolicyRefused("a quorum of none witnesses nothing: name a witness or a group")
        self.quorum = self._defined(words[0])

    def _member(self, name: str) -> Witness | Group:
        """So that no witness counts twice, each name is a member once."""
        if name in self.members:
            raise PolicyRefused(f"{name} is a member already")
        self.members.add(name)
        return self._defined(name)

    def _define(self, name: str, what: Witness | Group) -> None:
        if name == _NO_ONE or name in self.named:
            raise PolicyRefused(f"the name {name} is taken")
        self.named[name] = what

    def _defined(self, name: str) -> Witness | Group:
        if name not in self.named:
            raise PolicyRefused(f"no line before defines {name}")
        return self.named[name]


def _submission_prefix(url: str) -> str:
    parts = urlsplit("")
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    is_plain = url.isascii() and not parts.query and not parts.fragment and "@" not in parts.netloc
    if not is_address or not is_plain or parts.scheme not in ("http", "https"):
        raise PolicyRefused("the witness's address is https://, a host, and where there is one a path")
    return url.rstrip("/")


def _count(threshold: str) -> int:
    if not _COUNT.fullmatch(threshold):
        raise PolicyRefused("how many of a group are needed is all, any, or a number from 1 on")
    return int(threshold)


def _is_met(rule: Witness | Group, keys: Collection[VerifierKey]) -> bool:
    if isinstance(rule, Witness):
        return rule.key in keys
    return sum(_is_met(member, keys) for member in rule.members) >= rule.threshold


def _fewest(rule: Witness | Group) -> int:
    if isinstance(rule, Witness):
        return 1
    return sum(sorted(_members_fewest(rule))[: rule.threshold])


def _members_fewest(group: Group) -> Iterator[int]:
    return (_fewest(member) for member in group.members)

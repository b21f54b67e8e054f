"""References: the random ids by which entries know subjects, sessions, targets and addresses."""

from dataclasses import dataclass, field

from sessions_log.domain.sealing import lookup

SUBJECT = "subject"
SESSION = "session"
TARGET = "target"
ADDRESS = "address"


_PROVISIONAL = "provisional"


def subject_lookup(search_key: bytes, name: str, *, is_provisional: bool) -> bytes:
    """The keyed hash by which a subject is found: of his user id, or while he is provisional of his session's token."""
    return lookup(search_key, _PROVISIONAL if is_provisional else SUBJECT, name)


@dataclass(frozen=True, slots=True)
class Reference:
    """A row found by its lookup; `subject` is set for sessions: whom records without a user belong to."""

    id: bytes
    subject: bytes | None = None


@dataclass(frozen=True, slots=True)
class SubjectReference:
    """A subject with its wrapped key for the identity part."""

    id: bytes
    is_provisional: bool
    epoch: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class NewReference:
    """A session, target or address seen for the first time; `sealed` holds its value."""

    table: str
    id: bytes
    lookup: bytes
    sealed: bytes
    subject: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewSubject:
    """A subject seen for the first time, with its key."""

    id: bytes
    lookup: bytes
    sealed: bytes
    is_provisional: bool
    part: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class SubjectLinked:
    """A user was seen in a session that had only a provisional subject."""

    session: bytes
    provisional: bytes
    subject: bytes


@dataclass(slots=True)
class Wanted:
    """What a batch adds to an organization's references, all sealed and looked up under one epoch."""

    organization_id: int
    epoch: int
    subjects: list[NewSubject] = field(default_factory=list)
    references: list[NewReference] = field(default_factory=list)
    links: list[SubjectLinked] = field(default_factory=list)

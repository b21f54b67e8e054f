"""The vocabulary of `action`: dotted, object before verb, open only below `custom.`."""

import re
from functools import lru_cache

from sessions_log.domain.redaction.detectors import spans

ACTIONS = frozenset(
    f"{family}.{verb}"
    for family, verbs in {
        "auth": "login logout login_failed mfa mfa_failed password_change token_issue token_revoke",
        "session": "start end heartbeat revoke",
        "record": "view create update delete export import share approve reject search",
        "file": "upload download view delete share",
        "permission": "grant revoke change",
        "role": "create update delete",
        "user": "create update delete invite disable",
        "secret": "read create rotate delete",  # nosec B105  # pragma: allowlist secret
        "config": "change",
        "deploy": "start finish rollback",
        "job": "start finish",
        "ai": "prompt response tool_call",
        "api": "call",
        "admin": "view search reveal export change command sign_in sign_in_failed sign_out refused",
        "system": "start stop finding finding_closed",
    }.items()
    for verb in verbs.split()
)

ALLOWED = f"{', '.join(sorted(ACTIONS))}, or custom. and a name of a-z, 0-9, _ and points"

_CUSTOM = re.compile(r"custom\.[a-z0-9_]+(?:\.[a-z0-9_]+)*")
LONGEST_ACTION = 64


def is_action(name: str) -> bool:
    """Whether a service may send this action; `system.*` and `admin.*` are told apart by their service."""
    return name in ACTIONS or _is_custom(name)


@lru_cache(4096)  # a service has few
def _is_custom(name: str) -> bool:
    """Below `custom.`, and nothing in it that looks like what is redacted elsewhere: actions stand in the clear."""
    is_well_formed = len(name) <= LONGEST_ACTION and _CUSTOM.fullmatch(name) is not None
    return is_well_formed and not spans(name)

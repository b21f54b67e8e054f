"""The witnesses of the ledgers, from the environment."""

from django.core.exceptions import ImproperlyConfigured

from config.env import Environment
from sessions_log.domain.witness_policy import PolicyRefused, WitnessPolicy, parse_policy

VARIABLE = "MUNIMENT_WITNESSES"


def witness_policy(env: Environment) -> WitnessPolicy | None:
    """The policy in the file that MUNIMENT_WITNESSES names; None where it is not set. Raises ImproperlyConfigured."""
    text = env.file(VARIABLE)
    if text is None:
        return None
    try:
        return parse_policy(text)
    except PolicyRefused as error:
        raise ImproperlyConfigured(f"{VARIABLE} names a file that is no witness policy: {error}.") from None

"""The vocabulary of actions."""

import pytest

from sessions_log.domain.actions import ACTIONS, is_action


def test_vocabulary_is_written_as_family_and_verb_in_lower_case() -> None:
    assert all(part.replace("_", "").isalpha() and part.islower() for name in ACTIONS for part in name.split("."))


@pytest.mark.parametrize(
    "name",
    ["auth.login", "auth.login_failed", "record.export", "secret.read", "ai.tool_call", "admin.sign_in", "api.call"],
)
def test_word_of_the_vocabulary_is_an_action(name: str) -> None:
    assert is_action(name)


@pytest.mark.parametrize("name", ["custom.oven", "custom.oven_2.preheated", "custom." + "a" * 57])
def test_custom_name_is_an_action(name: str) -> None:
    assert is_action(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "auth", "auth.", ".login", "auth.logon", "AUTH.LOGIN", "auth.login ", "auth.login\n", "record.view.all",
        "custom", "custom.", "custom..a", "custom.a.", "custom.A", "custom.ü", "custom.a-b", "custom.a b", "custom.a\n",
        "customs.a", "xcustom.a", "custom." + "a" * 58,
    ],
)  # fmt: skip
def test_anything_else_is_not(name: str) -> None:
    assert not is_action(name)


def test_custom_action_in_which_something_sensitive_is_found_is_none() -> None:
    assert is_action("custom.order_closed")
    assert not is_action("custom.4111111111111111")

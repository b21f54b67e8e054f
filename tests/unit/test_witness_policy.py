"""Witness policies in the form of C2SP tlog-policy: what is read, what is refused, and whose quorum is met."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sessions_log.domain.signed_note import COSIGNATURE_V1, ED25519, VerifierKey
from sessions_log.domain.witness_policy import PolicyRefused, parse_policy


def key(number: int, type_: int = COSIGNATURE_V1) -> VerifierKey:
    public = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()
    return VerifierKey(f"w{number}.example", type_, public)


def witness(number: int) -> str:
    return f"witness w{number} {key(number)} https://w{number}.example/submit/"


LOG = f"log {key(9, ED25519)} https://log.example"
FIVE = "\n".join(witness(number) for number in range(1, 6))


def test_witnesses_have_name_key_and_address() -> None:
    policy = parse_policy(
        f"# ours\n\n  {LOG}\n{witness(1)}\n\twitness  w2\t{key(2)} http://127.0.0.1:8080\nquorum w2\n"
    )
    assert [(one.name, one.key, one.url) for one in policy.witnesses] == [
        ("w1", key(1), "https://w1.example/submit"),
        ("w2", key(2), "http://127.0.0.1:8080"),
    ]


@pytest.mark.parametrize(
    ("rules", "met", "not_met", "fewest"),
    [
        ("quorum w1", [{1}, {1, 2}], [set(), {2, 3, 4, 5}], 1),
        ("group g any w1 w2\nquorum g", [{1}, {2}], [set(), {3}], 1),
        ("group g all w1 w2\nquorum g", [{1, 2}, {1, 2, 3}], [{1}, {2, 3}], 2),
        ("group g 2 w1 w2 w3\nquorum g", [{1, 3}, {1, 2, 3}], [{1}, {4, 5}], 2),
        (
            "group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both",
            [{1, 2, 4}, {2, 3, 5}],
            [{1, 2, 3}, {1, 4, 5}],
            3,
        ),
    ],
)
def test_quorum_is_met_by(rules: str, met: list[set[int]], not_met: list[set[int]], fewest: int) -> None:
    policy = parse_policy(f"{FIVE}\n{rules}\n")
    assert all(policy.is_met_by({key(number) for number in numbers}) for numbers in met)
    assert not any(policy.is_met_by({key(number) for number in numbers}) for numbers in not_met)
    assert policy.fewest() == fewest


def test_key_of_the_same_name_does_not_count() -> None:
    policy = parse_policy(f"{witness(1)}\nquorum w1\n")
    assert not policy.is_met_by({VerifierKey("w1.example", COSIGNATURE_V1, key(2).public)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the quorum is missing"),
        (witness(1), "the quorum is missing"),
        ("quorum none", "line 1: a quorum of none witnesses nothing"),
        (f"{FIVE}\nquorum w6", "line 6: no line before defines w6"),
        (f"quorum w1\n{witness(1)}", "line 1: no line before defines w1"),
        (f"{FIVE}\nquorum w1\nquorum w2", "line 7: a policy has one quorum"),
        (f"{FIVE}\nquorum w1 w2", "line 6: write it as: quorum <name>"),
        (f"{witness(1)}\n{witness(1)}", "line 2: another witness has the same key"),
        (f"witness w1 {key(1)}", "line 1: write it as: witness <name> <vkey> <url>"),
        (f"witness none {key(1)} https://w", "line 1: the name none is taken"),
        (f"witness w1 {key(1, ED25519)} https://w", "line 1: the key is not one for cosignatures"),
        (f"witness w1 {str(key(1))[:-4]}AAA= https://w", "line 1: "),
        ("witness w1 nonsense https://w", "line 1: a verifier key is name+hash+key"),
        *(
            (f"witness w1 {key(1)} {url}", "line 1: the witness's address is https://")
            for url in ("w.example", "ftp://w", "https://", "https://u:p@w", "https://w?a", "https://w#a", "https://w:x",
                        "https://w:0", "https://[w", "https://bücher.example")
        ),
        (f"{FIVE}\ngroup g all", "line 6: write it as: group"),
        (f"{FIVE}\ngroup g 3 w1 w2", "line 6: the group has 2 members and needs 3"),
        (f"{FIVE}\ngroup g 0 w1 w2", "line 6: how many of a group"),
        (f"{FIVE}\ngroup g 01 w1 w2", "line 6: how many of a group"),
        (f"{FIVE}\ngroup g most w1 w2", "line 6: how many of a group"),
        (f"{FIVE}\ngroup g 1 none", "line 6: no line before defines none"),
        (f"{FIVE}\ngroup g 2 w1 w1", "line 6: w1 is a member already"),
        (f"{FIVE}\ngroup g any w1 w2\ngroup h any w2 w3", "line 7: w2 is a member already"),
        (f"{FIVE}\ngroup w1 any w2", "line 6: the name w1 is taken"),
        (f"{FIVE}\ngroup g any g", "line 6: no line before defines g"),
        (f"{witness(1)}\r\nquorum w1", "line 1: control characters"),
        ("tlog x", "line 1: a line begins with"),
        ("log", "line 1: write it as: log <vkey>"),
        ("\n".join(f"witness w{n} {key(n)} https://w" for n in range(33)), "line 33: more than 32 witnesses"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(text)
    assert said in str(refused.value)

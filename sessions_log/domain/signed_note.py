"""Signed notes (C2SP signed-note): text, a blank line, and signatures by name; the form of checkpoints.

A verifier key (vkey) is `name+hash+key`: the key's name, eight hex digits of its id, and the base64 of its
type and public key. A witness's key signs the text together with a time (C2SP tlog-cosignature, v1).
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
LARGEST_NOTE_BYTES = 1_000_000
MOST_SIGNATURES = 100
_TIME_BYTES = 8
_DASH = "\N{EM DASH} "


class InvalidNote(ValueError):
    """A text that is no note, or whose signatures do not hold; the message says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: whose, by which key, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line, with its end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read: its text, with the final line feed, and its signatures, known or not."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """The note as it is served."""
        return self.text + "\n" + "".join(one.line() for one in self.signatures)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under its name."""

    name: str
    type: int
    public: bytes

    def __post_init__(self) -> None:
        """Raises InvalidNote for a name that cannot stand in a note, or a key of another length."""
        _refuse_name(self.name)
        if self.type in (ED25519, COSIGNATURE_V1) and len(self.public) != 32:
            raise InvalidNote("an Ed25519 key has 32 bytes")

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + bytes((self.type,)) + self.public).digest()[:4]

    def __str__(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes((self.type,)) + self.public).decode()}"

    @classmethod
    def parsed(cls, vkey: str) -> "VerifierKey":
        """The key of a vkey. Raises InvalidNote."""
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise InvalidNote("a verifier key is name+hash+key")
        whole = _decoded(parts[2])
        if not whole:
            raise InvalidNote("a verifier key without a key")
        key = cls(parts[0], whole[0], whole[1:])
        if key.id.hex() != parts[1]:
            raise InvalidNote("a verifier key whose hash is not that of its key")
        return key

    def verify(self, signature: bytes, text: str) -> None:
        """Raises InvalidNote where this key did not sign the text so; for an unknown type too."""
        if self.type == ED25519:
            verify_ed25519(self.public, signature, text.encode())
        elif self.type == COSIGNATURE_V1:
            verify_ed25519(self.public, signature[_TIME_BYTES:], cosigned_message(text, cosigned_time(signature)))
        else:
            raise InvalidNote(f"signatures of type {self.type} are not known here")


@dataclass(frozen=True, slots=True)
class SignerKey:
    """An Ed25519 key that signs notes under a name. Its seed never shows in `repr`."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def of_seed(cls, name: str, seed: bytes) -> "SignerKey":
        """From the 32 bytes of RFC 8032's private key."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, ED25519, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """The signature of a note's text. Raises InvalidNote where the text cannot be a note's."""
        _refuse_text(text)
        return Signature(self.name, self.verifier.id, self.private.sign(text.encode()))


def signed(text: str, keys: Iterable[SignerKey]) -> Note:
    """A note under all these keys. Raises InvalidNote."""
    return Note(text, tuple(key.sign(text) for key in keys))


def parse_note(whole: bytes) -> Note:
    """A note's parts; nothing is verified. Raises InvalidNote."""
    if len(whole) > LARGEST_NOTE_BYTES:
        raise InvalidNote(f"larger than {LARGEST_NOTE_BYTES} bytes")
    try:
        content = whole.decode()
    except UnicodeDecodeError:
        raise InvalidNote("not valid UTF-8") from None
    text, separator, lines = content.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise InvalidNote("no blank line before signatures, or no line feed at the end")
    text += "\n"
    _refuse_text(text)
    return Note(text, parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, one or more, each with its end; nothing is verified. Raises InvalidNote."""
    if not lines.endswith("\n"):
        raise InvalidNote("no line feed at the end of the signatures")
    signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > MOST_SIGNATURES:
        raise InvalidNote(f"more than {MOST_SIGNATURES} signatures")
    return signatures


def verified(note: Note, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """Which of the keys signed the note. Raises InvalidNote where one of them did so falsely, or none did."""
    known = {(key.name, key.id): key for key in keys}
    signers: list[VerifierKey] = []
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is not None:
            key.verify(one.signature, note.text)
            signers.append(key)
    if not signers:
        raise InvalidNote("not signed by a known key")
    return signers


def cosigned_time(signature: bytes) -> int:
    """When a witness cosigned, in seconds since 1970: what its signature begins with. Raises InvalidNote."""
    if len(signature) <= _TIME_BYTES:
        raise InvalidNote("a cosignature without a time")
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs of a note's text at a time."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Raises InvalidNote where the signature is not of this key and message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise InvalidNote("a signature does not hold") from None


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise InvalidNote("a line among the signatures that is none")
    _refuse_name(name)
    whole = _decoded(encoded)
    if len(whole) < 5:
        raise InvalidNote("a signature without its key's id")
    return Signature(name, whole[:4], whole[4:])


def _refuse_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise InvalidNote("a key's name is not empty and has no space and no +")


def _refuse_text(text: str) -> None:
    if not text.endswith("\n"):
        raise InvalidNote("a note's text ends with a line feed")
    if any(ord(character) < 0x20 and character != "\n" for character in text):
        raise InvalidNote("a note has no control characters but line feeds")


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidNote("not valid base64") from None

"""Sealed payloads: a JWE in general JSON form (RFC 7516), `A256GCM` content, `A256KW` recipients.

A payload is encrypted once, under a content key of its own, with the event id as additional data. What
changes on its way is `recipients` alone: in the log the content key is wrapped under the complaint's data
key, on Kafka once for each entitled follower, in a consumer's inbox under that consumer's own data key.
Any JOSE library opens it with one recipient's key.

The `aad` member is the event id's text as it is: 36 characters of the base64url alphabet are valid
base64url of 27 bytes, so nothing has to be encoded and the id can be read.
"""

import secrets
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shared.errors import HotlineError

Sealed = dict[str, Any]
"""``{"protected", "aad", "recipients": [{"header": {"alg", "kid"}, "encrypted_key"}], "iv", "ciphertext",
"tag"}``, values of bytes in base64url."""

PROTECTED = urlsafe_b64encode(b'{"enc":"A256GCM"}').decode().rstrip("=")
KEY_BYTES = 32
_IV_BYTES, _TAG_BYTES = 12, 16
# What is of base64 alone becomes a letter that is of neither.
_AS_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")


class SealingError(HotlineError):
    """A sealed payload that cannot be opened."""


class NoKeyError(SealingError):
    """None of the keys at hand is a recipient's. With the keys away this is a fault of the surroundings."""


class BrokenSealError(SealingError):
    """The payload is not what was sealed: a fault of the record."""


def encode(raw: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        ValueError: not base64url.
    """
    # Not in its strict mode, the decoder passes over letters that are not of its alphabet: altered text
    # would still be opened.
    return a2b_base64(text.encode().translate(_AS_BASE64) + b"=" * (-len(text) % 4), strict_mode=True)


def seal(plaintext: bytes, event_id: UUID, recipients: Mapping[str, bytes]) -> Sealed:
    """Encrypt `plaintext` for `recipients` (kid -> 256-bit key), bound to `event_id`."""
    content_key, iv = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_IV_BYTES)
    aad = str(event_id)
    encrypted = AESGCM(content_key).encrypt(iv, plaintext, f"{PROTECTED}.{aad}".encode())
    return {
        "protected": PROTECTED,
        "aad": aad,
        "recipients": _wrapped(content_key, recipients),
        "iv": encode(iv),
        "ciphertext": encode(encrypted[:-_TAG_BYTES]),
        "tag": encode(encrypted[-_TAG_BYTES:]),
    }


def open_sealed(sealed: Mapping[str, Any], keys: Mapping[str, bytes], event_id: UUID) -> bytes:
    """Decrypt with the first recipient's key that is among `keys` (kid -> key).

    Raises:
        NoKeyError: no recipient's kid is among `keys`.
        BrokenSealError: malformed, altered, or sealed for another event id.
    """
    content_key = _content_key(sealed, keys)
    try:
        if sealed["protected"] != PROTECTED or sealed["aad"] != str(event_id):
            raise BrokenSealError("the sealed payload has another header or belongs to another event")
        return AESGCM(content_key).decrypt(
            decode(sealed["iv"]),
            decode(sealed["ciphertext"]) + decode(sealed["tag"]),
            f"{PROTECTED}.{sealed['aad']}".encode(),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidTag) as fault:
        raise BrokenSealError("the sealed payload does not decrypt") from fault


def rewrap(sealed: Mapping[str, Any], keys: Mapping[str, bytes], recipients: Mapping[str, bytes]) -> Sealed:
    """The same payload for other recipients; the ciphertext is not touched.

    Raises:
        NoKeyError, BrokenSealError: as `open_sealed`.
    """
    return {**sealed, "recipients": _wrapped(_content_key(sealed, keys), recipients)}


def recipient_ids(sealed: Mapping[str, Any]) -> Iterable[str]:
    """The kids of all recipients.

    Raises:
        BrokenSealError: malformed.
    """
    try:
        return [str(recipient["header"]["kid"]) for recipient in sealed["recipients"]]
    except (KeyError, TypeError) as fault:
        raise BrokenSealError("the sealed payload names no recipients") from fault


def _wrapped(content_key: bytes, recipients: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"header": {"alg": "A256KW", "kid": kid}, "encrypted_key": encode(aes_key_wrap(key, content_key))}
        for kid, key in recipients.items()
    ]


def _content_key(sealed: Mapping[str, Any], keys: Mapping[str, bytes]) -> bytes:
    for kid, recipient in zip(recipient_ids(sealed), sealed["recipients"], strict=True):
        if (key := keys.get(kid)) is not None:
            try:
                return aes_key_unwrap(key, decode(recipient["encrypted_key"]))
            except (KeyError, TypeError, ValueError, AttributeError, InvalidUnwrap) as fault:
                raise BrokenSealError("the content key does not unwrap") from fault
    raise NoKeyError("no key at hand opens this payload")

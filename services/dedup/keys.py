"""The keys of dedup's own rooms, each made of a complaint's *index key*.

The inbox writes a complaint's own data key with the last of two steps; what the first one seals must be
readable by others before. So the index has a data key of its own, in `data_keys` like any other, written
once with the index row and destroyed with it.

A match's key needs the index keys of both complaints: erasing either one leaves nothing to open.
"""

import hmac
from hashlib import sha256
from uuid import UUID, uuid5

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.sealing.jwe import BrokenSealError
from shared.sealing.keys import DataKey

_NONCE_BYTES = 12


def index_key_id(complaint_id: UUID) -> UUID:
    return uuid5(complaint_id, "index key")


def match_key(match_id: UUID, one: bytes, other: bytes) -> DataKey:
    """The key of a match; `one` is the index key of its lower complaint."""
    return DataKey(match_id, hmac.digest(one, b"match" + other, sha256))


def seal_features(index_key: bytes, complaint_id: UUID, features: bytes) -> bytes:
    """The same features give the same bytes, so that rows made again can be compared. The nonce is a keyed
    hash of them: no two features of a complaint share one (RFC 5297 makes its nonces so)."""
    nonce = hmac.digest(index_key, b"nonce" + features, sha256)[:_NONCE_BYTES]
    return nonce + AESGCM(_features_key(index_key)).encrypt(nonce, features, complaint_id.bytes)


def open_features(index_key: bytes, complaint_id: UUID, sealed: bytes) -> bytes:
    """
    Raises:
        BrokenSealError: altered, or of another complaint.
    """
    try:
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(_features_key(index_key)).decrypt(nonce, rest, complaint_id.bytes)
    except (InvalidTag, ValueError) as fault:
        raise BrokenSealError("the features do not decrypt") from fault


def _features_key(index_key: bytes) -> bytes:
    return hmac.digest(index_key, b"features", sha256)

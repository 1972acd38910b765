"""The keys of one service, as its keys file holds them, and the data keys that they wrap.

The file is JSON, mode 0600; every key is base64url of 32 bytes::

    {"kek":       {"current": "dedup-kek-1",  "keys": {"dedup-kek-1": "..."}},
     "hmac":      {"current": "dedup-hmac-1", "keys": {"dedup-hmac-1": "..."}},
     "followers": {"referral": {"current": "referral-1", "keys": {"referral-1": "..."}}},
     "sources":   {"intake": {"dedup-1": "..."}}}

`followers` are the transport keys under which this service seals for each follower, `sources` those with
which it opens what others published. The keys that sign events are derived from both, and those by which a
service knows its own events again from its `hmac` ring. A ring keeps its older keys, so that a key rotates
without a pause; what was signed under one that was taken out is not authentic any more.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from shared.errors import SettingsError
from shared.sealing.jwe import KEY_BYTES, BrokenSealError, NoKeyError, decode, recipient_ids
from shared.store.requests import Put, Remove
from shared.store.tables import DATA_KEYS


def _key(value: object) -> bytes:
    with suppress(ValueError):
        if isinstance(value, str) and len(raw := decode(value)) == KEY_BYTES:
            return raw
    raise ValueError(f"must be base64url of {KEY_BYTES} bytes")


Key = Annotated[bytes, BeforeValidator(_key)]


class KeyRing(BaseModel):
    """Keys by id. `current` is used for what is new, the others open what is old."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    current: str
    keys: dict[str, Key]

    @model_validator(mode="after")
    def _current_is_there(self) -> "KeyRing":
        if self.current not in self.keys:
            raise ValueError("current must name one of the keys")
        return self

    @property
    def current_key(self) -> bytes:
        return self.keys[self.current]


class ServiceKeys(BaseModel):
    """All keys of one service."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    kek: KeyRing
    hmac: KeyRing
    followers: dict[str, KeyRing] = {}
    sources: dict[str, dict[str, Key]] = {}

    @property
    def follower_keys(self) -> dict[str, bytes]:
        """kid -> key of every entitled follower's current transport key."""
        return {ring.current: ring.current_key for ring in self.followers.values()}

    def digest(self, purpose: str, *parts: bytes) -> bytes:
        """A keyed hash (HMAC-SHA-256), distinct by purpose; parts are length-prefixed, so they never blur."""
        return _digest(self.hmac.current_key, purpose, parts)

    def digests(self, purpose: str, *parts: bytes) -> list[bytes]:
        """The digests under every key of the ring, the current one first: for look-ups after a rotation."""
        others = [key for kid, key in self.hmac.keys.items() if kid != self.hmac.current]
        return [_digest(key, purpose, parts) for key in (self.hmac.current_key, *others)]


def _digest(key: bytes, purpose: str, parts: Iterable[bytes]) -> bytes:
    message = b"".join(len(part).to_bytes(8) + part for part in (purpose.encode(), *parts))
    mac = _keyed(key).copy()
    mac.update(message)
    return mac.digest()


@lru_cache(maxsize=64)
def _keyed(key: bytes) -> hmac.HMAC:
    """What every hash under a key begins with: a third of its time is saved."""
    return hmac.new(key, digestmod=sha256)


def load_keys(path: Path) -> ServiceKeys:
    """Read a keys file.

    Raises:
        SettingsError: missing, unreadable or wrong; names the entry, never a key.
    """
    try:
        return ServiceKeys.model_validate(json.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise SettingsError([f"HOTLINE_KEYS_FILE: {path} cannot be read: {type(fault).__name__}"]) from fault
    except ValidationError as fault:
        raise SettingsError(
            f"HOTLINE_KEYS_FILE: {'.'.join(map(str, error['loc']))}: {error['msg']}"
            for error in fault.errors(include_input=False, include_url=False)
        ) from fault


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one complaint, mailbox or case in one service. It never leaves the service."""

    key_id: UUID
    key: bytes

    @property
    def recipient(self) -> dict[str, bytes]:
        """As recipients of `shared.sealing.jwe.seal`."""
        return {str(self.key_id): self.key}


def data_key_ids(sealed: Mapping[str, Any] | None) -> Iterator[UUID]:
    """The data keys under which a payload is sealed: none where it is sealed under transport keys, whose kids
    are names, or its seal is broken."""
    with suppress(BrokenSealError):
        for kid in recipient_ids(sealed) if sealed else ():
            with suppress(ValueError):
                yield UUID(kid)


def new_data_key(kek: KeyRing, key_id: UUID) -> tuple[DataKey, Put]:
    """A fresh data key, and the row that an append request has to write with it.

    `key_id` is the id of what it seals: the complaint, mailbox or case. The request is refused with
    `RowExists` where that has a key.
    """
    data_key = DataKey(key_id, secrets.token_bytes(KEY_BYTES))
    wrapped = aes_key_wrap(kek.current_key, data_key.key)
    return data_key, Put(DATA_KEYS, {"key_id": data_key.key_id, "kek_id": kek.current, "wrapped": wrapped})


def destroy_data_key(key_id: UUID) -> Remove:
    """What erases: without its row, nothing sealed under the key is ever opened again."""
    return Remove(DATA_KEYS, "key_id", key_id)


def unwrap_data_keys(kek: KeyRing, rows: Iterable[tuple[UUID, str, bytes]]) -> Mapping[str, bytes]:
    """kid -> data key, out of rows (key_id, kek_id, wrapped).

    Raises:
        NoKeyError: a key-encryption key is not in the ring, or not the one that wrapped (a fault of the
            surroundings).
    """
    keys = {}
    for key_id, kek_id, wrapped in rows:
        if kek_id not in kek.keys:
            raise NoKeyError(f"key-encryption key {kek_id} is not in the ring")
        try:
            keys[str(key_id)] = aes_key_unwrap(kek.keys[kek_id], wrapped)
        except InvalidUnwrap as fault:
            raise NoKeyError(f"key-encryption key {kek_id} is not the one that wrapped a data key") from fault
    return keys

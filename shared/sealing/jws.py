"""Signatures with a shared key: JWS `HS256` in compact form with detached content (RFC 7515, appendix F).

Any JOSE library checks one: put the payload, base64url-encoded, between the two dots, and verify. A key for
signing is derived from another one for a purpose (`derived_key`), so that no key serves two purposes.
"""

import hmac
from binascii import b2a_base64

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.sealing.jwe import KEY_BYTES


def derived_key(key: bytes, purpose: str) -> bytes:
    """HKDF (RFC 5869) with SHA-256 and without salt; `purpose` is its `info`."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def encoded(raw: bytes) -> bytes:
    """base64url without padding.

    Faster on JSON than the standard library's, which looks each letter up in a table: in the base64 of ASCII
    text `+` and `/` are rare.
    """
    return b2a_base64(raw, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def protected_header(kid: str, **members: object) -> bytes:
    """The protected header, base64url-encoded."""
    return encoded(orjson.dumps({"alg": "HS256", "kid": kid, **members}))


class SigningKey:
    """Makes and checks signatures with one key. Headers and payloads come base64url-encoded.

    Args:
        header: the one that signatures have where no other is given.
    """

    def __init__(self, key: bytes, header: bytes) -> None:
        self._header = header
        # What every signature begins with is hashed once.
        self._key = hmac.new(key, digestmod="sha256")
        self._begun = hmac.new(key, header + b".", "sha256")

    def signature(self, payload: bytes, header: bytes | None = None) -> str:
        """The JWS without its payload."""
        if header is None:
            mac, header = self._begun.copy(), self._header
        else:
            mac = self._key.copy()
            mac.update(header + b".")
        mac.update(payload)
        return (header + b".." + encoded(mac.digest())).decode()

    def has_signed(self, payload: bytes, signature: str, header: bytes | None = None) -> bool:
        """Whether `signature` is this key's for just this payload and header."""
        return hmac.compare_digest(self.signature(payload, header).encode(), signature.encode())

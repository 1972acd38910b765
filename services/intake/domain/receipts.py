"""Receipts: the 16 digits with which a caller, and nobody else, can come back.

A receipt is derived, so that the same request repeated gets the same one, and stored nowhere: what is kept
is its keyed hash. The secret of the day goes into it and is destroyed after the next day; from then on
nobody can derive it again, with whatever keys and backups.
"""

import hmac
from hashlib import sha256

DIGITS = 16


def derive_receipt(day_secret: bytes, request_key: bytes, body: bytes, attempt: int) -> str:
    """The receipt of one request: HMAC-SHA-256 under the day's secret, as 16 decimal digits.

    Args:
        request_key: what makes the request this one (the hash of its idempotency key).
        body: the complaint as it was read, in canonical form.
        attempt: 0, or more where the receipt before was somebody else's.
    """
    parts = (len(part).to_bytes(8) + part for part in (request_key, body, attempt.to_bytes(2)))
    mac = hmac.digest(day_secret, b"receipt" + b"".join(parts), sha256)
    # 256 bits modulo 10^16: the bias is below 2^-200.
    return f"{int.from_bytes(mac) % 10**DIGITS:0{DIGITS}d}"

"""The keys of a local system, made once and kept: one file a service, 0600, in a directory 0700.

A service's file holds its key-encryption keys (`kek`), its keyed-hash keys (`hmac`), and the transport
keys: `followers`, under which it seals for each service that follows it, and `sources`, with which it
opens what those it follows have published. The key of each (owner, follower) pair is its own and stands in
both files under the same key id. Values are base64url of 32 random bytes, without padding.

Whoever loses these files loses the data: nothing sealed can be opened without them. So the directory is
made in one step, and a missing file is never replaced by a new one.
"""

import base64
import json
import secrets
import shutil
from pathlib import Path
from typing import Any

from deploy.local.data_directory import write_secret
from deploy.local.errors import DataDirectoryError
from deploy.local.issuer import ISSUER_FILE, JWKS_FILE, write_issuer

# Who reads whose topic.
FOLLOWERS: dict[str, tuple[str, ...]] = {
    "intake": ("dedup", "referral"),
    "dedup": ("referral",),
    "referral": ("intake", "dedup"),
}


def keys_file(directory: Path, service: str) -> Path:
    return directory / f"{service}.json"


def ensure_keys(directory: Path) -> None:
    """Makes the keys of the three services and of the issuer, or checks that all are still there."""
    if not directory.exists():
        draft = directory.with_name(f"{directory.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for service, content in service_keys().items():
            write_secret(keys_file(draft, service), json.dumps(content, indent=2) + "\n")
        write_issuer(draft)
        draft.rename(directory)
    expected = [*(keys_file(directory, service) for service in FOLLOWERS)]
    expected += [directory / ISSUER_FILE, directory / JWKS_FILE]
    for path in expected:
        if not path.is_file():
            raise DataDirectoryError(
                f"{path} is missing, and without it the data cannot be read: restore it from a backup, or"
                " name another directory with HOTLINE_DATA to begin anew."
            )
        path.chmod(0o600)


def service_keys() -> dict[str, dict[str, Any]]:
    """New keys for every service, as the content of its file."""
    files: dict[str, dict[str, Any]] = {
        service: {
            "kek": _ring(f"{service}-kek-1"),
            "hmac": _ring(f"{service}-hmac-1"),
            "followers": {},
            "sources": {},
        }
        for service in FOLLOWERS
    }
    for owner, followers in FOLLOWERS.items():
        for follower in followers:
            ring = _ring(f"{follower}-1")
            files[owner]["followers"][follower] = ring
            files[follower]["sources"][owner] = ring["keys"]
    return files


def _ring(key_id: str) -> dict[str, Any]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return {"current": key_id, "keys": {key_id: key}}

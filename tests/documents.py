"""The OpenAPI documents of the three services, made as in earnest and without a database."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from pydantic import SecretStr

import services.dedup.settings
import services.dedup.wiring
import services.intake.settings
import services.intake.wiring
import services.referral.settings
import services.referral.wiring
from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import ensure_keys
from shared.settings import ServiceSettings
from shared.web.process import Wired
from tests.running import PEERS

Wire = Callable[[Any, frozenset[str]], AbstractAsyncContextManager[Wired]]

SERVICES: Final[Mapping[str, tuple[type[ServiceSettings], Wire]]] = {
    "intake": (services.intake.settings.Settings, services.intake.wiring.wire),
    "dedup": (services.dedup.settings.Settings, services.dedup.wiring.wire),
    "referral": (services.referral.settings.Settings, services.referral.wiring.wire),
}


async def openapi_document(service: str) -> dict[str, Any]:
    settings, wire = SERVICES[service]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        keys = directory / "keys"
        ensure_keys(keys)
        (directory / "token").write_text(Issuer(keys).mint("service"))
        given: dict[str, Any] = {
            "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/nothing"),
            "port": 0,
            "metrics_port": 0,
            "kafka": ("127.0.0.1:1",),
            "keys_file": keys / f"{service}.json",
            "service_token_file": directory / "token",
            "peers": PEERS,
            "jwks": str(keys / "jwks.json"),
            "issuer": ISSUER,
            "audience": AUDIENCE,
        }
        async with wire(settings(**given), frozenset({"http"})) as wired:
            assert isinstance(wired.app, FastAPI)
            return wired.app.openapi()

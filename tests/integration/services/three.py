"""All three services on databases of their own, beside each other; referral has five cases."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from deploy.local.keys import ensure_keys
from tests.documents import SERVICES
from tests.engines import Databases
from tests.integration.services.referral.feeding import complaint, referral_on
from tests.running import Running, emptied, running_service

CODES = ["sexual.rape_or_assault", "other.incivility", "hate.racist", "other.driving", "other.property"]


@dataclass(frozen=True)
class Three:
    services: dict[str, Running]
    cases: set[UUID]

    async def write_document(self, service: str, directory: Path) -> Path:
        """The OpenAPI document that the service answers, as a file."""
        status, document = await self.services[service].json("GET", "/openapi.json", role=None)
        assert status == 200
        file = directory / f"{service}.json"
        file.write_text(json.dumps(document))
        return file


@asynccontextmanager
async def three_services(databases: Databases, directory: Path) -> AsyncIterator[Three]:
    async with AsyncExitStack() as stack:
        urls = {name: stack.enter_context(databases.new()) for name in SERVICES}
        for name, url in urls.items():
            await emptied(name, url)
        ensure_keys(directory / "keys")
        feeding = referral_on(urls["referral"], directory / "keys" / "referral.json")
        referral = await stack.enter_async_context(feeding)
        cases = set()
        for code in CODES:
            complaint_id = uuid4()
            await referral.receive(referral.feed.recorded(complaint(code), complaint_id))
            cases.add(await referral.case_of(complaint_id))
        services = {
            name: await stack.enter_async_context(running_service(settings, wire, urls[name], directory))
            for name, (settings, wire) in SERVICES.items()
        }
        yield Three(services, cases)

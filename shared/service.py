"""What each service is made of, put together in one place; a service adds its handlers and routes.

`running` opens the store, the relay, a follower for each source and the HTTP application, for as long as
its context is. Only PostgreSQL decides on readiness (`shared.readiness`): HTTP serves while Kafka is away,
and a service whose database is away is live and says that it is not ready.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

import aiohttp
import orjson

from shared.clock import today
from shared.readiness import Readiness
from shared.sealing.keys import DataKey, ServiceKeys, load_keys, unwrap_data_keys
from shared.settings import RecoverSettings, ServiceSettings
from shared.store.pools import CONSUMERS, PoolLimits
from shared.store.postgres import PostgresStore
from shared.streaming import routes
from shared.streaming.broker import BrokerUnavailable
from shared.streaming.catchup import HttpFollower, HttpOwner
from shared.streaming.drops import Drops
from shared.streaming.follower import Follower
from shared.streaming.handling import Handlers
from shared.streaming.inbox import Inbox
from shared.streaming.kafka import KafkaBroker
from shared.streaming.parking import Parking
from shared.streaming.published import PublishedLog
from shared.streaming.recovery import Consequences, Recovery
from shared.streaming.relay import Relay
from shared.streaming.relay_state import PostgresRelayState
from shared.streaming.returning import Returned
from shared.streaming.tail import Tail
from shared.streaming.topics import TOPICS
from shared.version import VERSION
from shared.watching import Watch
from shared.web.app import create_app
from shared.web.auth import Authenticator
from shared.web.jwks import KeySource
from shared.web.metrics import Metrics
from shared.web.pages import Cursors
from shared.web.process import Wired
from shared.web.routing import Router
from shared.web.server import background


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers and routes of a service are made with."""

    service: str
    store: PostgresStore
    keys: ServiceKeys
    cursors: Cursors
    metrics: Metrics
    today: Callable[[], date] = today

    def for_http(self) -> "Context":
        """The same, with the store read over the connections of HTTP: for routes, and whatever they call."""
        return replace(self, store=self.store.for_http())

    async def data_keys(self, key_ids: Sequence[Any]) -> Mapping[str, bytes]:
        """kid -> data key of those that exist: what is missing was erased, or never was."""
        return unwrap_data_keys(self.keys.kek, await self.store.data_keys(key_ids))

    async def data_key(self, key_id: Any) -> DataKey | None:
        """One data key; None where it was erased, or never was."""
        key = (await self.data_keys([key_id])).get(str(key_id))
        return DataKey(key_id, key) if key else None


@dataclass(frozen=True, slots=True)
class Parts:
    """What is a service's own.

    Attributes:
        handlers: source -> handlers of that source's events; its keys are whom it follows.
        routers: its own routes.
        body_limits: by exact path, where a body may be longer than 256 KiB, None for any length.
        tasks: what runs beside relay and followers, in the processes that run consumers.
    """

    handlers: Mapping[str, Handlers]
    routers: Sequence[Router]
    body_limits: Mapping[str, int | None] = field(default_factory=dict)
    tasks: Sequence[Callable[[], Coroutine[None, None, None]]] = ()


@asynccontextmanager
async def running(
    service: str,
    settings: ServiceSettings,
    chosen: frozenset[str],
    public: frozenset[str],
    parts_of: Callable[[Context], Parts],
) -> AsyncIterator[Wired]:
    """Everything of a service is open and runs while the body does.

    Args:
        chosen: which of http, relay, consumer run in this process.
        public: the categories of its public streams.

    Raises:
        SettingsError: the keys file is missing or wrong.
    """
    keys = load_keys(settings.keys_file)
    database_url = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(_store(database_url, public, settings))
        key_source = await stack.enter_async_context(KeySource(settings.jwks))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        metrics = Metrics()
        await store.until_day_is_known()
        cursors = Cursors(keys.digest("page cursors"))
        context = Context(service, store, keys, cursors, metrics, store.today)
        parts = parts_of(context)
        published = PublishedLog(service, store, keys)
        broker = KafkaBroker(lambda: bootstrap(settings))
        inboxes = {
            source: Inbox(source, store, keys, handlers) for source, handlers in parts.handlers.items()
        }
        parking = Parking(store, inboxes)
        control, web = store.for_control(), store.for_http()
        followers = http_followers(settings, keys, session)
        tail = Tail(published.own, TOPICS[service], control, broker, followers)
        store.compare_first(tail.compare)
        watch = Watch(metrics, control, TOPICS[service], list(inboxes), context.today)
        readiness = Readiness(service, store)
        watch.readiness(readiness)
        tasks: list[Callable[[], Coroutine[None, None, None]]] = [tail.keep, control.keep_tidy]
        if "relay" in chosen:
            state = PostgresRelayState(store.pool)
            relay = Relay(TOPICS[service], store, published, broker, state, store.leases, context.today)
            watch.relay(relay)
            tasks.append(relay.run)
        if "consumer" in chosen:
            for source, inbox in inboxes.items():
                follower = Follower(
                    TOPICS[source],
                    # A group for each source: one rebalances without the other.
                    f"hotline-{service}-{source}",
                    store,
                    inbox,
                    HttpOwner(session, settings.peers[source], settings.service_token_file),
                    broker,
                )
                watch.follower(source, follower)
                tasks.append(follower.run)
            tasks += parts.tasks
            tasks.append(partial(parking.keep_retrying, parts.handlers, settings.retry_parked_seconds))
        at_desk = Parking(web, inboxes)
        app = create_app(
            title=f"Hotline {service}",
            version=VERSION,
            readiness=readiness,
            waits_for=lambda: readiness.waits_for,
            authenticator=Authenticator.of(settings, key_source),
            routers=[
                *parts.routers,
                routes.followers(web, PublishedLog(service, web, keys)),
                routes.consumed(Returned(web, keys), parts.handlers),
                routes.parked(at_desk, Drops(at_desk, web, keys.kek, context.today), context.cursors),
            ],
            body_limits=parts.body_limits,
        )
        await readiness()  # no request before it is known whether the database is one for this software
        await stack.enter_async_context(
            background(readiness.keep(), watch.keep(), *map(readiness.while_it_fits, tasks))
        )
        yield Wired(app, metrics)


def _store(database_url: str, public: frozenset[str], settings: ServiceSettings) -> PostgresStore:
    http = PoolLimits(settings.http_connections, settings.connection_wait_seconds, settings.statement_seconds)
    consumers = replace(CONSUMERS, connections=settings.consumer_connections)
    return PostgresStore(database_url, public, http=http, consumers=consumers)


@asynccontextmanager
async def recovering(
    service: str,
    settings: RecoverSettings,
    keys: ServiceKeys,
    without: Sequence[str],
    *,
    consequences: Callable[[ServiceKeys], Consequences] | None = None,
) -> AsyncIterator[Recovery]:
    """How the lost tail of a service is adopted; open while the body runs."""
    async with aiohttp.ClientSession() as session:
        followers = http_followers(settings, keys, session)
        broker = KafkaBroker(lambda: bootstrap(settings))
        follow = consequences(keys) if consequences else None
        owners = {
            name: HttpOwner(session, url, settings.service_token_file) for name, url in settings.peers.items()
        }
        yield Recovery(service, TOPICS[service], keys, broker, followers, without, follow, owners)


def http_followers(
    settings: RecoverSettings, keys: ServiceKeys, session: aiohttp.ClientSession
) -> dict[str, HttpFollower]:
    """The followers whose addresses are known: a following system of others has none here."""
    return {
        name: HttpFollower(session, settings.peers[name], settings.service_token_file)
        for name in keys.followers.keys() & settings.peers.keys()
    }


def bootstrap(settings: RecoverSettings) -> str:
    """The brokers' addresses: as set, or as `make run` wrote them last."""
    if settings.kafka:
        return ",".join(settings.kafka)
    try:
        assert settings.run_file is not None  # noqa: S101  (the settings have one of the two)
        return str(orjson.loads(settings.run_file.read_bytes())["broker"])
    except (OSError, orjson.JSONDecodeError, KeyError) as fault:
        raise BrokerUnavailable("the run file names no broker") from fault

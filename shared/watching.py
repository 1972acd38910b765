"""What operators watch of every service, as metrics; alarms are made of these.

| name | labels | what it tells |
|---|---|---|
| `hotline_ready` | | 1 where nothing keeps the service from its main job, as `/healthz/ready` says with the reason; for processes without HTTP too |
| `hotline_consumer_lag_events` | `source` | events of the source that its owner had and this process's slots have not reached, as last compared (every 15 seconds); down to fifty. Sum over replicas; absent where it is unknown: stopped, not connected, without slots of its own, or the owner does not answer |
| `hotline_consumer_connected` | `source` | 1 while the follower has its subscription |
| `hotline_consumer_waiting_slots_before_today` | `source` | slots that have waited since an earlier day for their surroundings (the log says for what), exactly |
| `hotline_consumer_stopped` | `source` | 1 after 20 events in a row had to be parked: it waits for a person |
| `hotline_owner_lost_tail` | `source` | 1 where this service holds events that their owner does not have: see `recover` |
| `hotline_parked_events` | `source` | parked events; down to fifty |
| `hotline_parked_events_before_today` | `source` | those of earlier days, exactly |
| `hotline_relay_leading` | | 1 in the one process that publishes |
| `hotline_relay_lag_events` | | public events that are not published yet, up to 100,000; down to fifty. Any replica's |
| `hotline_store_halted` | | 1 where nothing is appended, for the log lost its tail |
| `hotline_commit_batch_requests` | `le` | histogram of the requests that a commit carried, renewed at every fiftieth |

Beside them intake has those of `services.intake.release_watch`, and dedup has `hotline_resolver_leading` and `hotline_dedup_truncated_keys_total`.

Why each is told as it is. A scrape every fifteen seconds must not show one contact, on a day with four of
them and with whatever broken. A lag is nought while all is well, so a contact does not move it then; but
with Kafka away each contact would be a step of one: down to fifty. Its age would begin at the contact: there
is none. A parked event tells of one contact at most seconds after it; since one is worth knowing all the
same, those of earlier days are told exactly: they change at midnight, or when somebody deals with them. So
are slots that wait, for it is a contact that begins the wait.
States change with processes, brokers and faults, not with contacts; that a consumer stopped takes twenty
events. What a database is asked for is asked by `keep` once in a while, never by a scrape.
"""  # noqa: E501  (a table's row is a line)

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import accumulate

import asyncpg
from prometheus_client import Metric
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from shared.readiness import Readiness
from shared.store.batch_sizes import BOUNDS, BatchSizes
from shared.store.postgres import PostgresStore
from shared.store.requests import StoreUnavailable
from shared.streaming.follower import Follower
from shared.streaming.relay import Relay
from shared.web.metrics import Metrics

INTERVAL_SECONDS = 15.0


class Watch:
    """Adds a service's figures to its metrics. `keep` asks the database for those that lie there.

    Args:
        sources: whom the service follows.
    """

    def __init__(
        self,
        metrics: Metrics,
        store: PostgresStore,
        topic: str,
        sources: Sequence[str],
        today: Callable[[], date],
    ) -> None:
        self._metrics, self._store, self._topic, self._today = metrics, store, topic, today
        self._unpublished: int | None = None
        self._parked: Mapping[str, tuple[int, int]] | None = None
        metrics.gauge("hotline_store_halted", "1 where the log lost its tail", lambda: int(store.is_halted))
        metrics.registry.register(_Batches(store.batch_sizes))
        for source in sources:
            metrics.contact_gauge(
                "hotline_parked_events",
                "Parked events, rounded down to fifty",
                partial(self._parked_of, source, 0),
                source=source,
            )
            metrics.gauge(
                "hotline_parked_events_before_today",
                "Parked events of earlier days",
                partial(self._parked_of, source, 1),
                source=source,
            )

    def readiness(self, readiness: Readiness) -> None:
        """What this process says of itself."""
        self._metrics.gauge(
            "hotline_ready", "1 where nothing keeps it from its work", lambda: int(readiness.is_ready)
        )

    def relay(self, relay: Relay) -> None:
        """This process may lead the relay."""
        self._metrics.gauge("hotline_relay_leading", "1 where it publishes", lambda: int(relay.is_leader))
        self._metrics.contact_gauge(
            "hotline_relay_lag_events",
            "Public events not published yet, rounded down to fifty",
            lambda: self._unpublished,
        )

    def follower(self, source: str, follower: Follower) -> None:
        """This process follows a source."""
        add = self._metrics.gauge
        self._metrics.contact_gauge(
            "hotline_consumer_lag_events",
            "Events behind the owner, rounded down to fifty",
            follower.lag,
            source=source,
        )
        connected = "1 while the follower has its subscription"
        add("hotline_consumer_connected", connected, lambda: int(follower.is_connected), source=source)
        self._metrics.gauge(
            "hotline_consumer_waiting_slots_before_today",
            "Slots that have waited for their surroundings since an earlier day",
            partial(self._waiting_before_today, follower),
            source=source,
        )
        stopped = "1 after too many parked events in a row"
        add("hotline_consumer_stopped", stopped, lambda: int(follower.is_stopped), source=source)
        lost = "1 where the owner does not have what it published"
        add("hotline_owner_lost_tail", lost, lambda: int(follower.sees_lost_tail), source=source)

    async def keep(self) -> None:
        """Ask the database every now and then, until cancelled."""
        while True:
            try:
                unpublished = await self._store.unpublished(self._topic)
                self._parked = await self._store.parked_counts(self._today())
                self._unpublished = unpublished
            except (StoreUnavailable, asyncpg.PostgresError):  # away, or without its tables yet
                self._unpublished = self._parked = None  # rather no figure than an old one
            await asyncio.sleep(INTERVAL_SECONDS)

    def _waiting_before_today(self, follower: Follower) -> int | None:
        try:
            return follower.waiting_before(self._today())
        except StoreUnavailable:  # the database, which tells the day, has never answered
            return None

    def _parked_of(self, source: str, which: int) -> int | None:
        return None if self._parked is None else self._parked.get(source, (0, 0))[which]


class _Batches(Collector):
    def __init__(self, sizes: BatchSizes) -> None:
        self._sizes = sizes

    def collect(self) -> Iterable[Metric]:
        told = self._sizes.told
        bounds = [*(str(float(bound)) for bound in BOUNDS), "+Inf"]
        counts = [*accumulate(told.counts), sum(told.counts)]
        yield HistogramMetricFamily(
            "hotline_commit_batch_requests",
            "Requests that a commit carried, renewed at every fiftieth commit",
            buckets=list(zip(bounds, counts, strict=True)),
            sum_value=told.requests,
        )

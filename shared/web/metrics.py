"""A service's metrics, on a port of their own.

What a contact moves is exported rounded down to fifty, for a scrape every fifteen seconds would
be a call record. For the same reason there are no metrics of the process (its CPU seconds move with a
contact), no request counts by themselves, no ages (they begin with a contact) and no `_created` times.
`shared.watching` lists those that every service has.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

STEP = 50


class ContactCounter(Collector):
    """Counts exactly, tells roughly. A series with labels does not exist before it has reached fifty."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = tuple(labels)
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, *labels: str, count: int = 1) -> None:
        """Label values in the order of their names."""
        if len(labels) != len(self._labels):
            raise ValueError(f"{self._name} has the labels {', '.join(self._labels) or 'none'}")
        self._counts[labels] += count

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        if not self._labels:
            family.add_metric((), self._counts[()] // STEP * STEP)
        else:
            for labels, count in self._counts.items():
                if count >= STEP:
                    family.add_metric(labels, count // STEP * STEP)
        yield family


class Gauges(Collector):
    """A gauge with a reading for each set of labels, read at the scrape; one that is None is left out."""

    def __init__(self, name: str, documentation: str, step: int) -> None:
        self._name, self._documentation, self._step = name, documentation, step
        self._readings: list[tuple[Mapping[str, str], Callable[[], int | None]]] = []

    def add(self, read: Callable[[], int | None], labels: Mapping[str, str]) -> None:
        self._readings.append((labels, read))

    def collect(self) -> Iterable[Metric]:
        names = list(self._readings[0][0])
        family = GaugeMetricFamily(self._name, self._documentation, labels=names)
        for labels, read in self._readings:
            if (value := read()) is not None:
                family.add_metric([labels[name] for name in names], value // self._step * self._step)
        yield family


class Metrics:
    """The registry of one service; other metrics of `prometheus_client` take it as `registry=`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauges] = {}

    def contact_counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> ContactCounter:
        """A counter that contacts move. Anything else may be a plain `prometheus_client` metric."""
        counter = ContactCounter(name, documentation, labels)
        self.registry.register(counter)
        return counter

    def contact_gauge(
        self, name: str, documentation: str, read: Callable[[], int | None], **labels: str
    ) -> None:
        """A number that contacts move, read at the scrape and told rounded down to fifty. Called again with
        other values of the same labels, it adds to the gauge."""
        self._add(name, documentation, STEP, read, labels)

    def gauge(self, name: str, documentation: str, read: Callable[[], int | None], **labels: str) -> None:
        """As `contact_gauge`, told exactly: for states, and numbers that no contact moves."""
        self._add(name, documentation, 1, read, labels)

    def _add(
        self,
        name: str,
        documentation: str,
        step: int,
        read: Callable[[], int | None],
        labels: Mapping[str, str],
    ) -> None:
        if name not in self._gauges:
            self._gauges[name] = Gauges(name, documentation, step)
            self.registry.register(self._gauges[name])
        self._gauges[name].add(read, labels)


class _Timeless(Collector):
    """The registry without the times at which its counters first moved."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def exposition(metrics: Metrics) -> ASGIApp:
    """Answers `GET /metrics` and nothing else."""
    timeless = _Timeless(metrics.registry)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response
        if scope["path"] == "/metrics" and scope["method"] in {"GET", "HEAD"}:
            encode, media_type = choose_encoder(Headers(scope=scope).get("accept", ""))
            answer = Response(encode(timeless), headers={"Content-Type": media_type})
        else:
            answer = PlainTextResponse("GET /metrics\n", status_code=404)
        await answer(scope, receive, send)

    return app

"""The one place that puts dedup together."""

from contextlib import AbstractAsyncContextManager

from services.dedup.domain.model import load_model
from services.dedup.domain.scoring import Scorer
from services.dedup.handlers import handlers
from services.dedup.index import ComplaintIndex
from services.dedup.resolver import Resolver
from services.dedup.routes import routers
from services.dedup.settings import Settings
from shared.service import Context, Parts, running
from shared.web.process import Wired

PUBLIC = frozenset({"incident", "pattern"})
"""The categories of the streams whose events are published."""


def wire(settings: Settings, parts: frozenset[str]) -> AbstractAsyncContextManager[Wired]:
    """Everything is open while the context is. `parts`: which of http, relay, consumer run here."""
    return running("dedup", settings, parts, PUBLIC, _parts)


def _parts(context: Context) -> Parts:
    index, scorer = ComplaintIndex(context), Scorer(load_model())
    resolver = Resolver(context, index, scorer)
    context.metrics.gauge(
        "hotline_resolver_leading", "1 in the one process that resolves", lambda: int(resolver.is_leader)
    )
    context.metrics.gauge(
        "hotline_resolver_waiting",
        "Complaints that an adopted tail names and that were not consumed again yet: the resolver waits.",
        lambda: len(resolver.missing),
    )
    return Parts(
        handlers=handlers(context, index, scorer),
        routers=routers(context.for_http()),
        tasks=(resolver.run,),
    )

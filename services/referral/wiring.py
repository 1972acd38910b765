"""The one place that puts referral together."""

from contextlib import AbstractAsyncContextManager

from services.referral import routes
from services.referral.conflicts import Conflicts
from services.referral.desk import Desk
from services.referral.docket import Docket
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.handlers import handlers
from services.referral.read_models import ReadModel
from services.referral.settings import Settings
from shared.service import Context, Parts, running
from shared.vocabulary import Vocabulary, load_vocabulary
from shared.web.process import Wired
from shared.web.routing import Router

PUBLIC = frozenset({"case", "referral", "subject"})
"""The categories of the streams whose events are published."""


def wire(settings: Settings, parts: frozenset[str]) -> AbstractAsyncContextManager[Wired]:
    """Everything is open while the context is. `parts`: which of http, relay, consumer run here."""
    return running("referral", settings, parts, PUBLIC, _parts)


def _parts(context: Context) -> Parts:
    vocabulary = load_vocabulary()
    policy = Policy(load_rules(vocabulary), vocabulary)
    read = ReadModel(context.store)
    docket = Docket(context.keys, read)
    return Parts(
        handlers=handlers(context, read, docket, policy),
        routers=_routers(context.for_http(), policy, vocabulary),
    )


def _routers(context: Context, policy: Policy, vocabulary: Vocabulary) -> list[Router]:
    read = ReadModel(context.store)
    docket = Docket(context.keys, read)
    conflicts = Conflicts(context, read, docket)
    desk = Desk(context, read, docket, policy, conflicts)
    return [
        routes.cases(context, read, desk, conflicts),
        routes.policy_and_statistics(context, read, conflicts, policy, vocabulary),
    ]

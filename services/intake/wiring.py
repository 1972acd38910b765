"""The one place that puts intake together."""

from contextlib import AbstractAsyncContextManager
from functools import partial

from services.intake.contacts import Contacts
from services.intake.day_secrets import DaySecrets
from services.intake.domain.releases import ReleasePolicies
from services.intake.handlers import handlers
from services.intake.recording import Recorder
from services.intake.release_routes import release_routers
from services.intake.release_watch import ReleaseWatch
from services.intake.releasing import ReleaseDesk
from services.intake.routes import IMPORTS, routers
from services.intake.settings import Settings
from services.intake.shift import Shift
from shared.service import Context, Parts, running
from shared.vocabulary import load_vocabulary
from shared.web.process import Wired

PUBLIC = frozenset({"complaint", "contact"})
"""The categories of the streams whose events are published."""


def wire(settings: Settings, parts: frozenset[str]) -> AbstractAsyncContextManager[Wired]:
    """Everything is open while the context is. `parts`: which of http, relay, consumer run here."""
    policies = ReleasePolicies(settings.release, settings.release_imports)
    return running("intake", settings, parts, PUBLIC, partial(_parts, policies))


def _parts(policies: ReleasePolicies, context: Context) -> Parts:
    web = context.for_http()
    day_secrets = DaySecrets(context.store.for_control(), context.keys.kek, context.today)
    context.store.compare_first(day_secrets.compare)
    vocabulary = load_vocabulary()
    recorder = Recorder(web, vocabulary, day_secrets, policies)
    desk = ReleaseDesk(web, vocabulary)
    watch = ReleaseWatch(context.metrics, context.store.for_control(), context.today)
    contacts = Contacts(web, vocabulary)
    return Parts(
        handlers=handlers(context),
        routers=[*routers(recorder, contacts, Shift(web)), *release_routers(web, desk)],
        body_limits={IMPORTS: None},
        tasks=(day_secrets.keep_tidy, watch.keep),
    )

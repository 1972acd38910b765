"""The one place that puts intake together."""

from contextlib import AbstractAsyncContextManager

from services.intake.contacts import Contacts
from services.intake.day_secrets import DaySecrets
from services.intake.handlers import handlers
from services.intake.recording import Recorder
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
    return running("intake", settings, parts, PUBLIC, _parts)


def _parts(context: Context) -> Parts:
    web = context.for_http()
    day_secrets = DaySecrets(context.store.for_control(), context.keys.kek, context.today)
    context.store.compare_first(day_secrets.compare)
    vocabulary = load_vocabulary()
    recorder = Recorder(web, vocabulary, day_secrets)
    contacts = Contacts(web, vocabulary)
    return Parts(
        handlers=handlers(context),
        routers=routers(recorder, contacts, Shift(web)),
        body_limits={IMPORTS: None},
        tasks=(day_secrets.keep_tidy,),
    )

"""Logs without personal data: JSON lines on stderr, or readable ones on a terminal.

A line is an event in fixed words and a few keys from an allow-list. Other keys are dropped and only
counted, for a value that nobody thought about is where a caller's words would come out. Of other libraries'
records only logger, level and the template before its arguments are kept; of an exception its type
and frames, never its message.
"""

import asyncio
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

KEYS = frozenset(
    {
        *("event", "level", "logger", "service", "timestamp", "dropped"),
        *("error", "frames", "caused_by"),
        *("host", "port", "method", "route", "status", "version", "signal", "parts"),
        *("source", "topic", "partition", "slot", "type"),
        *("count", "attempt", "seconds", "reason", "dependency"),
    }
)

_ROOT = Path(__file__).parents[2]
_LONGEST_TEMPLATE = 200
_MOST_FRAMES = 20


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """`log.info("event in fixed words", key=value)`. Keys outside `KEYS` do not come out."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(origin=name)
    return log


def fault(error: BaseException) -> dict[str, Any]:
    """What a log line may say about an exception: types and frames, no messages, no local values."""
    said: dict[str, Any] = {"error": type(error).__qualname__, "frames": _frames(error)}
    causes = [type(cause).__qualname__ for cause in _causes(error)]
    if causes:
        said["caused_by"] = causes
    return said


def _frames(error: BaseException) -> list[str]:
    summary = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in summary]


def _short(filename: str) -> str:
    path = Path(filename)
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name


def _causes(error: BaseException) -> Iterable[BaseException]:
    """Causes, contexts, and the members of groups, each once."""
    seen = {id(error)}
    waiting = [error]
    while waiting:
        current = waiting.pop()
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        for cause in (current.__cause__, current.__context__, *members):
            if cause is not None and id(cause) not in seen:
                seen.add(id(cause))
                waiting.append(cause)
                yield cause


def telling_faults(_: Any, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The structlog processor behind `log.exception` and `exc_info`: an exception as `fault` tells it."""
    told = line.pop("exc_info", None)
    if told:
        error = told if isinstance(told, BaseException) else sys.exc_info()[1]
        line.update(fault(error) if error else {})
    return line


class OnlyKnownKeys:
    """The structlog processor that holds the allow-list."""

    def __init__(self, keys: frozenset[str] = KEYS) -> None:
        self._keys = keys

    def __call__(self, _: Any, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        kept = {key: value for key, value in line.items() if key in self._keys}
        if len(kept) < len(line):
            kept["dropped"] = len(line) - len(kept)
        return kept


class ForeignRecords(logging.Handler):
    """Takes the records of other libraries and passes on what may be said of them."""

    def emit(self, record: logging.LogRecord) -> None:
        template = record.msg if isinstance(record.msg, str) else type(record.msg).__qualname__
        first_line = template.strip().partition("\n")[0][:_LONGEST_TEMPLATE]
        said = fault(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        log = logger(record.name)
        if record.levelno >= logging.ERROR:
            log.error(first_line, **said)
        elif record.levelno >= logging.WARNING:
            log.warning(first_line, **said)
        else:
            log.info(first_line, **said)


def configure(service: str, level: int = logging.INFO) -> None:
    """Once a process, at its start. Everything that is logged anywhere goes through here."""
    is_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            telling_faults,
            _naming(service),
            OnlyKnownKeys(),
            structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=level, handlers=[ForeignRecords()], force=True)
    # An application without errors says nothing of single requests, so uvicorn's access log is off
    # by its configuration; here too, in case something turns it on.
    logging.getLogger("uvicorn.access").disabled = True
    for talkative in ("uvicorn", "aiokafka"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # What Python itself would print with its text (`logging.captureWarnings` takes that for the template).
    warnings.showwarning = _on_warning
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_error


def _naming(service: str) -> structlog.typing.Processor:
    def name(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["service"] = service
        # `get_logger` takes no initial value of the name `logger`.
        line["logger"] = line.pop("origin", None)
        return line

    return name


def _on_warning(
    message: Warning | str,  # noqa: ARG001  # its text is what must not be told
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    logger("python").warning("warning", error=category.__name__, frames=[f"{_short(filename)}:{lineno}"])


def _on_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    said = fault(unraisable.exc_value) if unraisable.exc_value else {}
    logger("python").error("exception ignored in a finaliser", **said)


def _on_thread_error(args: threading.ExceptHookArgs) -> None:
    said = fault(args.exc_value) if args.exc_value else {}
    logger("python").error("a thread ended with an error", **said)


def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: asyncio's own handler writes the exception's message."""
    error = context.get("exception")
    logger("asyncio").error("unhandled in the event loop", **(fault(error) if error else {}))

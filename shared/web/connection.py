"""A connection of the HTTP server, within limits from its first byte on.

uvicorn's own protocol waits for ever for a header, whatever its length, and forgets the answer of a client
that has closed its sending side. Here

- a header section has a limit of bytes (431) and of time (408), a body has one of time (408; one without a
  limit of bytes, its next part), and a connection may not be silent for long;
- more connections than the limit are answered 503 and closed;
- a client that closed its sending side after a whole request is answered, and the request of one that is
  gone is given up;
- a request without `Host`, or with two, is 400; a `Transfer-Encoding` but chunked is 501; an upgrade of a
  request with a body is 501; what is no HTTP is 400, and each of them is problem+json;
- white space around a header's value is no part of it, and what follows a body in parts is no header.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import (
    BadRequest,
    HeadersTooLarge,
    NotImplementedHere,
    Problem,
    RequestTimeout,
    Unavailable,
)
from shared.settings import ServiceSettings
from shared.web import problems
from shared.web.edge import ENDLESS, GONE, ON_EVERY_ANSWER, TASK

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# An answer that is followed by the close of the connection may be lost where the client still sends: until it
# has stopped, or for so long, what comes is read and dropped.
_LINGER_SECONDS: Final = 2.0
_PROBE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a connection; see the settings of the same names."""

    connections: int = 1_000
    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    unread_seconds: float = 60.0

    @classmethod
    def of(cls, settings: ServiceSettings) -> Self:
        return cls(
            settings.connections,
            settings.header_bytes,
            settings.header_seconds,
            settings.body_seconds,
            settings.idle_seconds,
            settings.unread_seconds,
        )


class Config(uvicorn.Config):
    """uvicorn's, with the limits of its connections."""

    def __init__(self, app: Any, limits: Limits, **options: Any) -> None:
        super().__init__(app, http=Connection, timeout_keep_alive=int(limits.idle_seconds) + 1, **options)
        self.limits = limits


@dataclass(frozen=True, slots=True)
class _Unread:
    """How much of an answer its client has not read, and since when it is so much."""

    size: int = 0
    since: float = 0.0


class Connection(HttpToolsProtocol):
    """See the module. `enforce` is called every half second, which is cheaper than a timer each."""

    config: Config

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = self.config.limits
        self._since = self.loop.time()  # of the last answer's end, or of the connection
        self._header_since: float | None = None  # of a header section that is not whole
        self._is_body_open = False
        self._body_since = 0.0  # of the headers' end; of a body without a limit, of its last part
        self._unparsed = 0  # bytes since the last step of the parser, which alone makes anything of them
        self._half_closed_since: float | None = None
        self._is_refused = False
        self._last_words: bytes | None = None  # to be said after the answers under way
        self._lingers_since: float | None = None
        self._unread = _Unread()

    # What comes.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._is_refused = True
            transport.write(_words(Unavailable("Too many connections are open.")))
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > self._limits.header_bytes and not self._is_refused:
            self._refuse(_too_large())

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """True keeps the connection open for the answer."""
        if self.cycle is None or self.cycle.response_complete or self._is_body_open or self._is_refused:
            return None
        self._half_closed_since = self.loop.time()
        self.cycle.keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """What the application does for a client that is gone is cancelled: what it wanted written and has no
        number yet is not written, and a queue of such requests costs nothing more."""
        super().connection_lost(exc)
        if self.cycle is not None and not self.cycle.response_complete:
            state = self.cycle.scope["state"]
            if (task := state.get(TASK)) is not None:
                state[GONE] = True
                task.cancel()

    # The steps of the parser.

    def on_message_begin(self) -> None:
        if not self._is_refused:
            self._header_since = self.loop.time()
            super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn's, without a call of it: there are many of them in a request."""
        if self._is_body_open:
            return
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._is_refused:
            return
        if self._unparsed > self._limits.header_bytes and self._is_too_long():
            self._refuse(_too_large())
            return
        self._unparsed, self._header_since = 0, None
        if (problem := self._header_fault()) is not None:
            self._refuse(problem)
            return
        self._is_body_open = True
        self._body_since = self.loop.time()
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False  # the parser reads no further request

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        if not self._is_refused:
            if ENDLESS in self.cycle.scope["state"]:
                self._body_since = self.loop.time()
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        if not self._is_refused:
            self._is_body_open = False
            super().on_message_complete()

    def _header_fault(self) -> Problem | None:
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            return BadRequest("A request names one Host.")
        is_coded = b"transfer-encoding" in names
        if is_coded and self._values(b"transfer-encoding") != [b"chunked"]:
            return NotImplementedHere("The only Transfer-Encoding that is taken is chunked.")
        if self.parser.should_upgrade() and (is_coded or self._values(b"content-length") not in ([], [b"0"])):
            return NotImplementedHere("A request with a body is not upgraded; leave out Upgrade.")
        return None

    def _values(self, name: bytes) -> list[bytes]:
        return [value.lower() for each, value in self.headers if each == name]

    def _is_too_long(self) -> bool:
        """More bytes than the limit were read, and some of them may be of the body."""
        return sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url) > (
            self._limits.header_bytes
        )

    # What goes.

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own words
        """uvicorn asks for it where the parser cannot go on."""
        if not self._is_refused:
            self._refuse(BadRequest("This is no HTTP request."))

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()
        if self._last_words is not None and self.cycle.response_complete and not self.transport.is_closing():
            self._end(self._last_words)

    def _refuse(self, problem: Problem) -> None:
        """The last answer of this connection, after those of earlier requests."""
        self._is_refused = True
        words = _words(problem)
        if self.cycle is None or self.cycle.response_complete:
            self._end(words)
        elif self._is_body_open:  # the application waits for the rest of a body that will not come
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._end(b"" if self.cycle.response_started else words)
        else:
            self._last_words = words

    def _end(self, words: bytes) -> None:
        self._unset_keepalive_if_required()
        self.transport.write(words)
        if self._half_closed_since is not None or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self._lingers_since = self.loop.time()

    # What takes too long.

    def enforce(self, now: float) -> None:
        """End the connection where a limit of time has passed."""
        if self.transport.is_closing():
            return
        if self._lingers_since is not None:
            self._close_after(_LINGER_SECONDS, self._lingers_since, now)
        elif self._header_since is not None:
            if now - self._header_since > self._limits.header_seconds and not self._is_refused:
                self._refuse(RequestTimeout("The headers did not arrive in time."))
        elif self.cycle is None or (self.cycle.response_complete and self._is_body_open):
            # Nothing was sent yet; or the rest of a body that was answered already.
            self._close_after(self._limits.header_seconds, self._since, now)
        elif self.cycle.response_complete:
            self._close_after(self._limits.idle_seconds, self._since, now)
        elif self._is_body_open:
            # Nothing is waited for where the application does not read.
            is_awaited = not (self.flow.read_paused or self.cycle.waiting_for_100_continue)
            if is_awaited and now - self._body_since > self._limits.body_seconds:
                self._refuse(RequestTimeout("The body did not arrive in time."))
        elif self._half_closed_since is not None and now - self._half_closed_since > _PROBE_SECONDS:
            self._probe()
        if self.flow.write_paused:
            self._look_whether_it_is_read(now)

    def _close_after(self, seconds: float, since: float, now: float) -> None:
        if now - since > seconds:
            self.transport.close()

    def _probe(self) -> None:
        """A client that closed its sending side looks like one that is gone, until something is sent to it:
        the latter's machine then refuses it, and the next attempt fails, which ends the connection. An
        interim answer is part of HTTP/1.1 and may come as often as one likes."""
        if not self.cycle.response_started and self.cycle.scope["http_version"] == "1.1":
            self.transport.write(_CONTINUE)

    def _look_whether_it_is_read(self, now: float) -> None:
        size = self.transport.get_write_buffer_size()
        if size != self._unread.size or self._is_body_open:
            self._unread = _Unread(size, now)
        elif now - self._unread.since > self._limits.unread_seconds:
            self.transport.abort()


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge("The headers are longer than is taken here.")


def _words(problem: Problem) -> bytes:
    """The whole answer, for where there is no application yet to give it."""
    answer = problems.response(problem)

    def lines() -> Iterator[bytes]:
        yield STATUS_LINE[problem.status].rstrip()
        for name, value in (*answer.raw_headers, *ON_EVERY_ANSWER, (b"connection", b"close")):
            yield name + b": " + value

    return b"\r\n".join(lines()) + b"\r\n\r\n" + bytes(answer.body)

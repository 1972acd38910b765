"""The one error tree.

```
HotlineError                    everything that this software raises on purpose
├── SettingsError               the process cannot start: one line per wrong variable
└── Problem                     becomes an HTTP answer, RFC 9457 `application/problem+json`
    ├── BadRequest        400   no proper HTTP, or two values of one header
    ├── Unauthorized      401   no token, or none that we accept
    ├── Forbidden         403   a good token of another role
    ├── NotFound          404   not there, or not for this caller: the two look alike
    ├── MethodNotAllowed  405
    ├── RequestTimeout    408   the request did not arrive in time
    ├── Conflict          409   true when it was written, no longer (or not yet) now
    ├── TooLarge          413   the body is over its limit
    ├── UnsupportedMediaType 415
    ├── Unprocessable     422   understood and wrong; names the fields
    ├── HeadersTooLarge   431
    ├── InternalError     500   our fault; tells nothing
    ├── NotImplementedHere 501  a part of HTTP that is not spoken here
    └── Unavailable       503   what we need is away; `Retry-After` says when to ask again
```

A problem is raised where it is known and turned into HTTP once, in `shared.web.problems`.
Its texts are written by us and never quote what was sent: answers and logs carry no personal data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar


class HotlineError(Exception):
    """Raised on purpose; the message is fit for an operator and holds no personal data."""


class SettingsError(HotlineError):
    """The environment of a process is wrong. `lines` name each variable and what it should be."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class FieldError:
    """`field` is a path such as `subjects.0.name`; `message` says what it should be, not what it was."""

    field: str
    message: str


class Problem(HotlineError):
    """An answer that is no success. `members` are extension members of the JSON document."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "Not a proper request"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "A valid bearer token is needed"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "Not for this role"


class NotFound(Problem):
    status, slug, title = 404, "not-found", "Not found"


class MethodNotAllowed(Problem):
    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class RequestTimeout(Problem):
    status, slug, title = 408, "request-timeout", "The request did not arrive in time"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "Conflict with the present state"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The body is too large"


class UnsupportedMediaType(Problem):
    status, slug, title = 415, "unsupported-media-type", "The body is in a form that is not taken"


class Unprocessable(Problem):
    status, slug, title = 422, "unprocessable", "Some fields are wrong"

    @classmethod
    def field(cls, field: str, message: str) -> "Unprocessable":
        """The usual case: one field is wrong."""
        return cls(f"{field}: {message}", errors=[FieldError(field, message)])


class HeadersTooLarge(Problem):
    status, slug, title = 431, "headers-too-large", "The headers are too large"


class InternalError(Problem):
    status, slug, title = 500, "internal", "Internal error"


class NotImplementedHere(Problem):
    status, slug, title = 501, "not-implemented", "Not implemented"


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(
        self, detail: str, *, retry_after: int = 1, members: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, members=members)

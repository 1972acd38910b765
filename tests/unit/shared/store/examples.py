"""Events and tables that tests of the store write."""

from datetime import date
from uuid import UUID, uuid4

from shared.store.events import NewEvent, StreamId, stream_id
from shared.store.requests import AppendRequest, Table

PUBLIC = frozenset({"complaint"})
DAY = date(2026, 11, 23)

# Its migration is `CREATE_NOTES`, and that of `TAGS` is `CREATE_TAGS`.
NOTES = Table(
    "notes", {"author": "text", "number": "int", "topic": "text", "body": "jsonb"}, ("author", "number")
)
CREATE_NOTES = """
CREATE TABLE notes (author text, number int, topic text, body jsonb, PRIMARY KEY (author, number))
"""

TAGS = Table("tags", {"tag": "bigint", "note": "bigint"}, ("tag", "note"), insert_only=True, listed="tag")
CREATE_TAGS = "CREATE TABLE tags (tag bigint, note bigint, PRIMARY KEY (tag, note))"


def new_stream(category: str = "complaint") -> StreamId:
    return stream_id(category, uuid4())


def new_event(
    stream: str, event_id: UUID | None = None, data: str = '{"clear":{},"sealed":null}'
) -> NewEvent:
    return NewEvent(stream, event_id or uuid4(), "complaint.recorded", data, DAY)


def one_event(stream: str, expected: int | None = None) -> AppendRequest:
    """A request of one event, with or without an expected version."""
    return AppendRequest((new_event(stream),), {} if expected is None else {stream: expected})

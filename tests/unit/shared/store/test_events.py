"""Streams and slots."""

import zlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.store.events import SLOTS, category_of, identity_of, slot_of, stream_id

categories = st.from_regex(r"[a-z]+(_[a-z]+)*", fullmatch=True)


@given(categories, st.uuids())
def test_a_stream_id_tells_its_category_and_identity(category: str, identity: UUID) -> None:
    stream = stream_id(category, identity)
    assert (category_of(stream), identity_of(stream)) == (category, identity)


@given(st.text())
def test_a_slot_is_the_checksum_modulo_240(stream: str) -> None:
    assert SLOTS == 240
    assert slot_of(stream) == zlib.crc32(stream.encode()) % 240


def test_slots_never_change() -> None:
    """They stand in the logs and cursors of all services."""
    assert slot_of("complaint-7f0c0b6e-3b0c-4f0e-9d5e-0a4a3c2f1b00") == 32
    assert slot_of("123456789") == 0xCBF43926 % 240, "the check value of CRC-32 as ISO 3309 has it"


@pytest.mark.parametrize(
    "stream", ["complaint", "complaint-", "complaint-7", "7f0c1a52-6a75-4f5c-8f41-6f1b6d3c1a11", ""]
)
def test_what_has_no_identity_says_so(stream: str) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        identity_of(stream)

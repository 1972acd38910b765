"""The command counts the lines that the service answers, no more and no fewer."""

import gzip
from pathlib import Path

import pytest

from deploy.command.importing import _count

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize(
    ("content", "count"),
    [(b"", 0), (MARK, 0), (MARK + b"{}\n\n{}\n", 2), (b"{}\n" + MARK + b" \n{}", 2)],
)
def test_a_line_of_white_space_or_a_byte_order_mark_is_none(
    tmp_path: Path, content: bytes, count: int, is_gzip: bool
) -> None:
    file = tmp_path / "complaints"
    file.write_bytes(gzip.compress(content) if is_gzip else content)
    assert _count(file) == count

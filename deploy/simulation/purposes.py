"""The purposes of a stream. Each has words, names, places and rates that no other one has.

`training` is for fitting a model, `tuning` for looking at as often as one likes, `sealed` for measuring at
the end: who writes or trains a scorer neither reads the sealed tables nor looks at sealed streams.
"""

import json
from pathlib import Path
from typing import Any, Final, Literal, get_args

Purpose = Literal["training", "tuning", "sealed"]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
DATA: Final = Path(__file__).parent / "data"


def read_table(purpose: Purpose, name: str) -> dict[str, Any]:
    """One of the tables in the purpose's own folder under `data`."""
    content: dict[str, Any] = json.loads((DATA / purpose / f"{name}.json").read_text(encoding="utf-8"))
    return content

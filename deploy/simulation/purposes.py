"""The purposes of a stream. Each has words, names, places and rates that no other one has.

`training` is for fitting a model, `tuning` for looking at as often as one likes, `sealed` for measuring at
the end: who writes or trains a scorer neither reads the sealed tables nor looks at sealed streams.
"""

from typing import Final, Literal, get_args

Purpose = Literal["training", "tuning", "sealed"]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

"""ORM classes of ms-swift, which a plugin file registers: `orms["spatial"] = Spatial`, then `--reward_funcs spatial`.

ms-swift makes one object of a class and calls it with all completions of a batch, and with every column of the data
set beside its own as a list.
https://swift.readthedocs.io, ms-swift 4.6
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spatial_assets.rewards import trl


class Spatial:
    """Each row's own reward."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """ms-swift hands over its arguments, none of which are needed."""

    def __call__(self, completions: Sequence[str], **columns: Any) -> list[float]:
        return trl.spatial(completions, **columns)


class SpatialFormat(Spatial):
    """Whether the response is thinking and an answer in their tags."""

    def __call__(self, completions: Sequence[str], **columns: Any) -> list[float]:
        return trl.format(completions)

"""Views that somebody has who walks along viewpoints: how they are named in rows.

A view is level, and named after its viewpoint and its heading: `<viewpoint>@<degrees>`, 0 along +y and growing to the
right. It is no frame of its scene: which image shows it, `media.path_images` says.
"""

from __future__ import annotations

import math
import re

NAME = re.compile(r"(?P<viewpoint>.+)@(?P<degrees>(?:0|[1-9]\d{0,2})\.\d)", re.DOTALL | re.ASCII)
STEP = 10
"""Views are told apart to a tenth of a degree: a sixth of a pixel's width."""


def name_of(viewpoint: str, degrees: float) -> str:
    """Of the view in a direction."""
    tenths = math.floor(degrees * STEP + 0.5) % (360 * STEP)
    return f"{viewpoint}@{tenths // STEP}.{tenths % STEP}"


def heading_of(name: str) -> tuple[str, float] | None:
    """A view's viewpoint and its degrees, by its name; None for other frames."""
    found = NAME.fullmatch(name)
    return None if found is None else (found["viewpoint"], float(found["degrees"]))

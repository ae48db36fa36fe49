"""Views that somebody has who walks along viewpoints: how they are named in rows, and which image shows each.

A view is level, and named after its viewpoint and its heading: `<viewpoint>@<degrees>`, 0 along +y and growing to the
right. It is no frame of its scene: its image is made of the viewpoint's panorama where it has one, and a view without
is a camera that nobody can look through.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from spatial_assets.geometry.viewpoints import VIEW_SIZE, looking, view_intrinsics
from spatial_assets.scene.image_files import view_of

NAME = re.compile(r"(?P<viewpoint>.+)@(?P<degrees>(?:0|[1-9]\d{0,2})\.\d)", re.DOTALL | re.ASCII)
Panoramas = Mapping[str, tuple[str | None, Sequence[float] | None]]
"""By viewpoint the first image of its panorama, and its axes; None where it has none."""
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


def images_of(names: Iterable[str], panoramas: Panoramas) -> dict[str, str | None]:
    """The image of each name that is a view from one of a scene's viewpoints; None where none shows it.

    Names of anything else are left out.
    """
    return {name: found[1] for name in names if (found := _image(name, panoramas)) is not None}


def _image(name: str, panoramas: Panoramas) -> tuple[str, str | None] | None:
    """The name with its image; None for no view."""
    view = heading_of(name)
    if view is None or view[0] not in panoramas:
        return None
    first, axes = panoramas[view[0]]
    if first is None or axes is None:
        return name, None
    pose = looking(np.zeros(3), np.radians([view[1]]), np.zeros(1))[0]
    return name, view_of(first, np.array(axes), pose, VIEW_SIZE, float(view_intrinsics()[0, 0]))

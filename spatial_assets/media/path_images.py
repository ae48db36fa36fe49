"""Which image shows a view along viewpoints: it is made of the viewpoint's panorama, where that has one.

A view without is a camera that nobody can look through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from spatial_assets.geometry.viewpoints import VIEW_SIZE, looking, view_intrinsics
from spatial_assets.media.image_files import view_of
from spatial_assets.scene.view_names import heading_of

Panoramas = Mapping[str, tuple[str | None, Sequence[float] | None]]
"""By viewpoint the first image of its panorama, and its axes; None where it has none."""


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

"""The sun: where it stands, so that it shines in through a window."""

from __future__ import annotations

import math

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.studio.layout import Layout, Placed

ELEVATION = (math.radians(24), math.radians(46))
"""How high the sun stands: low enough to reach far into a room."""
SIDEWAYS = math.radians(50)
"""How far from straight ahead it shines through the window that it is chosen for."""


def normal_of(window: Placed) -> Float:
    """(2,), unit normal into the room."""
    return np.array([math.sin(window.yaw), -math.cos(window.yaw)])


def windows_of(layout: Layout) -> list[int]:
    """Indices of the windows among what is placed."""
    return [k for k, p in enumerate(layout.placed) if p.model.kind == "window"]


def sun_direction(layout: Layout, rng: np.random.Generator) -> Float | None:
    """Unit vector (3,) toward a sun that shines in through one of the windows; None where there are none."""
    windows = windows_of(layout)
    chance, turn, height = rng.random(3)
    if not windows:
        return None
    x, y = -normal_of(layout.placed[windows[int(chance * len(windows))]])
    azimuth = math.atan2(y, x) + SIDEWAYS * (2 * turn - 1)
    elevation = ELEVATION[0] + (ELEVATION[1] - ELEVATION[0]) * height
    flat = math.cos(elevation)
    return np.array([flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)])

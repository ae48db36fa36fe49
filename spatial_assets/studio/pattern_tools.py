"""Tools to paint patterns with: the registry, seamless noise, color ramps.

A pattern is an image of linear reflectance factors that a material's color multiplies. Row 0 is the top.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spatial_assets.scene.model import Float

SIZE = 256
"""Pixels along one side of a pattern."""

Pattern = Callable[[np.random.Generator], Float]
PATTERNS: dict[str, Pattern] = {}


def pattern(name: str) -> Callable[[Pattern], Pattern]:
    """Registers a generator of a (SIZE, SIZE) or (SIZE, SIZE, 3) image of factors in [0, 1]."""

    def register(f: Pattern) -> Pattern:
        PATTERNS[name] = f
        return f

    return register


def grid() -> tuple[Float, Float]:
    """x and y of the pixel centers in [0, 1), y down, (SIZE, SIZE) each."""
    t = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(t, t)
    return x, y


def noise(
    rng: np.random.Generator, roughness: float = 1.5, stretch: float = 1.0, cut: float = 128.0
) -> Float:
    """Seamless noise (SIZE, SIZE) in [0, 1]: white noise filtered by frequency ** -roughness; `stretch` > 1 draws it
    out along x.
    """
    white = rng.standard_normal((SIZE, SIZE))
    fy = np.fft.fftfreq(SIZE)[:, None] * SIZE
    fx = np.fft.rfftfreq(SIZE)[None, :] * SIZE * stretch
    f = np.hypot(fx, fy)
    f[0, 0] = 1.0
    gain = np.where(f <= cut, f**-roughness, 0.0)
    gain[0, 0] = 0.0
    image = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(SIZE, SIZE))
    low, high = np.percentile(image, [1, 99])
    return np.clip((image - low) / (high - low), 0, 1)


def colored(image: Float, *stops: tuple[float, float, float]) -> Float:
    """Maps values (...) in [0, 1] through evenly spaced colors, to (..., 3)."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(image, at, [s[c] for s in stops]) for c in range(3)], axis=-1)

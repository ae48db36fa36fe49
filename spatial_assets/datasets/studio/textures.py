"""Procedural patterns: what surfaces look like up close, as one atlas with its coarser copies.

A pattern is an image of linear reflectance factors that a material's colour multiplies. Patterns repeat
without a seam, except for those meant to be stretched over a patch once (pictures, screens). Row 0 is the
top. The atlas is the same for every scene and seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene import Float

SIZE = 256
"""Pixels along one side of a pattern's finest level."""
LEVELS = 7
"""Finest to coarsest: each level halves the one before."""
ATLAS_SEED = 20_240_101

Pattern = Callable[[np.random.Generator], Float]
PATTERNS: dict[str, Pattern] = {}


@dataclass(frozen=True)
class Atlas:
    """All patterns at all resolutions."""

    names: tuple[str, ...]
    pixels: NDArray[np.uint8]
    """(patterns, pixels of all levels, 3), levels one after another, rows first."""
    starts: NDArray[np.int64]
    """(LEVELS,), where a level begins."""
    mean: Float
    """(patterns, 3), the average factor."""

    def index(self, name: str) -> int:
        return self.names.index(name)


def pattern(name: str) -> Callable[[Pattern], Pattern]:
    """Registers a generator of a (SIZE, SIZE) or (SIZE, SIZE, 3) image of factors in [0, 1]."""

    def register(f: Pattern) -> Pattern:
        PATTERNS[name] = f
        return f

    return register


def _grid() -> tuple[Float, Float]:
    """x and y of the pixel centres in [0, 1), y down."""
    t = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(t, t)
    return x, y


def _noise(
    rng: np.random.Generator, roughness: float = 1.5, stretch: float = 1.0, cut: float = 128.0
) -> Float:
    """Seamless noise in [0, 1]: white noise filtered by frequency ** -roughness; `stretch` > 1 draws it out
    along x."""
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


def _colored(image: Float, *stops: tuple[float, float, float]) -> Float:
    """Maps values in [0, 1] through evenly spaced colours."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(image, at, [s[c] for s in stops]) for c in range(3)], axis=-1)


def _wood_grain(rng: np.random.Generator) -> Float:
    fibre = _noise(rng, 0.6, stretch=24)
    figure = _noise(rng, 2.2, stretch=5)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (figure * 7 + 0.35 * fibre))
    return 0.62 + 0.16 * rings + 0.2 * fibre


@pattern("plain")
def _plain(rng: np.random.Generator) -> Float:
    return 0.97 + 0.03 * _noise(rng, 0.8)


@pattern("plaster")
def _plaster(rng: np.random.Generator) -> Float:
    return 0.86 + 0.07 * _noise(rng, 0.35) + 0.07 * _noise(rng, 2.0)


@pattern("wallpaper")
def _wallpaper(rng: np.random.Generator) -> Float:
    x, y = _grid()
    motif = np.cos(2 * np.pi * 4 * x) * np.cos(2 * np.pi * 4 * y)
    flower = (motif > 0.72) | ((np.cos(2 * np.pi * 8 * x + 1) * np.cos(2 * np.pi * 4 * y + 2)) > 0.9)
    return 0.84 + 0.1 * _noise(rng, 0.5) * ~flower - 0.14 * flower


@pattern("stripes")
def _stripes(rng: np.random.Generator) -> Float:
    x, _ = _grid()
    return 0.9 - 0.22 * (np.sin(2 * np.pi * 6 * x) > 0.2) + 0.06 * _noise(rng, 0.3)


@pattern("checks")
def _checks(rng: np.random.Generator) -> Float:
    x, y = _grid()
    return 0.95 - 0.25 * ((x * 6) % 1 < 0.5) - 0.25 * ((y * 6) % 1 < 0.5) + 0.05 * _noise(rng, 0.3)


@pattern("wood")
def _wood(rng: np.random.Generator) -> Float:
    return _wood_grain(rng)


@pattern("planks")
def _planks(rng: np.random.Generator) -> Float:
    grain = _wood_grain(rng)
    rows = 8
    height = SIZE // rows
    out = np.empty((SIZE, SIZE))
    for r in range(rows):
        shift, joint = (int(k) for k in rng.integers(0, SIZE, 2))
        strip = np.roll(grain, shift, axis=1)[(r * 37) % (SIZE - height) :][:height].copy()
        x = np.arange(SIZE)
        left = ((x - joint) % SIZE) < SIZE // 2
        strip *= np.where(left, 0.82 + 0.18 * rng.random(), 0.82 + 0.18 * rng.random())
        strip[0] *= 0.45
        strip[:, joint] *= 0.45
        strip[:, (joint + SIZE // 2) % SIZE] *= 0.45
        out[r * height : (r + 1) * height] = strip
    return out


@pattern("tiles")
def _tiles(rng: np.random.Generator) -> Float:
    x, y = _grid()
    n = 4
    tone = rng.random((n, n))[(y * n).astype(int), (x * n).astype(int)]
    grout = ((x * n) % 1 < 0.03) | ((y * n) % 1 < 0.03)
    return np.where(grout, 0.45, 0.84 + 0.08 * tone + 0.07 * _noise(rng, 1.8))


@pattern("bricks")
def _bricks(rng: np.random.Generator) -> Float:
    x, y = _grid()
    row = (y * 8).astype(int)
    shifted = (x * 4 + 0.5 * (row % 2)) % 4
    tone = rng.random((8, 4))[row, shifted.astype(int)]
    mortar = ((y * 8) % 1 < 0.1) | (shifted % 1 < 0.05)
    return np.where(mortar, 0.9, 0.55 + 0.25 * tone + 0.12 * _noise(rng, 0.6))


@pattern("carpet")
def _carpet(rng: np.random.Generator) -> Float:
    return 0.6 + 0.28 * _noise(rng, 0.15) + 0.12 * _noise(rng, 1.8)


@pattern("fabric")
def _fabric(rng: np.random.Generator) -> Float:
    x, y = _grid()
    weave = 0.5 + 0.25 * np.sin(2 * np.pi * 40 * x) + 0.25 * np.sin(2 * np.pi * 40 * y)
    return 0.7 + 0.14 * weave + 0.1 * _noise(rng, 0.4) + 0.06 * _noise(rng, 2.0)


@pattern("leather")
def _leather(rng: np.random.Generator) -> Float:
    return 0.72 + 0.13 * _noise(rng, 0.9, cut=60) + 0.13 * np.abs(_noise(rng, 1.6) - 0.5) * 2


@pattern("marble")
def _marble(rng: np.random.Generator) -> Float:
    vein = np.abs(_noise(rng, 1.7) - 0.5) * 2
    return 0.6 + 0.34 * np.clip(vein * 3, 0, 1) + 0.06 * _noise(rng, 0.8)


@pattern("speckle")
def _speckle(rng: np.random.Generator) -> Float:
    return 0.68 + 0.3 * (_noise(rng, 0.1, cut=90) > 0.35) * _noise(rng, 0.4)


@pattern("metal")
def _metal(rng: np.random.Generator) -> Float:
    return 0.84 + 0.14 * _noise(rng, 0.3, stretch=40)


@pattern("wicker")
def _wicker(rng: np.random.Generator) -> Float:
    x, y = _grid()
    a = np.abs(np.sin(np.pi * 16 * x)) * (np.sin(2 * np.pi * 8 * y) > 0)
    b = np.abs(np.sin(np.pi * 16 * x + np.pi / 2)) * (np.sin(2 * np.pi * 8 * y) <= 0)
    return 0.4 + 0.45 * (a + b) * (0.6 + 0.4 * np.abs(np.sin(np.pi * 16 * y))) + 0.12 * _noise(rng, 0.6)


@pattern("cardboard")
def _cardboard(rng: np.random.Generator) -> Float:
    x, y = _grid()
    base = _colored(0.85 + 0.15 * _noise(rng, 0.7), (0.5, 0.33, 0.17), (1.0, 1.0, 1.0))
    base[np.abs(y - 0.5) < 0.07] *= (0.8, 0.75, 0.62)
    label = (np.abs(x - 0.75) < 0.12) & (np.abs(y - 0.22) < 0.1)
    base[label] = 1.0
    base[label & ((y * 40) % 1 < 0.4) & (x < 0.84)] = 0.2
    return base


@pattern("leaf")
def _leaf(rng: np.random.Generator) -> Float:
    x, y = _grid()
    rib = np.abs(x - 0.5) < 0.025
    side = np.abs(((y + 0.5 * np.abs(x - 0.5)) * 9) % 1 - 0.5) < 0.06
    return 0.72 + 0.2 * _noise(rng, 1.2) + 0.1 * rib + 0.06 * side - 0.06


@pattern("soil")
def _soil(rng: np.random.Generator) -> Float:
    return 0.45 + 0.5 * _noise(rng, 0.4)


@pattern("paper")
def _paper(rng: np.random.Generator) -> Float:
    x, y = _grid()
    page = np.full((SIZE, SIZE), 0.96)
    lines = 26
    ends = 0.6 + 0.3 * rng.random(lines)
    row = np.minimum((y * lines).astype(int), lines - 1)
    ink = ((y * lines) % 1 < 0.45) & (x > 0.1) & (x < ends[row]) & (y > 0.08) & (y < 0.94)
    page[ink & (_noise(rng, 0.3, cut=100) > 0.35)] = 0.25
    return page


@pattern("cover")
def _cover(rng: np.random.Generator) -> Float:
    x, y = _grid()
    out = 0.8 + 0.1 * _noise(rng, 1.0)
    out[(np.abs(y - 0.25) < 0.09) & (np.abs(x - 0.5) < 0.36)] = 1.0
    out[(np.abs(y - 0.25) < 0.04) & (np.abs(x - 0.5) < 0.28)] = 0.3
    out[np.hypot(x - 0.5, (y - 0.65)) < 0.2] = 0.45
    return out


@pattern("spine")
def _spine(rng: np.random.Generator) -> Float:
    x, y = _grid()
    out = 0.82 + 0.1 * _noise(rng, 0.8)
    out[np.abs(y - 0.12) < 0.02] = 1.0
    out[np.abs(y - 0.88) < 0.02] = 1.0
    out[(np.abs(x - 0.5) < 0.2) & (y > 0.25) & (y < 0.7) & ((y * 22) % 1 < 0.7)] = 1.0
    return out * (0.75 + 0.25 * np.sin(np.pi * x))


@pattern("pages")
def _pages(rng: np.random.Generator) -> Float:
    return 0.8 + 0.18 * _noise(rng, 0.1, stretch=60)


@pattern("keys")
def _keys(rng: np.random.Generator) -> Float:
    x, y = _grid()
    key = ((x * 15 + 0.35 * (y * 5).astype(int)) % 1 > 0.16) & ((y * 5) % 1 > 0.18)
    border = (x > 0.02) & (x < 0.98) & (y > 0.04) & (y < 0.96)
    space = (y > 0.84) & (x > 0.3) & (x < 0.62) & ((y * 5) % 1 > 0.18)
    return np.where((key | space) & border, 1.0, 0.35) - 0.05 * _noise(rng, 0.5)


@pattern("screen")
def _screen(rng: np.random.Generator) -> Float:
    x, y = _grid()
    out = _colored(0.6 * y + 0.4 * _noise(rng, 2.0), (0.05, 0.16, 0.35), (0.15, 0.45, 0.6))
    out[y > 0.94] = 0.08
    for x0, x1, y0, y1 in ((0.06, 0.55, 0.1, 0.75), (0.45, 0.93, 0.3, 0.88)):
        window = (x > x0) & (x < x1) & (y > y0) & (y < y1)
        out[window] = 0.92
        out[window & (y < y0 + 0.06)] = (0.25, 0.3, 0.42)
        text = window & (y > y0 + 0.1) & (((y - y0) * 24) % 1 < 0.4) & (x < x0 + 0.1 + 0.3 * _noise(rng, 1.0))
        out[text] = (0.15, 0.2, 0.3)
    return out


@pattern("film")
def _film(rng: np.random.Generator) -> Float:
    x, y = _grid()
    sky = _colored(y, (0.02, 0.05, 0.16), (0.25, 0.2, 0.3), (0.8, 0.4, 0.15))
    ridge = 0.62 + 0.12 * _noise(rng, 1.9)[SIZE // 2][None, :]
    out = np.where((y > ridge)[..., None], np.array([0.02, 0.03, 0.04]), sky)
    out[np.hypot(x - 0.68, y - 0.48) < 0.07] = (1.0, 0.75, 0.4)
    return out


@pattern("view")
def _view(rng: np.random.Generator) -> Float:
    x, y = _grid()
    cloud = np.clip(_noise(rng, 1.8, stretch=1.6) * 1.6 - 0.5, 0, 1)
    out = _colored(y, (0.42, 0.66, 1.0), (0.72, 0.86, 1.0), (0.95, 0.97, 1.0))
    out = out * (1 - cloud[..., None]) + cloud[..., None]
    trees = y > 0.66 + 0.1 * _noise(rng, 1.3)[40][None, :]
    green = _colored(_noise(rng, 0.9), (0.08, 0.2, 0.06), (0.3, 0.5, 0.16))
    out[trees] = green[trees]
    house = (np.abs(x - 0.3) < 0.12) & (y > 0.52) & (y < 0.85)
    out[house] = (0.75, 0.6, 0.5)
    out[(np.abs(x - 0.3) < 0.15 - 1.2 * np.abs(y - 0.52)) & (y < 0.53) & (y > 0.42)] = (0.45, 0.16, 0.12)
    out[house & ((x * 18) % 1 < 0.45) & ((y * 14) % 1 < 0.5)] = (0.2, 0.25, 0.35)
    return out


@pattern("mirror")
def _mirror(rng: np.random.Generator) -> Float:
    x, y = _grid()
    streak = np.clip(1 - np.abs(((x + 0.6 * y) * 1.4) % 1 - 0.5) * 5, 0, 1)
    return _colored(
        np.clip(0.55 * (1 - y) + 0.5 * streak + 0.05 * _noise(rng, 1.5), 0, 1),
        (0.4, 0.46, 0.5),
        (0.95, 0.98, 1.0),
    )


@pattern("clock")
def _clock(rng: np.random.Generator) -> Float:
    x, y = _grid()
    r, a = np.hypot(x - 0.5, y - 0.5), np.arctan2(x - 0.5, 0.5 - y)
    out = np.full((SIZE, SIZE), 0.97) - 0.02 * _noise(rng, 0.5)
    tick = (np.abs((a / (2 * np.pi) * 12 + 0.5) % 1 - 0.5) < 0.09) & (r > 0.36) & (r < 0.45)
    hour = (np.abs(np.angle(np.exp(1j * (a - 5.3)))) * r < 0.014) & (r < 0.24)
    minute = (np.abs(np.angle(np.exp(1j * (a - 1.05)))) * r < 0.01) & (r < 0.36)
    out[tick | hour | minute | (r < 0.03)] = 0.05
    return out


@pattern("scribble")
def _scribble(rng: np.random.Generator) -> Float:
    x, y = _grid()
    out = np.ones((SIZE, SIZE, 3)) * 0.98
    for color, level in (((0.1, 0.2, 0.7), 0.4), ((0.8, 0.1, 0.1), 0.6)):
        line = np.abs(_noise(rng, 1.8, cut=24) - level) < 0.006
        out[line & (x > 0.08) & (x < 0.92) & (y > 0.1) & (y < 0.9)] = color
    return out


def _rug(rng: np.random.Generator, stops: tuple[tuple[float, float, float], ...], bands: int) -> Float:
    x, y = _grid()
    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    diamond = np.abs((x * bands) % 1 - 0.5) + np.abs((y * bands) % 1 - 0.5)
    value = np.where(rim < 0.1, (rim * 22) % 1, 0.5 + 0.5 * np.sin(2 * np.pi * diamond * 2))
    return _colored(value, *stops) * (0.75 + 0.25 * _noise(rng, 0.2))[..., None]


@pattern("rug_red")
def _rug_red(rng: np.random.Generator) -> Float:
    return _rug(rng, ((0.3, 0.03, 0.04), (0.6, 0.12, 0.08), (0.85, 0.6, 0.35), (0.1, 0.1, 0.25)), 3)


@pattern("rug_blue")
def _rug_blue(rng: np.random.Generator) -> Float:
    return _rug(rng, ((0.85, 0.83, 0.75), (0.15, 0.25, 0.45), (0.45, 0.6, 0.7)), 4)


@pattern("rug_grey")
def _rug_grey(rng: np.random.Generator) -> Float:
    return _rug(rng, ((0.8, 0.78, 0.72), (0.35, 0.34, 0.33), (0.75, 0.7, 0.6)), 5)


def _painting(kind: int) -> Pattern:
    def paint(rng: np.random.Generator) -> Float:
        x, y = _grid()
        if kind % 3 == 0:
            out = _colored(y, *(tuple(rng.random(3) * 0.8 + 0.2) for _ in range(3)))
            for level in np.linspace(0.4, 0.85, 4):
                ridge = level + 0.16 * (_noise(rng, 1.8)[17][None, :] - 0.5)
                out[y > ridge] = rng.random(3) * (1.1 - level)
        elif kind % 3 == 1:
            out = np.ones((SIZE, SIZE, 3)) * (0.8 + 0.2 * rng.random(3))
            for _ in range(14):
                cx, cy, w, h = rng.random(4)
                out[(np.abs(x - cx) < w * 0.22) & (np.abs(y - cy) < h * 0.22)] = rng.random(3) ** 1.5
        else:
            out = _colored(_noise(rng, 1.9), *(tuple(rng.random(3)) for _ in range(6)))
            for _ in range(6):
                cx, cy, r = rng.random(3)
                out[np.hypot(x - cx, y - cy) < 0.05 + 0.12 * r] = rng.random(3)
        return np.clip(out * (0.85 + 0.15 * _noise(rng, 0.4))[..., None], 0, 1)

    return paint


PAINTINGS = tuple(f"painting_{k}" for k in range(9))
for _k, _name in enumerate(PAINTINGS):
    pattern(_name)(_painting(_k))


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """All patterns and their coarser copies, made once per process."""
    names = tuple(PATTERNS)
    levels = []
    for k, name in enumerate(names):
        image = PATTERNS[name](np.random.default_rng([ATLAS_SEED, k]))
        if image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=2)
        image = np.clip(image, 0, 1)
        chain = []
        for _ in range(LEVELS):
            chain.append(image.reshape(-1, 3))
            n = image.shape[0] // 2
            image = image.reshape(n, 2, n, 2, 3).mean(axis=(1, 3))
        levels.append(np.concatenate(chain))
    pixels = np.stack(levels)
    sizes = [(SIZE >> level) ** 2 for level in range(LEVELS)]
    return Atlas(
        names=names,
        pixels=np.round(pixels * 255).astype(np.uint8),
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        mean=pixels[:, : SIZE * SIZE].mean(axis=1),
    )

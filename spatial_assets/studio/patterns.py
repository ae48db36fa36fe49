"""Patterns that repeat without a seam: wood, cloth, tiles, plaster."""

from __future__ import annotations

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.studio.pattern_tools import SIZE, colored, grid, noise, pattern


def _wood_grain(rng: np.random.Generator) -> Float:
    fiber = noise(rng, 0.6, stretch=24)
    figure = noise(rng, 2.2, stretch=5)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (figure * 7 + 0.35 * fiber))
    return 0.62 + 0.16 * rings + 0.2 * fiber


@pattern("plain")
def _plain(rng: np.random.Generator) -> Float:
    return 0.97 + 0.03 * noise(rng, 0.8)


@pattern("plaster")
def _plaster(rng: np.random.Generator) -> Float:
    return 0.86 + 0.07 * noise(rng, 0.35) + 0.07 * noise(rng, 2.0)


@pattern("wallpaper")
def _wallpaper(rng: np.random.Generator) -> Float:
    x, y = grid()
    motif = np.cos(2 * np.pi * 4 * x) * np.cos(2 * np.pi * 4 * y)
    flower = (motif > 0.72) | ((np.cos(2 * np.pi * 8 * x + 1) * np.cos(2 * np.pi * 4 * y + 2)) > 0.9)
    return 0.84 + 0.1 * noise(rng, 0.5) * ~flower - 0.14 * flower


@pattern("stripes")
def _stripes(rng: np.random.Generator) -> Float:
    x, _ = grid()
    return 0.9 - 0.22 * (np.sin(2 * np.pi * 6 * x) > 0.2) + 0.06 * noise(rng, 0.3)


@pattern("checks")
def _checks(rng: np.random.Generator) -> Float:
    x, y = grid()
    return 0.95 - 0.25 * ((x * 6) % 1 < 0.5) - 0.25 * ((y * 6) % 1 < 0.5) + 0.05 * noise(rng, 0.3)


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
    x, y = grid()
    n = 4
    tone = rng.random((n, n))[(y * n).astype(int), (x * n).astype(int)]
    grout = ((x * n) % 1 < 0.03) | ((y * n) % 1 < 0.03)
    return np.where(grout, 0.45, 0.84 + 0.08 * tone + 0.07 * noise(rng, 1.8))


@pattern("bricks")
def _bricks(rng: np.random.Generator) -> Float:
    x, y = grid()
    row = (y * 8).astype(int)
    shifted = (x * 4 + 0.5 * (row % 2)) % 4
    tone = rng.random((8, 4))[row, shifted.astype(int)]
    mortar = ((y * 8) % 1 < 0.1) | (shifted % 1 < 0.05)
    return np.where(mortar, 0.9, 0.55 + 0.25 * tone + 0.12 * noise(rng, 0.6))


@pattern("carpet")
def _carpet(rng: np.random.Generator) -> Float:
    return 0.6 + 0.28 * noise(rng, 0.15) + 0.12 * noise(rng, 1.8)


@pattern("fabric")
def _fabric(rng: np.random.Generator) -> Float:
    x, y = grid()
    weave = 0.5 + 0.25 * np.sin(2 * np.pi * 40 * x) + 0.25 * np.sin(2 * np.pi * 40 * y)
    return 0.7 + 0.14 * weave + 0.1 * noise(rng, 0.4) + 0.06 * noise(rng, 2.0)


@pattern("leather")
def _leather(rng: np.random.Generator) -> Float:
    return 0.72 + 0.13 * noise(rng, 0.9, cut=60) + 0.13 * np.abs(noise(rng, 1.6) - 0.5) * 2


@pattern("marble")
def _marble(rng: np.random.Generator) -> Float:
    vein = np.abs(noise(rng, 1.7) - 0.5) * 2
    return 0.6 + 0.34 * np.clip(vein * 3, 0, 1) + 0.06 * noise(rng, 0.8)


@pattern("speckle")
def _speckle(rng: np.random.Generator) -> Float:
    return 0.68 + 0.3 * (noise(rng, 0.1, cut=90) > 0.35) * noise(rng, 0.4)


@pattern("metal")
def _metal(rng: np.random.Generator) -> Float:
    return 0.84 + 0.14 * noise(rng, 0.3, stretch=40)


@pattern("wicker")
def _wicker(rng: np.random.Generator) -> Float:
    x, y = grid()
    a = np.abs(np.sin(np.pi * 16 * x)) * (np.sin(2 * np.pi * 8 * y) > 0)
    b = np.abs(np.sin(np.pi * 16 * x + np.pi / 2)) * (np.sin(2 * np.pi * 8 * y) <= 0)
    return 0.4 + 0.45 * (a + b) * (0.6 + 0.4 * np.abs(np.sin(np.pi * 16 * y))) + 0.12 * noise(rng, 0.6)


@pattern("cardboard")
def _cardboard(rng: np.random.Generator) -> Float:
    x, y = grid()
    base = colored(0.85 + 0.15 * noise(rng, 0.7), (0.5, 0.33, 0.17), (1.0, 1.0, 1.0))
    base[np.abs(y - 0.5) < 0.07] *= (0.8, 0.75, 0.62)
    label = (np.abs(x - 0.75) < 0.12) & (np.abs(y - 0.22) < 0.1)
    base[label] = 1.0
    base[label & ((y * 40) % 1 < 0.4) & (x < 0.84)] = 0.2
    return base


@pattern("leaf")
def _leaf(rng: np.random.Generator) -> Float:
    x, y = grid()
    rib = np.abs(x - 0.5) < 0.025
    side = np.abs(((y + 0.5 * np.abs(x - 0.5)) * 9) % 1 - 0.5) < 0.06
    return 0.72 + 0.2 * noise(rng, 1.2) + 0.1 * rib + 0.06 * side - 0.06


@pattern("soil")
def _soil(rng: np.random.Generator) -> Float:
    return 0.45 + 0.5 * noise(rng, 0.4)

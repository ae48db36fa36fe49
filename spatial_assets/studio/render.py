"""Shading: turns face and depth images into color images, and vertices into vertex colors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.rasterize import PreparedMesh, prepare_mesh, rasterize
from spatial_assets.scene.model import Float, rigid_inverse
from spatial_assets.studio.mesh import StudioMesh
from spatial_assets.studio.pattern_tools import SIZE
from spatial_assets.studio.textures import Atlas, atlas

TONES = 4096
"""Entries of the table from linear light to 8-bit sRGB."""
MOST_LIGHT = 1.6
"""Linear light that the table ends with; it is white well before."""
VERTEX_LEVEL = 3
"""The level of a pattern that vertex colors show: pixels of a few centimeters, like a scan's faces."""


def linear(srgb: Float) -> Float:
    """sRGB values (...) in [0, 1] to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _tone_table() -> NDArray[np.uint8]:
    """Linear light in [0, MOST_LIGHT] to 8-bit sRGB, with a shoulder so that bright walls keep their pattern."""
    x = np.arange(TONES) / (TONES - 1) * MOST_LIGHT
    soft = np.where(x < 0.6, x, 0.6 + 0.4 * (1 - np.exp(-(x - 0.6) / 0.4)))
    srgb = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055)
    return np.round(np.clip(srgb, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Shader:
    """A scene ready to be rendered."""

    prepared: PreparedMesh
    affine: NDArray[np.float32]
    """(F, 2, 4): the second and third barycentric coordinate as affine functions of the world position."""
    faces: NDArray[np.int32]
    attributes: NDArray[np.float32]
    """(V, 5): u, v in repeats of the pattern, and light by channel."""
    texture: NDArray[np.int32]
    """(F,), index into the atlas."""
    color: NDArray[np.float32]
    """(F, 3), linear."""
    texels: NDArray[np.float32]
    """(F,), repeats per meter."""
    normals: NDArray[np.float32]
    """(F, 3), unit normals, for the slant at which a surface is seen."""
    tones: NDArray[np.uint8]
    atlas: Atlas


def _affine(vertices: Float, faces: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Barycentric coordinates as affine functions of position, (F, 2, 4), and unit normals, (F, 3).

    With e1, e2 the edges from corner a and n = e1 x e2: beta = (p - a) . (e2 x n) / n.n and
    gamma = (p - a) . (n x e1) / n.n.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    n = np.cross(b - a, c - a)
    square = np.maximum(np.einsum("ij,ij->i", n, n), 1e-30)[:, None]
    out = np.empty((len(faces), 2, 4))
    for k, gradient in enumerate((np.cross(c - a, n) / square, np.cross(n, b - a) / square)):
        out[:, k, :3] = gradient
        out[:, k, 3] = -np.einsum("ij,ij->i", gradient, a)
    return out.astype(np.float32), (n / np.sqrt(square)).astype(np.float32)


@kernel
def _shade(
    face_id: NDArray[np.int32],
    depth: NDArray[np.float32],
    intrinsics: Float,
    pose: Float,
    affine: NDArray[np.float32],
    normals: NDArray[np.float32],
    faces: NDArray[np.int32],
    attributes: NDArray[np.float32],
    texture: NDArray[np.int32],
    color: NDArray[np.float32],
    texels: NDArray[np.float32],
    pixels: NDArray[np.uint8],
    starts: NDArray[np.int64],
    tones: NDArray[np.uint8],
    size: int,
    most: float,
    out: NDArray[np.uint8],
) -> None:
    """Writes the color image (H, W, 3); pixels without a face become black."""
    height, width = face_id.shape
    levels = starts.shape[0]
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    scale = (tones.shape[0] - 1) / most / 255.0
    last = tones.shape[0] - 1
    for y in range(height):
        b = (y + 0.5 - cy) / fy
        for x in range(width):
            f = face_id[y, x]
            if f < 0:
                out[y, x, 0] = 0
                out[y, x, 1] = 0
                out[y, x, 2] = 0
                continue
            z = np.float64(depth[y, x])
            a = (x + 0.5 - cx) / fx
            rx = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2]
            ry = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2]
            rz = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2]
            px, py, pz = pose[0, 3] + z * rx, pose[1, 3] + z * ry, pose[2, 3] + z * rz
            second = affine[f, 0, 0] * px + affine[f, 0, 1] * py + affine[f, 0, 2] * pz + affine[f, 0, 3]
            third = affine[f, 1, 0] * px + affine[f, 1, 1] * py + affine[f, 1, 2] * pz + affine[f, 1, 3]
            # Depth is rounded to float32, so a point may lie a hair outside its face.
            second = min(max(second, 0.0), 1.0)
            third = min(max(third, 0.0), 1.0 - second)
            first = 1.0 - second - third
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            u = first * attributes[i, 0] + second * attributes[j, 0] + third * attributes[k, 0]
            v = first * attributes[i, 1] + second * attributes[j, 1] + third * attributes[k, 1]
            slant = abs(normals[f, 0] * rx + normals[f, 1] * ry + normals[f, 2] * rz) / math.sqrt(
                rx * rx + ry * ry + rz * rz
            )
            # A surface seen aslant is squeezed one way only: the square root is between both.
            per_pixel = size * texels[f] * z / fx / math.sqrt(max(slant, 0.05))
            level = 0
            while per_pixel > 1.4 and level < levels - 1:
                per_pixel *= 0.5
                level += 1
            n = size >> level
            s, t = u * n - 0.5, (1.0 - v) * n - 0.5
            fs, ft = math.floor(s), math.floor(t)
            ws, wt = s - fs, t - ft
            x0, y0 = int(fs) & (n - 1), int(ft) & (n - 1)
            x1, y1 = (x0 + 1) & (n - 1), (y0 + 1) & (n - 1)
            p = starts[level]
            pattern = texture[f]
            p00, p01, p10, p11 = p + y0 * n + x0, p + y0 * n + x1, p + y1 * n + x0, p + y1 * n + x1
            w00, w01, w10, w11 = (1 - ws) * (1 - wt), ws * (1 - wt), (1 - ws) * wt, ws * wt
            for c in range(3):
                factor = (
                    w00 * pixels[pattern, p00, c]
                    + w01 * pixels[pattern, p01, c]
                    + w10 * pixels[pattern, p10, c]
                    + w11 * pixels[pattern, p11, c]
                )
                light = (
                    first * attributes[i, 2 + c]
                    + second * attributes[j, 2 + c]
                    + third * attributes[k, 2 + c]
                )
                tone = int(factor * light * color[f, c] * scale)
                out[y, x, c] = tones[min(tone, last)]


def shader(mesh: StudioMesh, light: NDArray[np.float32]) -> Shader:
    """Prepares a mesh with its baked light (V, 3) for rendering."""
    patterns = atlas(m.texture for m in mesh.materials)
    affine, normals = _affine(mesh.vertices, mesh.faces)
    texture = np.array([patterns.index(m.texture) for m in mesh.materials], np.int32)
    color = linear(np.array([m.color for m in mesh.materials], dtype=np.float64)).astype(np.float32)
    return Shader(
        prepared=prepare_mesh(mesh.vertices, mesh.faces),
        affine=affine,
        normals=normals,
        faces=mesh.faces,
        attributes=np.concatenate([mesh.uv, light], axis=1, dtype=np.float32),
        texture=texture[mesh.material],
        color=color[mesh.material],
        texels=mesh.texels,
        tones=_tone_table(),
        atlas=patterns,
    )


def render(
    scene: Shader, intrinsics: Float, pose: Float, width: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
    """Color (H, W, 3), depth (H, W) in meters (inf = none) and face (H, W) (-1 = none) from a camera-to-
    world pose."""
    face_id, depth = rasterize(scene.prepared, intrinsics, rigid_inverse(pose), width, height)
    out = np.empty((height, width, 3), np.uint8)
    _shade(
        face_id,
        depth,
        intrinsics,
        pose,
        scene.affine,
        scene.normals,
        scene.faces,
        scene.attributes,
        scene.texture,
        scene.color,
        scene.texels,
        scene.atlas.pixels,
        scene.atlas.starts,
        scene.tones,
        SIZE,
        MOST_LIGHT,
        out,
    )
    return out, depth, face_id


def vertex_colors(mesh: StudioMesh, light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(V, 3) sRGB: each vertex under its light, with the pattern as seen from some way off."""
    patterns = atlas(m.texture for m in mesh.materials)
    texture = np.array([patterns.index(m.texture) for m in mesh.materials])[mesh.vertex_material]
    color = linear(np.array([m.color for m in mesh.materials], dtype=np.float64))[mesh.vertex_material]
    # A level whose pixels are about as large as the mesh's faces.
    n = SIZE >> VERTEX_LEVEL
    x = np.floor(mesh.uv[:, 0] * n).astype(np.int64) % n
    y = np.floor((1 - mesh.uv[:, 1]) * n).astype(np.int64) % n
    factor = patterns.pixels[texture, patterns.starts[VERTEX_LEVEL] + y * n + x] / 255.0
    tone = (factor * color * light * ((TONES - 1) / MOST_LIGHT)).astype(np.int64)
    return _tone_table()[np.minimum(tone, TONES - 1)]

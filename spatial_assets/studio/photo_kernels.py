"""The loops of full quality: what one point of a surface sends to the camera, contact shadows, and development."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import inlined, numpy_kernel
from spatial_assets.scene.model import Float

SPREAD = 8
"""Samples that a pixel's contact shadow is measured with."""
TURNS = 16
"""Ways that the spiral of samples is turned, one for each of 4 x 4 neighbors."""
_ANGLES = np.arange(TURNS)[:, None] * (2 * np.pi / TURNS) + np.arange(SPREAD) * (np.pi * (3 - np.sqrt(5.0)))
SPIRAL = ((np.arange(SPREAD) + 0.5) / SPREAD)[None, :, None] * np.stack(
    [np.cos(_ANGLES), np.sin(_ANGLES)], axis=2
)
"""(TURNS, SPREAD, 2) x and y of the samples, against the radius."""
REACH = 0.22
"""Meters within which things shade each other where they touch."""
WIDEST, NARROWEST = 40.0, 3.0
"""Pixels of the half-size image that REACH may span."""
STRENGTH = 1.7
"""How dark a contact shadow is."""
STEP = 0.06
"""Meters between two looks at what is in the way of a mirrored window."""
PENUMBRA = 0.007
"""Meters that the edge of sunlight softens by for each meter from the window's frame."""
SUN_SLACK = 0.025
"""Meters that a surface may lie behind what the sun sees: the sun's picture is coarse."""
CEILING_SHARE, FLOOR_SHARE = 0.75, 0.3
"""Light of a room's upper and lower half, against its mean, as a glossy surface mirrors it."""


@numpy_kernel
def contact(
    depth: NDArray[np.float32],
    face_id: NDArray[np.int32],
    normals: NDArray[np.float32],
    intrinsics: Float,
    pose: Float,
    spiral: Float,
) -> NDArray[np.float32]:
    """(H/2, W/2) share of light that reaches a pixel past what is near it in the image.

    The estimator of McGuire et al., "The Alchemy Screen-Space Ambient Obscurance Algorithm", 2011, on every
    second pixel, each of 4 x 4 neighbors with a spiral turned another way, then averaged over such a block.
    """
    height, width = depth.shape[0] // 2, depth.shape[1] // 2
    raw = np.ones((height, width), np.float32)
    far = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            far[y, x] = depth[2 * y, 2 * x]
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    for y in range(height):
        for x in range(width):
            f = face_id[2 * y, 2 * x]
            if f < 0:
                continue
            z = np.float64(far[y, x])
            a, b = (2 * x + 0.5 - cx) / fx, (2 * y + 0.5 - cy) / fy
            # The normal in the camera's axes, toward the camera.
            nx = pose[0, 0] * normals[f, 0] + pose[1, 0] * normals[f, 1] + pose[2, 0] * normals[f, 2]
            ny = pose[0, 1] * normals[f, 0] + pose[1, 1] * normals[f, 1] + pose[2, 1] * normals[f, 2]
            nz = pose[0, 2] * normals[f, 0] + pose[1, 2] * normals[f, 1] + pose[2, 2] * normals[f, 2]
            if nx * a + ny * b + nz > 0.0:
                nx, ny, nz = -nx, -ny, -nz
            radius = min(max(REACH * fx / z / 2.0, NARROWEST), WIDEST)
            turn = (x & 3) * 4 + (y & 3)
            # Heights over the surface, by what the ray's direction and the plane's own height give.
            level = z * (a * nx + b * ny + nz)
            slack = 0.002 * z + 0.004
            total = 0.0
            for s in range(SPREAD):
                sx = x + int(radius * spiral[turn, s, 0])
                sy = y + int(radius * spiral[turn, s, 1])
                if sx < 0 or sy < 0 or sx >= width or sy >= height:
                    continue
                q = np.float64(far[sy, sx])
                qa, qb = (2 * sx + 0.5 - cx) / fx, (2 * sy + 0.5 - cy) / fy
                above = q * (qa * nx + qb * ny + nz) - level - slack
                if above > 0.0:
                    vx, vy, vz = qa * q - a * z, qb * q - b * z, q - z
                    square = vx * vx + vy * vy + vz * vz
                    if square < REACH * REACH:
                        total += above / (square + 0.0006)
            raw[y, x] = max(0.0, 1.0 - STRENGTH * 0.5 * REACH * total / SPREAD)
    out = np.ones((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            z = far[y, x]
            allowed = np.float32(0.04) * z
            total32, weight = np.float32(0.0), np.float32(0.0)
            for sy in range(max(y - 2, 0), min(y + 2, height)):
                for sx in range(max(x - 2, 0), min(x + 2, width)):
                    if abs(far[sy, sx] - z) < allowed:
                        total32 += raw[sy, sx]
                        weight += np.float32(1.0)
            if weight > 0.0:
                out[y, x] = total32 / weight
    return out


@inlined
def _in_sun(
    px: float, py: float, pz: float, sun: Float, w: int, corner: Float, along: Float, inward: Float, size: Float,
    views: Float, depths: NDArray[np.float32],
) -> float:  # fmt: skip
    """The share of the sun's disc that a point sees through window w."""
    slant = -(inward[w, 0] * sun[0] + inward[w, 1] * sun[1])
    away = inward[w, 0] * (px - corner[w, 0]) + inward[w, 1] * (py - corner[w, 1])
    if away < 0.0:
        return 0.0
    t = away / slant
    dx, dy = px + t * sun[0] - corner[w, 0], py + t * sun[1] - corner[w, 1]
    u, v = dx * along[w, 0] + dy * along[w, 1], pz + t * sun[2] - corner[w, 2]
    rim = min(min(u, size[w, 0] - u), min(v, size[w, 1] - v))
    soft = 0.004 + PENUMBRA * t
    if rim < -soft:
        return 0.0
    edge = min(1.0, 0.5 + 0.5 * rim / soft)
    depth = views[w, 2, 0] * px + views[w, 2, 1] * py + views[w, 2, 2] * pz + views[w, 2, 3]
    x = (views[w, 0, 0] * px + views[w, 0, 1] * py + views[w, 0, 2] * pz + views[w, 0, 3]) / depth
    y = (views[w, 1, 0] * px + views[w, 1, 1] * py + views[w, 1, 2] * pz + views[w, 1, 3]) / depth
    n = depths.shape[1]
    lit = 0
    step = 1 + int(t * 0.7)
    for oy in range(-1, 2):
        for ox in range(-1, 2):
            sx = min(max(int(x) + ox * step, 0), n - 1)
            sy = min(max(int(y) + oy * step, 0), n - 1)
            if depth <= depths[w, sy, sx] + SUN_SLACK:
                lit += 1
    return edge * lit / 9.0


@inlined
def _free(
    px: float, py: float, pz: float, dx: float, dy: float, dz: float, far: float, origin: Float, cell: float,
    solid: NDArray[np.bool_],
) -> bool:  # fmt: skip
    """Whether nothing solid lies on a way of `far` meters, its ends aside."""
    t = 2.5 * STEP
    while t < far - 2.5 * STEP:
        x = int((px + t * dx - origin[0]) / cell)
        y = int((py + t * dy - origin[1]) / cell)
        z = int((pz + t * dz - origin[2]) / cell)
        if x < 0 or y < 0 or z < 0 or x >= solid.shape[0] or y >= solid.shape[1] or z >= solid.shape[2]:
            return True
        if solid[x, y, z]:
            return False
        t += STEP
    return True


@numpy_kernel
def expose(
    fine_face: NDArray[np.int32], fine_depth: NDArray[np.float32], shade: NDArray[np.float32],
    intrinsics: Float, pose: Float, vertices: Float, patch: NDArray[np.int32],
    affine: NDArray[np.float32], normals: NDArray[np.float32], faces: NDArray[np.int32],
    attributes: NDArray[np.float32], texture: NDArray[np.int32], color: NDArray[np.float32],
    texels: NDArray[np.float32], looks: Float, pixels: NDArray[np.uint8], starts: NDArray[np.int64], size_of: int,
    mean: float, sun: Float, sun_color: Float, corner: Float, along: Float, inward: Float, size: Float,
    sunny: NDArray[np.bool_], views: Float, depths: NDArray[np.float32], lamps: Float, lamp_colors: Float,
    origin: Float, cell: float, solid: NDArray[np.bool_], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Linear light (H, W, 3) at each pixel, from a picture of twice its size (2H, 2W).

    Every patch that is seen in a pixel is shaded once, where its samples lie, and counts by their number: inside
    a patch the pattern's levels have smoothed it already. `shade` is what `contact` gave.
    """
    height, width = out.shape[0], out.shape[1]
    levels = starts.shape[0]
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    ox, oy, oz = pose[0, 3], pose[1, 3], pose[2, 3]
    for y in range(height):
        for x in range(width):
            red, green, blue = 0.0, 0.0, 0.0
            done = 0
            for s in range(4):
                if (done >> s) & 1:
                    continue
                f = fine_face[2 * y + (s >> 1), 2 * x + (s & 1)]
                if f < 0:
                    continue
                count, ax, ay = 0, 0.0, 0.0
                right, below, across = (
                    fine_face[2 * y, 2 * x + 1],
                    fine_face[2 * y + 1, 2 * x],
                    fine_face[2 * y + 1, 2 * x + 1],
                )
                if s == 0 and f == right and f == below and f == across:
                    count, ax, ay, done = 4, 2.0, 2.0, 15
                else:
                    own_patch = patch[f]
                    for o in range(s, 4):
                        other = fine_face[2 * y + (o >> 1), 2 * x + (o & 1)]
                        if other >= 0 and patch[other] == own_patch:
                            done |= 1 << o
                            count += 1
                            ax += 0.25 + 0.5 * (o & 1)
                            ay += 0.25 + 0.5 * (o >> 1)
                a, b = (x + ax / count - cx) / fx, (y + ay / count - cy) / fy
                rx = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2]
                ry = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2]
                rz = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2]
                i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
                facing = normals[f, 0] * rx + normals[f, 1] * ry + normals[f, 2] * rz
                z = np.float64(fine_depth[2 * y + (s >> 1), 2 * x + (s & 1)])
                if abs(facing) > 0.02:
                    met = (
                        normals[f, 0] * (vertices[i, 0] - ox)
                        + normals[f, 1] * (vertices[i, 1] - oy)
                        + normals[f, 2] * (vertices[i, 2] - oz)
                    ) / facing
                    z = min(max(met, 0.9 * z), 1.1 * z)
                px, py, pz = ox + z * rx, oy + z * ry, oz + z * rz
                second = affine[f, 0, 0] * px + affine[f, 0, 1] * py + affine[f, 0, 2] * pz + affine[f, 0, 3]
                third = affine[f, 1, 0] * px + affine[f, 1, 1] * py + affine[f, 1, 2] * pz + affine[f, 1, 3]
                second = min(max(second, 0.0), 1.0)
                third = min(max(third, 0.0), 1.0 - second)
                first = 1.0 - second - third
                u = first * attributes[i, 0] + second * attributes[j, 0] + third * attributes[k, 0]
                v = first * attributes[i, 1] + second * attributes[j, 1] + third * attributes[k, 1]
                nx = first * attributes[i, 5] + second * attributes[j, 5] + third * attributes[k, 5]
                ny = first * attributes[i, 6] + second * attributes[j, 6] + third * attributes[k, 6]
                nz = first * attributes[i, 7] + second * attributes[j, 7] + third * attributes[k, 7]
                far = 1.0 / math.sqrt(rx * rx + ry * ry + rz * rz)
                long = 1.0 / math.sqrt(max(nx * nx + ny * ny + nz * nz, 1e-12))
                dx, dy, dz = rx * far, ry * far, rz * far
                nx, ny, nz = nx * long, ny * long, nz * long
                cosine = -(dx * nx + dy * ny + dz * nz)
                # A thin sheet is seen from both sides.
                if facing > 0.0:
                    nx, ny, nz, cosine = -nx, -ny, -nz, -cosine
                cosine = max(cosine, 0.02)
                per_pixel = size_of * texels[f] * z / fx / math.sqrt(max(abs(facing) * far, 0.05))
                level = 0
                while per_pixel > 1.4 and level < levels - 1:
                    per_pixel *= 0.5
                    level += 1
                n = size_of >> level
                su, tv = u * n - 0.5, (1.0 - v) * n - 0.5
                fs, ft = math.floor(su), math.floor(tv)
                ws, wt = su - fs, tv - ft
                x0, y0 = int(fs) & (n - 1), int(ft) & (n - 1)
                x1, y1 = (x0 + 1) & (n - 1), (y0 + 1) & (n - 1)
                p = starts[level]
                pattern = texture[f]
                p00, p01, p10, p11 = p + y0 * n + x0, p + y0 * n + x1, p + y1 * n + x0, p + y1 * n + x1
                w00, w01, w10, w11 = (1 - ws) * (1 - wt), ws * (1 - wt), (1 - ws) * wt, ws * wt
                near = np.float64(shade[min(y >> 1, shade.shape[0] - 1), min(x >> 1, shade.shape[1] - 1)])
                gloss, rough, glow = looks[texture[f], 0], looks[texture[f], 1], looks[texture[f], 2]
                sunlight = 0.0
                for w in range(sunny.shape[0]):
                    if sunny[w] and glow == 0.0:
                        tilt = nx * sun[0] + ny * sun[1] + nz * sun[2]
                        if tilt > 0.0:
                            sunlight += tilt * _in_sun(
                                px, py, pz, sun, w, corner, along, inward, size, views, depths
                            )
                mirrored, fresnel = 0.0, 0.0
                glint_r, glint_g, glint_b = 0.0, 0.0, 0.0
                if gloss > 0.0:
                    # Schlick's approximation, flatter the rougher the surface is.
                    aslant = (1.0 - cosine) * (1.0 - cosine)
                    aslant *= aslant * (1.0 - cosine)
                    fresnel = gloss + (1.0 - gloss) * aslant * (1.0 - rough) * (1.0 - rough)
                    qx, qy, qz = dx + 2 * cosine * nx, dy + 2 * cosine * ny, dz + 2 * cosine * nz
                    half = 0.5 + 0.5 * min(max(2.0 * qz, -1.0), 1.0)
                    mirrored = near * mean * (FLOOR_SHARE + (CEILING_SHARE - FLOOR_SHARE) * half)
                    for w in range(sunny.shape[0]):
                        ahead = -(qx * inward[w, 0] + qy * inward[w, 1])
                        if ahead < 0.05:
                            continue
                        away = inward[w, 0] * (px - corner[w, 0]) + inward[w, 1] * (py - corner[w, 1])
                        t = away / ahead
                        if t < 0.15 or t > 9.0:
                            continue
                        du, dv = px + t * qx - corner[w, 0], py + t * qy - corner[w, 1]
                        at_u, at_v = du * along[w, 0] + dv * along[w, 1], pz + t * qz - corner[w, 2]
                        soft = 0.02 + rough * t
                        over_u = min(at_u, size[w, 0] - at_u) / soft
                        over_v = min(at_v, size[w, 1] - at_v) / soft
                        if over_u > -1.0 and over_v > -1.0:
                            share = min(1.0, 0.5 + 0.5 * over_u) * min(1.0, 0.5 + 0.5 * over_v)
                            if _free(px, py, pz, qx, qy, qz, t, origin, cell, solid):
                                mirrored += 2.2 * share
                    for m in range(lamps.shape[0]):
                        tx, ty, tz = lamps[m, 0] - px, lamps[m, 1] - py, lamps[m, 2] - pz
                        t = tx * qx + ty * qy + tz * qz
                        if t > 0.1:
                            off = tx * tx + ty * ty + tz * tz - t * t
                            wide = 0.07 + 0.5 * rough * t
                            if off < 6 * wide * wide:
                                bright = 4.0 * 0.0049 / (wide * wide) * math.exp(-off / (wide * wide))
                                glint_r += bright * lamp_colors[m, 0]
                                glint_g += bright * lamp_colors[m, 1]
                                glint_b += bright * lamp_colors[m, 2]
                for c in range(3):
                    factor = (
                        w00 * pixels[pattern, p00, c]
                        + w01 * pixels[pattern, p01, c]
                        + w10 * pixels[pattern, p10, c]
                        + w11 * pixels[pattern, p11, c]
                    ) * (1.0 / 255.0)
                    lit = (
                        first * attributes[i, 2 + c]
                        + second * attributes[j, 2 + c]
                        + third * attributes[k, 2 + c]
                    )
                    own = factor * color[f, c]
                    glint = glint_r if c == 0 else (glint_g if c == 1 else glint_b)
                    # Metals color what they mirror.
                    tint = own if gloss > 0.2 else 1.0
                    value = own * (lit * near + sunlight * sun_color[c] + glow)
                    value = (1.0 - fresnel) * value + fresnel * tint * (mirrored + glint)
                    if c == 0:
                        red += count * 0.25 * value
                    elif c == 1:
                        green += count * 0.25 * value
                    else:
                        blue += count * 0.25 * value
            out[y, x, 0] = red
            out[y, x, 1] = green
            out[y, x, 2] = blue


@numpy_kernel
def develop(
    light: NDArray[np.float32], bloom: NDArray[np.float32], grain: NDArray[np.int8], shift: NDArray[np.int64],
    gain: float, shot: float, read: float, vignette: float, tones: NDArray[np.uint8], most: float,
) -> NDArray[np.uint8]:  # fmt: skip
    """8-bit sRGB (H, W, 3) of linear light: lens falloff, exposure, the sensor's noise, tone curve.

    `bloom` (H, W) is light that the lens scatters; `grain` (S, S, 3) is standard normal noise times 32, `shift` (2,)
    where a frame begins in it.
    """
    height, width = light.shape[0], light.shape[1]
    out = np.empty((height, width, 3), np.uint8)
    n = grain.shape[0]
    scale, last = (tones.shape[0] - 1) / most, tones.shape[0] - 1
    corner = 4.0 / (height * height + width * width)
    for y in range(height):
        gy = (y + shift[0]) % n
        for x in range(width):
            gx = (x + shift[1]) % n
            square = ((x - width / 2.0) ** 2 + (y - height / 2.0) ** 2) * corner
            lens = gain * (1.0 - vignette * square)
            for c in range(3):
                value = lens * (light[y, x, c] + bloom[y, x])
                value += grain[gy, gx, c] / 32.0 * math.sqrt(shot * value + read)
                tone = int(value * scale)
                out[y, x, c] = tones[min(max(tone, 0), last)]
    return out

"""Kernels of a truncated signed distance field in blocks of voxels: what depth images add to it, and its surface.

A block has BLOCK voxels on a side, in one row of each array with x first. A voxel's value is how far its place lies
before the surface along the camera's axis: 1 and -1 are half the width of the band around it.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel

BLOCK = 8
"""Larger blocks hold more voxels that no surface is near to, smaller ones have to be looked up more often."""
VOXELS = BLOCK**3
OUTSIDE, INSIDE = np.uint8(1), np.uint8(2)
"""Before a surface, and behind it."""
KEY_BITS = 21
"""Of each coordinate of a block in its key."""
KEY_MIDDLE = 1 << (KEY_BITS - 1)
"""The key's coordinate of the block at the origin."""
KEY_MASK = (1 << KEY_BITS) - 1


@kernel
def touched_blocks(depth, step, inverse, camera_to_world, side, depth_max, band, keys):
    """Writes the keys of blocks of `side` meters that the band around every `step`-th pixel's surface lies in.

    depth (H, W), meters; inverse (3, 3): of the intrinsics; camera_to_world (4, 4), meters. Three places of the band
    are taken: it is narrower than two blocks. Returns how many keys there are, with repetitions; places that are
    beyond all keys are left out.
    """
    height, width = depth.shape
    last = np.full(3, -1, np.int64)
    count = 0
    for row in range(step // 2, height, step):
        for column in range(step // 2, width, step):
            z = np.float64(depth[row, column])
            if not 0 < z <= depth_max:
                continue
            x, y = column + 0.5, row + 0.5
            for part in range(3):
                far = max(z + (part - 1) * band, 0.0)
                a = far * (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2])
                b = far * (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2])
                c = far * (inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2])
                key = np.int64(0)
                for axis in range(3):
                    place = (
                        camera_to_world[axis, 0] * a + camera_to_world[axis, 1] * b
                        + camera_to_world[axis, 2] * c + camera_to_world[axis, 3]
                    )  # fmt: skip
                    at = np.floor(place / side) + KEY_MIDDLE
                    # The outermost blocks are left out, so that every block has keys for its neighbors.
                    if not 1 <= at < KEY_MASK:
                        key = np.int64(-1)
                        break
                    key = key << KEY_BITS | np.int64(at)
                if key >= 0 and key != last[part]:
                    last[part] = key
                    keys[count] = key
                    count += 1
    return count


@kernel
def add_depth(places, slots, depth, projection, voxel, depth_max, band, values, weights):
    """Averages one depth image into the blocks at places (N, 3), which are kept in the rows `slots` of the arrays.

    projection (3, 4): from the world to pixels times depth. Behind the band nothing is known.
    """
    height, width = depth.shape
    for number in range(len(slots)):
        slot = slots[number]
        for index in range(VOXELS):
            i, j, k = index % BLOCK, index // BLOCK % BLOCK, index // (BLOCK * BLOCK)
            x = (places[number, 0] * BLOCK + i) * voxel
            y = (places[number, 1] * BLOCK + j) * voxel
            z = (places[number, 2] * BLOCK + k) * voxel
            far = projection[2, 0] * x + projection[2, 1] * y + projection[2, 2] * z + projection[2, 3]
            if far <= 0:
                continue
            u = (projection[0, 0] * x + projection[0, 1] * y + projection[0, 2] * z + projection[0, 3]) / far
            v = (projection[1, 0] * x + projection[1, 1] * y + projection[1, 2] * z + projection[1, 3]) / far
            if not (0 <= u < width and 0 <= v < height):
                continue
            seen = depth[np.int64(v), np.int64(u)]
            if not 0 < seen <= depth_max or seen - far < -band:
                continue
            value = np.float32(min(1.0, (seen - far) / band))
            weight = weights[slot, index]
            values[slot, index] = (values[slot, index] * weight + value) / (weight + np.float32(1))
            weights[slot, index] = weight + np.float32(1)


@kernel
def sides(values, weights, min_weight):
    """(blocks, VOXELS) uint8: OUTSIDE or INSIDE the surface, 0 where it is not known; values and weights are of that
    shape.
    """
    found = np.zeros(values.shape, np.uint8)
    for block in range(len(values)):
        for index in range(VOXELS):
            if weights[block, index] > min_weight:
                found[block, index] = OUTSIDE if values[block, index] >= 0 else INSIDE
    return found


@kernel
def surface_points(blocks, behind, side, values, voxel, numbers, points):
    """Writes to points (P, 3) one place for each cell of eight voxels that the surface goes through: the middle of
    where it cuts those of the cell's edges whose ends are known. Their numbers go into numbers (blocks, VOXELS), -1
    where there is none.

    blocks (B, 3): where blocks lie. behind (B, 8): rows of the blocks behind each, x first; -1 where there is none.
    Returns how many, which may be more than `points` has room for: the rest is counted and not written.
    """
    corner, known = np.empty(8, np.float64), np.empty(8, np.uint8)
    offsets = np.empty(8, np.int64)
    for place in range(8):
        offsets[place] = (place & 1) + BLOCK * (place >> 1 & 1) + BLOCK * BLOCK * (place >> 2)
    count = 0
    for block in range(len(blocks)):
        for index in range(VOXELS):
            numbers[block, index] = -1
            i, j, k = index % BLOCK, index // BLOCK % BLOCK, index // (BLOCK * BLOCK)
            last = (i == BLOCK - 1) | (j == BLOCK - 1) << 1 | (k == BLOCK - 1) << 2
            both = np.uint8(0)
            for place in range(8):
                if last == 0:
                    known[place] = side[block, index + offsets[place]]
                else:
                    beyond = last & place
                    row = behind[block, beyond]
                    known[place] = side[row, index + offsets[place] - _wrapped(beyond)] if row >= 0 else 0
                both |= known[place]
            if both != OUTSIDE | INSIDE:
                continue
            for place in range(8):
                beyond = last & place
                row = behind[block, beyond]
                if row >= 0:
                    corner[place] = values[row, index + offsets[place] - _wrapped(beyond)]
            x = y = z = 0.0
            cuts = 0
            for one in range(8):
                for axis in range(3):
                    other = one | 1 << axis
                    if other == one or known[one] | known[other] != OUTSIDE | INSIDE:
                        continue
                    part = corner[one] / (corner[one] - corner[other])
                    x += (one & 1) + (part if axis == 0 else 0.0)
                    y += (one >> 1 & 1) + (part if axis == 1 else 0.0)
                    z += (one >> 2) + (part if axis == 2 else 0.0)
                    cuts += 1
            if cuts == 0:
                continue
            if count < len(points):
                points[count, 0] = (blocks[block, 0] * BLOCK + i + x / cuts) * voxel
                points[count, 1] = (blocks[block, 1] * BLOCK + j + y / cuts) * voxel
                points[count, 2] = (blocks[block, 2] * BLOCK + k + z / cuts) * voxel
            numbers[block, index] = count
            count += 1
    return count


@kernel
def surface_faces(behind, before, side, numbers, points, faces):
    """Writes two triangles to faces (F, 3) for each edge between voxels that the surface cuts, through the four cells
    around it, seen counter-clockwise from the side that cameras were on; none with two corners in one place.

    behind, before (B, 8): rows of the blocks on the far and on the near side of each, as `surface_points` has them.
    Returns how many, which may be more than `faces` has room for: the rest is counted and not written.
    """
    quad = np.empty(4, np.int64)
    count = 0
    for block in range(len(behind)):
        for index in range(VOXELS):
            if side[block, index] == 0:
                continue
            at = (index % BLOCK, index // BLOCK % BLOCK, index // (BLOCK * BLOCK))
            for axis in range(3):
                far = at[axis] + 1
                row = behind[block, 1 << axis] if far == BLOCK else block
                if row < 0:
                    continue
                stride = BLOCK**axis
                there = index + stride - (BLOCK * stride if far == BLOCK else 0)
                if side[block, index] | side[row, there] != OUTSIDE | INSIDE:
                    continue
                one, other = (axis + 1) % 3, (axis + 2) % 3
                complete = True
                for corner in range(4):
                    # Around the edge: both axes, the first one step back, both back, the second back.
                    back_one, back_other = corner == 1 or corner == 2, corner >= 2
                    cell, beyond = index, 0
                    if back_one:
                        cell -= BLOCK**one
                        if at[one] == 0:
                            cell, beyond = cell + BLOCK * BLOCK**one, beyond | 1 << one
                    if back_other:
                        cell -= BLOCK**other
                        if at[other] == 0:
                            cell, beyond = cell + BLOCK * BLOCK**other, beyond | 1 << other
                    owner = before[block, beyond]
                    quad[corner] = numbers[owner, cell] if owner >= 0 else -1
                    complete = complete and quad[corner] >= 0
                if not complete:
                    continue
                for half in range(2):
                    a, b, c = quad[0], quad[1 + half], quad[2 + half]
                    if side[block, index] == OUTSIDE:
                        b, c = c, b
                    if _same(points, a, b) or _same(points, b, c) or _same(points, a, c):
                        continue
                    if count < len(faces):
                        faces[count, 0], faces[count, 1], faces[count, 2] = a, b, c
                    count += 1
    return count


@kernel
def _wrapped(beyond):
    """What leads back to the first voxels of a block along each axis that `beyond` has a bit for."""
    return BLOCK * ((beyond & 1) + BLOCK * (beyond >> 1 & 1) + BLOCK * BLOCK * (beyond >> 2))


@kernel
def _same(points, one, other):
    return (
        points[one, 0] == points[other, 0] and points[one, 1] == points[other, 1]
        and points[one, 2] == points[other, 2]
    )  # fmt: skip


@kernel
def paint(points, color, depth, projection, scale, tolerance, sums, counts):
    """Adds to sums (P, 3) and counts (P,) the colors of the places that an image shows.

    projection (3, 4): from the world to the image's pixels times depth. depth: the same view with a pixel for each
    `scale` of its rows and columns; a place is shown where it is as far as this says, within `tolerance` meters.
    """
    height, width = color.shape[:2]
    for number in range(len(points)):
        x, y, z = points[number, 0], points[number, 1], points[number, 2]
        far = projection[2, 0] * x + projection[2, 1] * y + projection[2, 2] * z + projection[2, 3]
        if far <= 0:
            continue
        u = (projection[0, 0] * x + projection[0, 1] * y + projection[0, 2] * z + projection[0, 3]) / far
        v = (projection[1, 0] * x + projection[1, 1] * y + projection[1, 2] * z + projection[1, 3]) / far
        if not (0 <= u < width and 0 <= v < height):
            continue
        row, column = np.int64(v), np.int64(u)
        if abs(depth[row // scale, column // scale] - far) > tolerance:
            continue
        for channel in range(3):
            sums[number, channel] += color[row, column, channel]
        counts[number] += 1

"""The visible side of the visibility table: what the pixels of one image say of each instance."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import ones, trailing_zeros
from spatial_assets.geometry.kernels.cache import numpy_kernel
from spatial_assets.geometry.kernels.keys import ID_BITS, ID_MASK
from spatial_assets.geometry.kernels.lanes import (
    LANES,
    differing_bits,
    greatest_key,
    greatest_size,
    least_key,
    running_sizes,
)

INFINITE = np.float32(np.inf).view(np.int32)
"""Its bits as an integer."""


@numpy_kernel
def visible_side(
    keys,
    face_label,
    face_slot,
    image,
    width,
    height,
    seen,
    pixels,
    box,
    keys_range,
    marker,
    side,
):
    """What the pixels say of each instance, in one pass over the image.

    face_label, face_slot: per face its instance's id and row, or -1, and -1 once more at the end. Fills
    image (flat, H * W and LANES more) with ids, seen (F + 1,) with 1 for faces that own a pixel (and at the
    end if one shows none), and per instance: pixels; box (x0, y0, x1, y1, one past the end); keys_range
    (its nearest and farthest pixel's keys); and the largest odd square of its own pixels: marker (its
    central pixel) and side. Squares by the usual recurrence: the largest square that ends at a pixel is one
    more than the least of those ending at its three neighbors before it.
    """
    room = width + 1 + 2 * LANES
    above, here = np.zeros(room, np.int32), np.zeros(room, np.int32)
    faces = np.empty(width, np.uint32)
    no_face = seen.shape[0] - 1
    for y in range(height):
        row = keys[y * width : (y + 1) * width]
        labels = image[y * width : (y + 1) * width]
        for x in range(width):
            key = row[x]
            faces[x] = no_face if key == 0 else ID_MASK - (key & ID_MASK)
        for x in range(width):
            seen[faces[x]] = 1
        for x in range(width):
            labels[x] = face_label[faces[x]]
        limits = here[1:]
        limits[0] = 1
        if y == 0:
            limits[:width] = 1
        else:
            before = image[(y - 1) * width : y * width]
            for x in range(1, width):
                label = labels[x]
                same = (before[x] == label) & (before[x - 1] == label) & (labels[x - 1] == label)
                limits[x] = 1 + min(above[x + 1], above[x]) if same else 1
        size = np.int32(0)
        for x in range(0, width, 2 * LANES):
            size = running_sizes(limits, x, size)
        x = 0
        while x < width:
            label = labels[x]
            end = run_end(image, y * width + x, (y + 1) * width, label) - y * width
            if label >= 0:
                slot = face_slot[faces[x]]
                if pixels[slot] == 0:
                    box[slot, 0], box[slot, 1], box[slot, 2] = x, y, end
                pixels[slot] += end - x
                box[slot, 0] = min(box[slot, 0], x)
                box[slot, 2] = max(box[slot, 2], end)
                box[slot, 3] = y + 1
                nearest, farthest, largest = keys_range[slot, 0], keys_range[slot, 1], np.int32(0)
                i = x
                while i < end:
                    if end - x < LANES:
                        nearest, farthest = max(nearest, row[i]), min(farthest, row[i])
                        largest = max(largest, limits[i])
                        i += 1
                    else:
                        # The last lanes of a run are looked at twice rather than one by one.
                        at = min(i, end - LANES)
                        nearest, farthest = greatest_key(row, at, nearest), least_key(row, at, farthest)
                        largest = greatest_size(limits, at, largest)
                        i += LANES
                keys_range[slot, 0], keys_range[slot, 1] = nearest, farthest
                largest -= (largest + 1) % 2
                if largest > side[slot]:
                    i = x
                    while limits[i] < largest:
                        i += 1
                    side[slot] = largest
                    marker[slot, 0], marker[slot, 1] = i - largest // 2, y - largest // 2
            x = end
        above, here = here, above


@numpy_kernel
def run_end(image, start, stop, label):
    """The first place from start, before stop, where image differs from label."""
    i = start
    while i < stop:
        differing = differing_bits(image, i, label)
        if differing:
            return min(i + trailing_zeros(differing), stop)
        i += LANES
    return stop


@numpy_kernel
def count_vertices(visible_faces, face_corners, pair_starts, touched):
    """Per instance, (I,), the vertices of its visible faces, each once; visible_faces (N,), the rest as of
    `PreparedInstances`. touched: one byte per pair and one more, any.
    """
    touched[:] = 0
    for i in range(visible_faces.shape[0]):
        face = np.uint32(visible_faces[i])
        touched[np.uint32(face_corners[face, 0])] = 1
        touched[np.uint32(face_corners[face, 1])] = 1
        touched[np.uint32(face_corners[face, 2])] = 1
    counts = np.zeros(pair_starts.shape[0] - 1, np.int64)
    for i in range(counts.shape[0]):
        for flag in touched[pair_starts[i] : pair_starts[i + 1]]:
            counts[i] += flag
    return counts


@numpy_kernel
def take_seen(seen):
    """The places (N,) where seen (F,), flags of one byte, is 1, ascending."""
    words = seen[: seen.shape[0] // 8 * 8].view(np.int64)
    count = 0
    for w in range(words.shape[0]):
        # A word of flags has a one per flag set.
        count += ones(words[w])
    for i in range(8 * words.shape[0], seen.shape[0]):
        count += seen[i]
    result = np.empty(count, np.int32)
    n = 0
    for w in range(words.shape[0]):
        word = words[w]
        while word != 0:
            result[n] = 8 * w + (trailing_zeros(word) >> 3)
            n += 1
            word &= word - 1
    for i in range(8 * words.shape[0], seen.shape[0]):
        if seen[i]:
            result[n] = i
            n += 1
    return result


@numpy_kernel
def image_table(image, depth_bits, ids, labels, keys, width, height):
    """What an image of instance ids says of each, without a mesh: as `visible_side`, and depths.

    image: flat, H * W and LANES more, -1 = none. depth_bits: flat, the bits of 32-bit floats as integers, or of no
    length; only finite, positive ones count, which are in the order of their bits, and integers are compared many at a
    time. ids (I,): the ids in it, ascending, and labels the same with -1 behind. keys: scratch, H * W and LANES more.
    Returns pixels, box, marker, side, and the bits of least and greatest depths (I, 2), INFINITE and 0 without any.
    """
    count = ids.shape[0]
    slots = np.arange(count + 1).astype(np.int32)
    slots[count] = -1
    depths = np.empty((count, 2), np.int32)
    for slot in range(count):
        depths[slot, 0], depths[slot, 1] = INFINITE, 0
    total, i = width * height, 0
    while i < total:
        label = image[i]
        end = run_end(image, i, total, label)
        slot = np.searchsorted(ids, label)
        # Each instance stands in for one face, all at the same depth.
        key = 0 if label < 0 else (np.int64(1) << ID_BITS) | (ID_MASK - slot)
        for j in range(i, end):
            keys[j] = key
        if label >= 0 and depth_bits.shape[0] > 0:
            least, greatest = depths[slot, 0], depths[slot, 1]
            for j in range(i, end):
                z = depth_bits[j]
                measured = (z > 0) & (z < INFINITE)
                least = min(least, z if measured else INFINITE)
                greatest = max(greatest, z if measured else np.int32(0))
            depths[slot, 0], depths[slot, 1] = least, greatest
        i = end
    seen = np.zeros(count + 1, np.uint8)
    pixels, side = np.zeros(count, np.int32), np.zeros(count, np.int32)
    box, marker = np.zeros((count, 4), np.int32), np.full((count, 2), -1, np.int32)
    visible_side(
        keys, labels, slots, image, width, height, seen, pixels, box, np.zeros((count, 2), np.int64),
        marker, side,
    )  # fmt: skip
    return pixels, box, marker, side, depths

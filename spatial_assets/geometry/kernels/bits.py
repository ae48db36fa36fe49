"""Bit images: rows of 64-bit words in which each bit is a pixel, set, tested and counted whole words at a time."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spatial_assets.geometry.kernels.cache import numpy_kernel


def bit_count(name):
    """An intrinsic that counts a 64-bit number's ones, or the zeros above or below them (64 if there are
    none)."""

    @intrinsic
    def count(typing, bits):
        def generate(context, builder, signature, args):
            if name == "ctpop":
                return builder.ctpop(args[0])
            return getattr(builder, name)(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int64(types.int64), generate

    return count


ones, leading_zeros, trailing_zeros = bit_count("ctpop"), bit_count("ctlz"), bit_count("cttz")


@numpy_kernel
def set_bits(words, at, x, bits):
    """Sets up to 16 bits of a row of 64-bit words (W,), the first at pixel x; at: where the row's pixel 0 would be.

    Whole words are read and written throughout: a word read soon after a part of it was written would have
    to wait for that part.
    """
    at += x >> 6
    shift = x & 63
    words[np.uint64(at)] |= bits << shift
    if shift > 48:
        words[np.uint64(at + 1)] |= bits >> (64 - shift)


@numpy_kernel
def lower_bits(count):
    """The lowest count bits, 1 to 64 of them."""
    return np.int64(-1) if count >= 64 else (np.int64(1) << count) - 1


@numpy_kernel
def all_set(words, origin, stride, x0, x1, y0, y1):
    """Whether every bit of a rectangle (inclusive) of words (W,) is set; row y starts at words[origin + y * stride]."""
    first, last = x0 >> 6, x1 >> 6
    head, tail = np.int64(-1) << (x0 & 63), lower_bits((x1 & 63) + 1)
    if first == last:
        head &= tail
    for y in range(y0, y1 + 1):
        row = origin + y * stride
        if words[row + first] & head != head:
            return False
        if first < last:
            if words[row + last] & tail != tail:
                return False
            for k in range(first + 1, last):
                if words[row + k] != -1:
                    return False
    return True


@numpy_kernel
def count_bits(words, origin, stride, x0, x1, y0, y1, columns, box):
    """Counts the bits set within a rectangle (inclusive) of words (W,), as of `all_set`, and writes their bounds x0,
    y0, x1, y1 into box (4,), the last two one past the end, if there are any.

    columns: scratch for one row of words.
    """
    first, last = x0 >> 6, x1 >> 6
    columns[first : last + 1] = 0
    count = 0
    top, bottom = -1, -1
    for y in range(y0, y1 + 1):
        row = origin + y * stride
        before = count
        for k in range(first, last + 1):
            word = words[row + k]
            columns[k] |= word
            count += ones(word)
        if count > before:
            top, bottom = (y if top < 0 else top), y
    if count == 0:
        return 0
    while columns[first] == 0:
        first += 1
    while columns[last] == 0:
        last -= 1
    box[0], box[1] = 64 * first + trailing_zeros(columns[first]), top
    box[2], box[3] = 64 * last + 64 - leading_zeros(columns[last]), bottom + 1
    return count

"""Images of instance ids as PNG's data: the bytes that zlib makes of them by runs alone (Z_RLE at level 1), sooner.

zlib looks at every byte of every row. Of these images nearly all equal the pixel above, whose difference is 0; here
such pixels are passed over many at once. What follows is zlib's own, to the bit (RFC 1950 and 1951, and trees.c
for what these leave open): where blocks end, how codes are chosen, which of two equal weights is joined first.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import trailing_zeros
from spatial_assets.geometry.kernels.cache import inlined, numpy_kernel
from spatial_assets.geometry.kernels.deflate import LENGTH_BASE, LENGTH_EXTRA, LENGTH_SYMBOL, LENGTHS_ORDER
from spatial_assets.geometry.kernels.lanes import LANES, differing_pixels

HEAD = 0x78, 0x01
"""zlib's, of least effort and its largest window."""
UP = 2
"""PNG's filter: differences from the pixel above."""
GREATEST = 0xFFFF
"""The largest number of a pixel."""
MODULUS = 65521
"""Of the checksum behind the data, Adler-32."""
SHORTEST, LONGEST = 3, 258
"""Bytes of a repetition."""
BLOCK = 32767
"""Symbols of a block, at zlib's most memory."""
END, FIRST_LENGTH = 256, 257
SYMBOLS, DISTANCES, LENGTHS = 286, 30, 19
"""How many there are: of bytes, the end and lengths; of distances; of code lengths."""
NODES = 2 * SYMBOLS + 1
"""Room for any tree."""
LONGEST_CODE, LONGEST_LENGTHS_CODE = 15, 7
SYMBOL_EXTRA = np.concatenate([np.zeros(FIRST_LENGTH, np.int64), LENGTH_EXTRA.astype(np.int64)])
DISTANCE_EXTRA = np.concatenate([np.zeros(4, np.int64), np.repeat(np.arange(1, 14), 2)])
LENGTHS_EXTRA = np.concatenate([np.zeros(16, np.int64), np.array([2, 3, 7])])
"""Bits behind each symbol's code."""
FIXED_LENGTHS = np.repeat(np.array([8, 9, 7, 8]), [144, 112, 24, 8])
"""Of bytes' and lengths' codes where a block has none of its own; those of distances have FIXED_DISTANCE bits."""
FIXED_DISTANCE = 5
REPEATED, FEW_ZEROS, MANY_ZEROS = 16, 17, 18
"""Among code lengths: the one before 3 to 6 times more, 0 for 3 to 10 times, 0 for 11 to 138 times."""
FIXED, OWN = 1, 2
"""Kinds of blocks."""


@numpy_kernel
def find_runs(image, height, width, more, values, lengths):
    """The runs of equal bytes in the rows of a PNG of 16 bits a pixel, which hold image (H * W,) and `more`, and how
    many there are; -1 where a pixel does not fit. Fills values and lengths, at most one a byte.
    """
    count, total = 0, height * width
    for y in range(height):
        count = add_run(values, lengths, count, UP, 1)
        row = y * width
        x = 0
        while x < width:
            same = x
            if y > 0:
                same = equal_end(image, row + x, width, row + width, total) - row
            if same > x:
                count = add_run(values, lengths, count, 0, 2 * (same - x))
            if same < width:
                here = np.int64(image[row + same]) + more
                above = np.int64(image[row + same - width]) + more if y > 0 else 0
                if here < 0 or here > GREATEST:
                    return -1
                count = add_run(values, lengths, count, ((here >> 8) - (above >> 8)) & 0xFF, 1)
                count = add_run(values, lengths, count, (here - above) & 0xFF, 1)
            x = same + 1
    return count


@inlined
def add_run(values, lengths, count, value, times):
    """One run more among `count` of values (N,) and lengths (N,), or the last one longer; returns how many they are."""
    if count > 0 and values[count - 1] == value:
        lengths[count - 1] += times
        return count
    values[count], lengths[count] = value, times
    return count + 1


@inlined
def equal_end(image, at, width, stop, total):
    """The first place from `at`, before stop, of an image (H * W,) that differs from the one above it."""
    while at < stop and at + LANES <= total:
        differing = differing_pixels(image, at, at - width)
        if differing != 0:
            return min(at + trailing_zeros(differing), stop)
        at += LANES
    while at < stop and image[at] == image[at - width]:
        at += 1
    return min(at, stop)


@numpy_kernel
def checksum(values, lengths, count):
    """Adler-32 (RFC 1950) of runs of bytes: values (N,) and lengths (N,), of which `count` are used."""
    one, other = np.int64(1), np.int64(0)
    for run in range(count):
        value, times = np.int64(values[run]), np.int64(lengths[run])
        other = (other + times * one + value * (times * (times + 1) // 2)) % MODULUS
        one = (one + value * times) % MODULUS
    return (other << 16) | one


@inlined
def is_before(weights, depths, one, other):
    """Whether zlib joins one node before another, by weights and depths, (NODES,) each."""
    return weights[one] < weights[other] or (weights[one] == weights[other] and depths[one] <= depths[other])


@numpy_kernel
def sift(heap, size, place, weights, depths):
    """Puts heap[place] where it belongs among those below it; places in the heap (NODES,) count from 1."""
    node = heap[place]
    below = 2 * place
    while below <= size:
        if below < size and is_before(weights, depths, heap[below + 1], heap[below]):
            below += 1
        if is_before(weights, depths, node, heap[below]):
            break
        heap[place] = heap[below]
        place, below = below, 2 * below
    heap[place] = node


@numpy_kernel
def make_codes(counts, longest, lengths, codes):
    """Each symbol's code and its bits, 0 for those that do not occur, as zlib chooses them, by counts (S,) into codes
    (S,) and lengths (S,); returns the last symbol that has one. At least two have.
    """
    symbols = counts.shape[0]
    weights, depths = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64)
    parents, bits = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64)
    heap = np.zeros(NODES, np.int64)
    size, last = 0, -1
    for symbol in range(symbols):
        weights[symbol] = counts[symbol]
        if counts[symbol] > 0:
            size += 1
            heap[size] = last = symbol
    while size < 2:
        size += 1
        if last < 2:
            last += 1
            symbol = last
        else:
            symbol = 0
        heap[size] = symbol
        weights[symbol] = 1
    for place in range(size // 2, 0, -1):
        sift(heap, size, place, weights, depths)
    # Behind the heap stand those that were taken out, the rarest last.
    node, taken = symbols, NODES
    while size >= 2:
        one = heap[1]
        heap[1] = heap[size]
        size -= 1
        sift(heap, size, 1, weights, depths)
        other = heap[1]
        heap[taken - 1], heap[taken - 2] = one, other
        taken -= 2
        weights[node] = weights[one] + weights[other]
        depths[node] = max(depths[one], depths[other]) + 1
        parents[one] = parents[other] = node
        heap[1] = node
        node += 1
        sift(heap, size, 1, weights, depths)
    taken -= 1
    heap[taken] = heap[1]

    of_length, over = np.zeros(longest + 2, np.int64), 0
    for place in range(taken + 1, NODES):
        node = heap[place]
        bits[node] = bits[parents[node]] + 1
        if bits[node] > longest:
            bits[node] = longest
            over += 1
        if node < symbols:
            of_length[bits[node]] += 1
    if over > 0:
        while over > 0:
            length = longest - 1
            while of_length[length] == 0:
                length -= 1
            of_length[length] -= 1
            of_length[length + 1] += 2
            of_length[longest] -= 1
            over -= 2
        place = NODES
        for length in range(longest, 0, -1):
            left = of_length[length]
            while left > 0:
                place -= 1
                if heap[place] < symbols:
                    bits[heap[place]] = length
                    left -= 1
    lengths[:] = 0
    for place in range(taken, NODES):
        if heap[place] < symbols:
            lengths[heap[place]] = bits[heap[place]]
    turned_codes(lengths, codes)
    return last


@numpy_kernel
def turned_codes(lengths, codes):
    """Each symbol's code by the lengths (S,), its first bit lowest, into codes (S,)."""
    after, code = np.zeros(LONGEST_CODE + 2, np.int64), 0
    for length in range(1, LONGEST_CODE + 1):
        code <<= 1
        after[length] = code
        for symbol in range(lengths.shape[0]):
            code += lengths[symbol] == length
    for symbol in range(lengths.shape[0]):
        length, turned = lengths[symbol], 0
        if length > 0:
            code = after[length]
            after[length] += 1
            for bit in range(length):
                turned |= ((code >> bit) & 1) << (length - 1 - bit)
        codes[symbol] = turned


@numpy_kernel
def list_lengths(lengths, last, listed, times):
    """How the lengths (S,) of codes up to the last symbol's are written: each as itself, or a repetition and of how
    many, into listed and times. Returns how many entries there are.
    """
    count, before = 0, -1
    symbol = 0
    while symbol <= last:
        length = lengths[symbol]
        most = 138 if length == 0 else (6 if length == before else 7)
        least = 3 if length == 0 or length == before else 4
        same = 1
        while same < most and symbol + same <= last and lengths[symbol + same] == length:
            same += 1
        symbol += same
        if same < least:
            for _ in range(same):
                listed[count], times[count] = length, 0
                count += 1
        elif length == 0:
            listed[count], times[count] = (FEW_ZEROS, same - 3) if same <= 10 else (MANY_ZEROS, same - 11)
            count += 1
        else:
            if length != before:
                listed[count], times[count] = length, 0
                count += 1
                same -= 1
            listed[count], times[count] = REPEATED, same - 3
            count += 1
        before = length
    return count


@inlined
def put(stream, state, value, size):
    """Writes `size` bits; state (3,): how many bytes stand, the bits after them, and how many these are."""
    state[1] |= np.int64(value) << state[2]
    state[2] += size
    while state[2] >= 8:
        stream[state[0]] = state[1] & 0xFF
        state[0] += 1
        state[1] >>= 8
        state[2] -= 8


@numpy_kernel
def put_block(stream, state, symbols, count, counts, distances, held, is_last):
    """One block of symbols (BLOCK,), below 256 a byte and else a length, which hold so many bytes; state is as of
    `put`, counts (SYMBOLS,) and distances (DISTANCES,) say how often each occurs. Returns whether it could be
    written: zlib stores what codes would make larger, which is none of these images.
    """
    lengths, codes = np.zeros(SYMBOLS, np.int64), np.zeros(SYMBOLS, np.int64)
    far_lengths, far_codes = np.zeros(DISTANCES, np.int64), np.zeros(DISTANCES, np.int64)
    last = make_codes(counts, LONGEST_CODE, lengths, codes)
    far_last = make_codes(distances, LONGEST_CODE, far_lengths, far_codes)
    listed, times = np.zeros(SYMBOLS + DISTANCES, np.int64), np.zeros(SYMBOLS + DISTANCES, np.int64)
    entries = list_lengths(lengths, last, listed, times)
    entries += list_lengths(far_lengths, far_last, listed[entries:], times[entries:])
    of_lengths = np.zeros(LENGTHS, np.int64)
    for entry in range(entries):
        of_lengths[listed[entry]] += 1
    how_long, length_codes = np.zeros(LENGTHS, np.int64), np.zeros(LENGTHS, np.int64)
    make_codes(of_lengths, LONGEST_LENGTHS_CODE, how_long, length_codes)
    used = LENGTHS
    while used > 4 and how_long[LENGTHS_ORDER[used - 1]] == 0:
        used -= 1

    own, fixed = 3 * used + 5 + 5 + 4, 0
    for symbol in range(SYMBOLS):
        own += counts[symbol] * (lengths[symbol] + SYMBOL_EXTRA[symbol])
        fixed += counts[symbol] * (FIXED_LENGTHS[symbol] + SYMBOL_EXTRA[symbol])
    for symbol in range(DISTANCES):
        own += distances[symbol] * (far_lengths[symbol] + DISTANCE_EXTRA[symbol])
        fixed += distances[symbol] * (FIXED_DISTANCE + DISTANCE_EXTRA[symbol])
    for symbol in range(LENGTHS):
        own += of_lengths[symbol] * (how_long[symbol] + LENGTHS_EXTRA[symbol])
    own, fixed = (own + 3 + 7) >> 3, (fixed + 3 + 7) >> 3
    if held + 4 <= min(own, fixed):
        return False
    if fixed <= own:
        put(stream, state, (FIXED << 1) | is_last, 3)
        fixed_codes = np.empty(FIXED_LENGTHS.shape[0], np.int64)
        turned_codes(FIXED_LENGTHS, fixed_codes)
        for symbol in range(SYMBOLS):
            lengths[symbol], codes[symbol] = FIXED_LENGTHS[symbol], fixed_codes[symbol]
        far_lengths[0], far_codes[0] = FIXED_DISTANCE, 0
    else:
        put(stream, state, (OWN << 1) | is_last, 3)
        put(stream, state, last + 1 - 257, 5)
        put(stream, state, far_last, 5)
        put(stream, state, used - 4, 4)
        for place in range(used):
            put(stream, state, how_long[LENGTHS_ORDER[place]], 3)
        for entry in range(entries):
            kind = listed[entry]
            put(stream, state, length_codes[kind], how_long[kind])
            if LENGTHS_EXTRA[kind] > 0:
                put(stream, state, times[entry], LENGTHS_EXTRA[kind])
    for place in range(count):
        symbol = np.int64(symbols[place])
        if symbol < 256:
            put(stream, state, codes[symbol], lengths[symbol])
        else:
            # All repeat the byte before.
            length = symbol - 256 + SHORTEST
            kind = np.int64(LENGTH_SYMBOL[length])
            put(stream, state, codes[FIRST_LENGTH + kind], lengths[FIRST_LENGTH + kind])
            put(stream, state, length - np.int64(LENGTH_BASE[kind]), np.int64(LENGTH_EXTRA[kind]))
            put(stream, state, far_codes[0], far_lengths[0])
    put(stream, state, codes[END], lengths[END])
    return True


@numpy_kernel
def zlib_stream(image, height, width, more):
    """The rows of a PNG of image (flat) and `more`, each filtered by the one above, as zlib compresses them by runs. Of
    no length where a pixel does not fit 16 bits, or where zlib would store a block as it is."""
    size = height * (1 + 2 * width)
    values, lengths = np.empty(size, np.uint8), np.empty(size, np.int32)
    runs = find_runs(image, height, width, more, values, lengths)
    stream = np.empty(2 * size + 1024, np.uint8)
    if runs < 0:
        return stream[:0].copy()
    stream[0], stream[1] = HEAD
    state = np.array([2, 0, 0], np.int64)
    symbols = np.empty(BLOCK, np.uint16)
    counts, distances = np.zeros(SYMBOLS, np.int64), np.zeros(DISTANCES, np.int64)
    counts[END] = 1
    count, held = 0, 0
    for run in range(runs):
        left, first = np.int64(lengths[run]), True
        while left > 0:
            if left >= SHORTEST and not first:
                taken = min(left, LONGEST)
                symbols[count] = 256 + taken - SHORTEST
                counts[FIRST_LENGTH + np.int64(LENGTH_SYMBOL[taken])] += 1
                distances[0] += 1
            else:
                taken = 1
                symbols[count] = values[run]
                counts[values[run]] += 1
            first = False
            left -= taken
            held += taken
            count += 1
            if count == BLOCK:
                if not put_block(stream, state, symbols, count, counts, distances, held, 0):
                    return stream[:0].copy()
                counts[:], distances[:] = 0, 0
                counts[END] = 1
                count, held = 0, 0
    if not put_block(stream, state, symbols, count, counts, distances, held, 1):
        return stream[:0].copy()
    if state[2] > 0:
        put(stream, state, 0, 8 - state[2])
    check = checksum(values, lengths, runs)
    for shift in (24, 16, 8, 0):
        stream[state[0]] = (check >> shift) & 0xFF
        state[0] += 1
    return stream[: state[0]].copy()

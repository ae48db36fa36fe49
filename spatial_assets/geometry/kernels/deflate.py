"""Depth images into PNG's rows, and these into a deflate stream (RFC 1951): one block with codes of its own.

zlib's least effort takes twice the time for as many bytes: it looks for repetitions from every byte on, and compares
and writes them byte by byte. Here they begin at pixels, and eight bytes are one number.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spatial_assets.geometry.kernels.bits import trailing_zeros
from spatial_assets.geometry.kernels.cache import inlined, numpy_kernel

SPARE = 8
"""Bytes that must follow the rows: numbers of eight bytes are read at each."""
LEFT = 1
"""PNG's filter: differences from the pixel to the left."""
REACH, NOT_YET = 32768, -40000
"""How far back a repetition may lie, and a place that is further from all."""
SHORTEST, LONGEST = 4, 258
"""Bytes of a repetition."""
TABLE_BITS = 13
"""Of the table of places where the same four bytes were last: larger ones find hardly more."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2 ** 64 over the golden ratio, whose products differ in their upper bits."""
END, FIRST_LENGTH = 256, 257
"""The symbols behind the bytes': the stream's end, and lengths."""
SYMBOLS, DISTANCES = 286, 30
LENGTH_EXTRA = np.repeat(np.array([0, 1, 2, 3, 4, 5, 0], np.uint8), [8, 4, 4, 4, 4, 4, 1])
DISTANCE_EXTRA = np.repeat(np.arange(14, dtype=np.uint8), [4, *[2] * 13])
"""By symbol, the bits that follow it."""
LENGTH_BASE = (3 + np.cumsum(np.append(0, 1 << LENGTH_EXTRA[:-1].astype(np.int64)))).astype(np.uint16)
LENGTH_BASE[-1] = LONGEST
DISTANCE_BASE = (1 + np.cumsum(np.append(0, 1 << DISTANCE_EXTRA[:-1].astype(np.int64)))).astype(np.uint16)
"""By symbol, the least length or distance."""
LENGTH_SYMBOL = (np.searchsorted(LENGTH_BASE, np.arange(LONGEST + 1), "right") - 1).astype(np.uint8)
NEAR_SYMBOL = (np.searchsorted(DISTANCE_BASE, np.arange(256) + 1, "right") - 1).astype(np.uint8)
FAR_SYMBOL = (np.searchsorted(DISTANCE_BASE, (np.arange(256) << 7) + 1, "right") - 1).astype(np.uint8)
"""Symbols by length; by distance less 1; and by 1/128 of that, where it is above 255."""
LENGTHS_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
"""In which the lengths of the lengths' own codes are written."""
LONGEST_CODE, LONGEST_LENGTHS_CODE = 15, 7
REPETITION, PIXEL = np.uint64(1 << 31), np.uint64(1 << 30)
"""Which kind of step it is: a length and a distance less 1, in 16 bits each; two bytes, the first one lowest; neither
is a single byte."""
ZERO, ONE, TWO, THREE, SEVEN, EIGHT = (np.uint64(n) for n in (0, 1, 2, 3, 7, 8))
SIXTEEN, HALF, BYTE, LOW, HIGH = (np.uint64(n) for n in (16, 32, 0xFF, 0xFFFF, 0x7FFF))
FOUR_BYTES = np.uint64(0xFFFFFFFF)


@intrinsic
def eight_bytes(typing, data, at):
    """data[at : at + 8] as one number, the first byte lowest."""

    def generate(context, builder, signature, args):
        pointer = _pointer(context, builder, signature.args[0], args)
        return builder.load(pointer, align=1)

    return types.uint64(data, at), generate


@intrinsic
def put_eight_bytes(typing, data, at, value):
    """The other way round."""

    def generate(context, builder, signature, args):
        builder.store(args[2], _pointer(context, builder, signature.args[0], args), align=1)
        return context.get_dummy_value()

    return types.void(data, at, value), generate


def _pointer(context, builder, array_type, args):
    data = context.make_array(array_type)(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())


@numpy_kernel
def depth_rows(distances, factors, farthest, units, height, width, rows):
    """Rows of a PNG of 16 bits a pixel: distances (H * W,) times factors (H * W,), or one for all, (1,), in units, 0
    for what is not positive and finite, or farther. Fills rows (H * (1 + 2 * W) + SPARE,), whose last bytes are
    spare.
    """
    at, pixel = ZERO, ZERO
    several = factors.shape[0] > 1
    for _ in range(height):
        rows[at] = LEFT
        at += ONE
        before = np.uint32(0)
        for _ in range(width):
            z = distances[pixel] * factors[pixel if several else ZERO]
            # What is no number is not above 0 either.
            here = np.uint32(np.rint(z * units)) if (z > 0) & (z <= farthest) else np.uint32(0)
            rows[at] = (here >> np.uint32(8)) - (before >> np.uint32(8))
            rows[at + ONE] = here - before
            before = here
            at += TWO
            pixel += ONE
    rows[at : at + EIGHT] = 0


@inlined
def distance_symbol(less_one):
    return np.uint64(NEAR_SYMBOL[less_one] if less_one < 256 else FAR_SYMBOL[less_one >> SEVEN])


@numpy_kernel
def find_steps(rows, height, width, steps, symbols, distances):
    """What the rows, as of `depth_rows`, are written as: bytes, pixels and repetitions, into steps, at most one a
    byte. Counts the symbols of bytes and lengths, (SYMBOLS,), and of distances, (DISTANCES,). Returns how many steps
    there are.
    """
    table = np.full(1 << TABLE_BITS, NOT_YET, np.int32)
    shift = np.uint64(64 - TABLE_BITS)
    count, at = ZERO, ZERO
    for _ in range(height):
        symbols[rows[at]] += 1
        steps[count] = rows[at]
        count += ONE
        at += ONE
        end = at + np.uint64(2 * width)
        while at < end:
            word = eight_bytes(rows, at)
            slot = ((word & FOUR_BYTES) * SPREAD) >> shift
            place = np.int64(table[slot])
            table[slot] = at
            distance = np.uint64(np.int64(at) - place)
            length = ZERO
            if distance <= REACH:
                earlier = np.uint64(place)
                differing = eight_bytes(rows, earlier) ^ word
                if differing & FOUR_BYTES == ZERO:
                    most = min(end - at, np.uint64(LONGEST))
                    while differing == ZERO:
                        length += EIGHT
                        if length >= most:
                            break
                        differing = eight_bytes(rows, earlier + length) ^ eight_bytes(rows, at + length)
                    if differing != ZERO:
                        length += np.uint64(trailing_zeros(np.int64(differing))) >> THREE
                    length = min(length, most) & ~ONE
            if length >= SHORTEST:
                symbols[np.uint64(FIRST_LENGTH) + np.uint64(LENGTH_SYMBOL[length])] += 1
                distances[distance_symbol(distance - ONE)] += 1
                steps[count] = REPETITION | (length << SIXTEEN) | (distance - ONE)
                at += length
            else:
                symbols[word & BYTE] += 1
                symbols[(word >> EIGHT) & BYTE] += 1
                steps[count] = PIXEL | (word & LOW)
                at += TWO
            count += ONE
    symbols[END] += 1
    return np.int64(count)


@numpy_kernel
def code_lengths(counts, longest, lengths):
    """Bits of each symbol's code by Huffman's method (1952), none of more than `longest`; 0 for those that do not
    occur. counts (S,): how often each occurs; fills lengths (S,).
    """
    size = counts.shape[0]
    order, used = np.empty(size, np.int64), 0
    for symbol in range(size):
        lengths[symbol] = 0
        if counts[symbol] > 0:
            place = used
            while place > 0 and counts[order[place - 1]] > counts[symbol]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = symbol
            used += 1
    if used == 1:
        lengths[order[0]] = 1
    if used <= 1:
        return
    # Leaves come first, rarest first, and behind them what two nodes are joined to, which is in order by itself.
    weights, parents = np.empty(2 * used, np.int64), np.zeros(2 * used, np.int64)
    for place in range(used):
        weights[place] = counts[order[place]]
    leaf, joined = 0, used
    for node in range(used, 2 * used - 1):
        weights[node] = 0
        for _ in range(2):
            if leaf < used and (joined >= node or weights[leaf] <= weights[joined]):
                child, leaf = leaf, leaf + 1
            else:
                child, joined = joined, joined + 1
            weights[node] += weights[child]
            parents[child] = node
    depths, of_length = np.zeros(2 * used, np.int64), np.zeros(longest + 1, np.int64)
    for node in range(2 * used - 3, -1, -1):
        depths[node] = depths[parents[node]] + 1
        if node < used:
            of_length[min(depths[node], longest)] += 1
    # Codes cut short take more than there is: each time one is put beside another that is made longer by a bit.
    taken = 0
    for length in range(1, longest + 1):
        taken += of_length[length] << (longest - length)
    while taken > 1 << longest:
        length = longest - 1
        while of_length[length] == 0:
            length -= 1
        of_length[longest] -= 1
        of_length[length] -= 1
        of_length[length + 1] += 2
        taken -= 1
    place = 0
    for length in range(longest, 0, -1):
        for _ in range(of_length[length]):
            lengths[order[place]] = length
            place += 1


@numpy_kernel
def codes_of(lengths, codes):
    """Each symbol's code, by the lengths (S,), its first bit lowest; above it in 64 bits its length. Fills codes
    (S,).
    """
    after, code = np.zeros(LONGEST_CODE + 2, np.int64), 0
    for length in range(1, LONGEST_CODE + 1):
        code <<= 1
        after[length] = code
        for symbol in range(lengths.shape[0]):
            code += lengths[symbol] == length
    for symbol in range(lengths.shape[0]):
        length, turned = np.int64(lengths[symbol]), 0
        if length > 0:
            code = after[length]
            after[length] += 1
            for bit in range(length):
                turned |= ((code >> bit) & 1) << (length - 1 - bit)
        codes[symbol] = np.uint64(turned) | (np.uint64(length) << HALF)


@inlined
def put(stream, at, bits, filled, piece):
    """Writes the bits of a piece, whose number stands above them. Returns where the stream goes on, its last bits, and
    how many these are, at most 7."""
    bits |= (piece & FOUR_BYTES) << filled
    filled += piece >> HALF
    put_eight_bytes(stream, at, bits)
    return at + (filled >> THREE), bits >> (filled & ~SEVEN), filled & SEVEN


@numpy_kernel
def write_steps(steps, count, symbols, distances, stream):
    """The block, into a stream of bytes that is as large as it may become; steps, symbols (SYMBOLS,) and distances
    (DISTANCES,) as of `find_steps`. Returns how many bytes it takes.
    """
    lengths = np.empty(SYMBOLS + DISTANCES, np.uint8)
    code_lengths(symbols, LONGEST_CODE, lengths[:SYMBOLS])
    code_lengths(distances, LONGEST_CODE, lengths[SYMBOLS:])
    codes, far_codes = np.empty(SYMBOLS, np.uint64), np.empty(DISTANCES, np.uint64)
    codes_of(lengths[:SYMBOLS], codes)
    codes_of(lengths[SYMBOLS:], far_codes)
    of_lengths, how_long = np.zeros(len(LENGTHS_ORDER), np.int64), np.empty(len(LENGTHS_ORDER), np.uint8)
    for length in lengths:
        of_lengths[length] += 1
    code_lengths(of_lengths, LONGEST_LENGTHS_CODE, how_long)
    length_codes = np.empty(len(LENGTHS_ORDER), np.uint64)
    codes_of(how_long, length_codes)

    at, bits, filled = ZERO, ZERO, ZERO
    # The last block, of the kind with its own codes; and how many codes of each kind there are, less the fewest.
    for value, size in ((1, 1), (2, 2), (SYMBOLS - 257, 5), (DISTANCES - 1, 5), (len(LENGTHS_ORDER) - 4, 4)):
        at, bits, filled = put(stream, at, bits, filled, np.uint64(value) | (np.uint64(size) << HALF))
    for symbol in LENGTHS_ORDER:
        at, bits, filled = put(stream, at, bits, filled, np.uint64(how_long[symbol]) | (THREE << HALF))
    for length in lengths:
        at, bits, filled = put(stream, at, bits, filled, length_codes[length])

    pieces = np.zeros(LONGEST + 1, np.uint64)
    for length in range(SHORTEST, LONGEST + 1):
        symbol = LENGTH_SYMBOL[length]
        code = codes[FIRST_LENGTH + symbol]
        more = np.uint64(length - LENGTH_BASE[symbol]) << (code >> HALF)
        pieces[length] = (code | more) + (np.uint64(LENGTH_EXTRA[symbol]) << HALF)
    for i in range(count):
        step = np.uint64(steps[np.uint64(i)])
        if step >= REPETITION:
            first = pieces[(step >> SIXTEEN) & HIGH]
            less_one = step & LOW
            symbol = distance_symbol(less_one)
            code = far_codes[symbol]
            more = (less_one + ONE - np.uint64(DISTANCE_BASE[symbol])) << (code >> HALF)
            second = (code | more) + (np.uint64(DISTANCE_EXTRA[symbol]) << HALF)
        else:
            first = codes[step & BYTE]
            second = codes[(step >> EIGHT) & BYTE] if step >= PIXEL else ZERO
        # Together with the last bits at most 55, which leaves room for the next.
        bits |= (first & FOUR_BYTES) << filled
        filled += first >> HALF
        at, bits, filled = put(stream, at, bits, filled, second)
    at, bits, filled = put(stream, at, bits, filled, codes[END])
    return np.int64(at) + np.int64(filled > ZERO)


@numpy_kernel
def deflate(rows, height, width):
    """Rows of 2 bytes a pixel behind one byte each, and SPARE more, (H * (1 + 2 * W) + SPARE,), as deflate's bytes
    (N,).
    """
    size = rows.shape[0] - SPARE
    steps = np.empty(size, np.uint32)
    symbols, distances = np.zeros(SYMBOLS, np.int64), np.zeros(DISTANCES, np.int64)
    count = find_steps(rows, height, width, steps, symbols, distances)
    # No byte's code is longer than two; a repetition takes less than its bytes' may.
    stream = np.empty(2 * size + 1024, np.uint8)
    return stream[: write_steps(steps, count, symbols, distances, stream)].copy()

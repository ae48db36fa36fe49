"""Several pixels at once: the innermost steps over a row, spelled out as LLVM vector operations.

numba's own vectorizer leaves short, masked rows scalar, and rows of a few pixels are nearly all there are. The
compiler lowers these operations to whatever the machine has.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spatial_assets.geometry.kernels.keys import HALF_STEP, ID_MASK

# Pixels handled at once: eight float64 fill one AVX-512 register, two AVX2 ones.
LANES = 8
# Pixels of a bit image handled at once, of faces wider than LANES: few of them are wider than this.
WIDE_LANES = 16

LONGS = ir.VectorType(ir.IntType(64), LANES)
INTS = ir.VectorType(ir.IntType(32), LANES)


def splat(builder, value, count=LANES):
    """The scalar in every one of count lanes."""
    vector = ir.VectorType(value.type, count)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(first, undefined, zeros)


def covered_lanes(builder, x, last, edges, count=LANES):
    """Lane positions, and the lanes up to `last` that pass three edge tests (slope, X, row value,
    threshold)."""
    steps = ir.Constant(ir.VectorType(ir.DoubleType(), count), [float(i) for i in range(count)])
    lanes = builder.fadd(splat(builder, x, count), steps)
    mask = builder.fcmp_ordered("<=", lanes, splat(builder, last, count))
    for slope, origin, row, threshold in edges:
        offset = builder.fsub(lanes, splat(builder, origin, count))
        value = builder.fadd(builder.fmul(splat(builder, slope, count), offset), splat(builder, row, count))
        mask = builder.and_(mask, builder.fcmp_ordered(">=", value, splat(builder, threshold, count)))
    return lanes, mask


def inverse_depths(builder, lanes, slope, row, limit, count=LANES):
    """Inverse depth at each lane, and the lanes where it does not exceed the limit."""
    depth = builder.fadd(builder.fmul(splat(builder, slope, count), lanes), splat(builder, row, count))
    return depth, builder.fcmp_ordered("<=", depth, splat(builder, limit, count))


def vector_at(context, builder, array_type, array, offset, vector):
    """Pointer to LANES consecutive items of a flat array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


@intrinsic
def draw_lanes(
    typing, keys, at, x, last,
    a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2,
    gx, rz, low, high, limit, name,
):  # fmt: skip
    """Draws one face into keys[at : at + LANES], whose first pixel is x, up to pixel last.

    a, x, r, t: slope, origin, value there on this row, and threshold of each edge. gx, rz: slope of the
    inverse depth and its value at x = 0, kept within low..high; where it exceeds limit nothing is drawn.
    name: the key's lower bits. Returns the pixels that the face covers, nearest there or not, as bits, the
    first pixel's lowest.
    """
    signature = types.int64(
        keys, at, x, last,
        a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2,
        gx, rz, low, high, limit, name,
    )  # fmt: skip

    def generate(context, builder, signature, args):
        array, at, x, last = args[:4]
        gx, rz, low, high, limit, name = args[16:]
        lanes, mask = covered_lanes(builder, x, last, (args[4:8], args[8:12], args[12:16]))
        depth, beyond_near = inverse_depths(builder, lanes, gx, rz, limit)
        mask = builder.and_(mask, beyond_near)
        covered = builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))
        low, high = splat(builder, low), splat(builder, high)
        depth = builder.select(builder.fcmp_ordered("<", depth, low), low, depth)
        depth = builder.select(builder.fcmp_ordered(">", depth, high), high, depth)
        rounded = builder.add(builder.bitcast(depth, LONGS), ir.Constant(LONGS, [HALF_STEP] * LANES))
        upper = builder.and_(rounded, ir.Constant(LONGS, [~ID_MASK] * LANES))
        key = builder.or_(upper, splat(builder, name))
        pointer = vector_at(context, builder, signature.args[0], array, at, LONGS)
        old = builder.load(pointer, align=8)
        mask = builder.and_(mask, builder.icmp_signed(">", key, old))
        builder.store(builder.select(mask, key, old), pointer, align=8)
        return covered

    return signature, generate


@intrinsic
def covered_bits(typing, x, last, a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2, gx, rz, limit):
    """Which of WIDE_LANES pixels `draw_lanes` would draw into an empty image, as bits, the first's lowest.

    The same operations in the same order, so the same answers.
    """
    signature = types.int64(x, last, a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2, gx, rz, limit)

    def generate(context, builder, signature, args):
        edges = (args[2:6], args[6:10], args[10:14])
        lanes, mask = covered_lanes(builder, args[0], args[1], edges, WIDE_LANES)
        mask = builder.and_(mask, inverse_depths(builder, lanes, *args[14:], WIDE_LANES)[1])
        return builder.zext(builder.bitcast(mask, ir.IntType(WIDE_LANES)), ir.IntType(64))

    return signature, generate


@intrinsic
def edge_bits(typing, x, last, a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2):
    """As `covered_bits`, of LANES pixels, for a face that lies beyond the near plane altogether."""
    signature = types.int64(x, last, a0, x0, r0, t0, a1, x1, r1, t1, a2, x2, r2, t2)

    def generate(context, builder, signature, args):
        mask = covered_lanes(builder, args[0], args[1], (args[2:6], args[6:10], args[10:14]))[1]
        return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))

    return signature, generate


@intrinsic
def running_sizes(typing, limits, at, carry):
    """Turns limits[at : at + 2 * LANES] (int32) into sizes: size[x] = min(limit[x], size[x - 1] + 1).

    carry: the size before the first. Returns the last one. The recurrence is a running minimum of limit[x]
    - x, taken in doubling steps.
    """
    signature = types.int32(limits, at, carry)
    count = 2 * LANES

    def generate(context, builder, signature, args):
        wide = ir.VectorType(ir.IntType(32), count)
        positions = ir.Constant(wide, list(range(count)))
        pointer = vector_at(context, builder, signature.args[0], args[0], args[1], wide)
        values = builder.sub(builder.load(pointer, align=4), positions)
        step = 1
        while step < count:
            # Lanes without a predecessor at this distance compare with themselves.
            before = ir.Constant(wide, [i - step if i >= step else i for i in range(count)])
            shifted = builder.shuffle_vector(values, values, before)
            values = builder.select(builder.icmp_signed("<", shifted, values), shifted, values)
            step *= 2
        first = splat(builder, builder.add(args[2], ir.Constant(ir.IntType(32), 1)), count)
        values = builder.select(builder.icmp_signed("<", first, values), first, values)
        values = builder.add(values, positions)
        builder.store(values, pointer, align=4)
        return builder.extract_element(values, ir.Constant(ir.IntType(32), count - 1))

    return signature, generate


@intrinsic
def differing_bits(typing, image, at, label):
    """The lanes where image[at : at + LANES] (int32) is not label, as bits, the first pixel's lowest."""
    signature = types.int64(image, at, label)

    def generate(context, builder, signature, args):
        pointer = vector_at(context, builder, signature.args[0], args[0], args[1], INTS)
        mask = builder.icmp_signed("!=", builder.load(pointer, align=4), splat(builder, args[2]))
        return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))

    return signature, generate


@intrinsic
def differing_pixels(typing, image, at, other):
    """The lanes where image[at : at + LANES] (int32) is not image[other : other + LANES], as bits, the first pixel's
    lowest."""
    signature = types.int64(image, at, other)

    def generate(context, builder, signature, args):
        here, there = (
            builder.load(vector_at(context, builder, signature.args[0], args[0], offset, INTS), align=4)
            for offset in args[1:]
        )
        mask = builder.icmp_signed("!=", here, there)
        return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))

    return signature, generate


def extreme_of_lanes(sign, bits):
    """An intrinsic (array, at, best): the least ("<") or greatest (">") of best and array[at : at + LANES]."""
    integer = ir.IntType(bits)
    result = types.int64 if bits == 64 else types.int32

    @intrinsic
    def extreme(typing, array, at, best):
        def generate(context, builder, signature, args):
            vector_type = ir.VectorType(integer, LANES)
            pointer = vector_at(context, builder, signature.args[0], args[0], args[1], vector_type)
            vector = builder.load(pointer, align=bits // 8)
            width = LANES
            while width > 1:
                width //= 2
                index = ir.VectorType(ir.IntType(32), width)
                left = builder.shuffle_vector(vector, vector, ir.Constant(index, list(range(width))))
                right = builder.shuffle_vector(
                    vector, vector, ir.Constant(index, list(range(width, 2 * width)))
                )
                vector = builder.select(builder.icmp_signed(sign, left, right), left, right)
            found = builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))
            return builder.select(builder.icmp_signed(sign, found, args[2]), found, args[2])

        return result(array, at, result), generate

    return extreme


least_key, greatest_key = extreme_of_lanes("<", 64), extreme_of_lanes(">", 64)
greatest_size = extreme_of_lanes(">", 32)

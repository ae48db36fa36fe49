"""The hash of a table's values, by which the lake knows whether what a scene was made from has changed."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spatial_assets.scene.tables import Table


@cache
def hash_of_none(table: Table) -> str:
    """`content_hash` of a table without rows."""
    return content_hash(table.schema.empty_table())


def content_hash(arrow: pa.Table) -> str:
    """blake2b-128 of a table's values, hexadecimal; the same for equal values however they are laid out.

    Each column contributes its name and type, and each level of nesting its validity, lengths and
    values, so no two different tables share the bytes that are hashed.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(arrow.num_rows.to_bytes(8, "little"))
    for field, column in zip(arrow.schema, arrow.columns, strict=True):
        digest.update(f"{field.name}:{field.type}\0".encode())
        _hash_array(digest, column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    return digest.hexdigest()


class _Bytes(bytearray):
    """What a digest is given, kept to be given again."""

    update = bytearray.extend


def _hash_array(digest: hashlib.blake2b | _Bytes, array: pa.Array) -> None:
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if array.null_count == len(array):
        digest.update(_bytes_of_nulls(array.type, len(array)))
    else:
        _hash_values(digest, array)


@lru_cache(maxsize=256)
def _bytes_of_nulls(kind: pa.DataType, count: int) -> bytes:
    """What is hashed of a column in which nothing stands: most tasks' rows leave the same dozen nested ones empty."""
    held = _Bytes()
    _hash_values(held, pa.nulls(count, kind))
    return bytes(held)


def _hash_values(digest: hashlib.blake2b | _Bytes, array: pa.Array) -> None:
    digest.update(len(array).to_bytes(8, "little"))
    nulls = array.null_count > 0
    digest.update(
        np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes()
        if nulls
        else _all_valid(len(array))
    )
    kind = array.type
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            # What lies below a null counts as null too, where there are any.
            _hash_array(digest, pc.struct_field(array, [index]) if nulls else array.field(index))
    elif pa.types.is_list(kind):
        lengths = (
            pc.fill_null(pc.list_value_length(array), 0).to_numpy()
            if nulls
            else _steps(array.offsets.to_numpy())
        )
        digest.update(lengths.astype("<i8").tobytes())
        _hash_array(digest, array.flatten())
    elif pa.types.is_string(kind):
        lengths, text = _text(pc.fill_null(array, "") if nulls else array)
        digest.update(lengths.astype("<i8").tobytes())
        digest.update(text)
    elif pa.types.is_boolean(kind):
        filled = pc.fill_null(array, False) if nulls else array
        digest.update(filled.to_numpy(zero_copy_only=False).astype("u1").tobytes())
    else:
        values = (pc.fill_null(array, 0) if nulls else array).to_numpy(zero_copy_only=False)
        if values.dtype.kind == "f":
            values = values + 0.0  # -0.0 and 0.0 print alike and compare equal, so they hash alike
        digest.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _text(array: pa.Array) -> tuple[np.ndarray, memoryview]:
    """Bytes of each text of a string array without nulls, and all of them one behind the other, not copied."""
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return np.zeros(len(array), np.int64), memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return _steps(ends), memoryview(data)[ends[0] : ends[-1]]


def _steps(ends: np.ndarray) -> np.ndarray:
    """From each of the numbers to the next."""
    return ends[1:] - ends[:-1]


@lru_cache(maxsize=1024)
def _all_valid(count: int) -> bytes:
    """The bits of so many values of which none is null."""
    return np.packbits(np.ones(count, bool)).tobytes()

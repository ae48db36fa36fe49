from __future__ import annotations

import hashlib
import math
import string
from urllib.parse import unquote

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.scene import tables
from spatial_assets.scene.tables import Column, Table
from spatial_assets.storage.content_hash import content_hash
from spatial_assets.storage.lake import (
    ROWS_PER_GROUP,
    Lake,
    SchemaError,
    by_scene,
    conform,
    file_name,
    with_scenes,
    write_parquet,
)

TABLE = Table(
    "made_up",
    (
        Column("scene", pa.string(), ""),
        Column("name", pa.string(), "", True),
        Column("values", pa.list_(pa.float64()), "", True),
        Column("parts", pa.list_(pa.struct([("role", pa.string()), ("id", pa.int32())])), ""),
        Column("number", pa.float64(), "", True),
    ),
    ("scene", "name"),
)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "scene": st.sampled_from(["a", "b", "c"]),
            "name": st.text(max_size=4),
            "values": st.none() | st.lists(st.floats(allow_nan=False), max_size=3),
            "parts": st.lists(
                st.fixed_dictionaries({"role": st.text(max_size=2), "id": st.integers(-5, 5)}), max_size=2
            ),
            "number": st.none() | st.floats(allow_nan=False),
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["scene"], row["name"]),
)


@given(ROWS, st.sampled_from(["a", "b"]))
def test_rows_with_different_keys_stand_sorted(rows, scene):
    # The same name in two scenes is no repetition.
    held = [row for row in rows if row["scene"] != scene]
    held += [{**row, "scene": scene} for row in held]
    held = list({(row["scene"], row["name"]): row for row in held}.values())
    keys = [(row["scene"], row["name"]) for row in conform(TABLE, held).to_pylist()]
    assert keys == sorted((row["scene"], row["name"]) for row in held)


@given(ROWS, st.randoms())
def test_hash_does_not_depend_on_order_or_layout(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    whole = conform(TABLE, rows)
    chunked = pa.concat_tables([whole.slice(i, 1) for i in range(len(rows))] or [whole])
    assert content_hash(whole) == content_hash(conform(TABLE, shuffled)) == content_hash(chunked)


@given(ROWS, ROWS)
def test_hash_tells_different_rows_apart(one, other):
    a, b = conform(TABLE, one), conform(TABLE, other)
    assert (content_hash(a) == content_hash(b)) == (a.to_pylist() == b.to_pylist())


def hashed_plainly(column, kind):
    """What `content_hash` hashes of a column's values, by its definition."""
    yield len(column).to_bytes(8, "little")
    yield np.packbits(np.array([value is not None for value in column], bool)).tobytes()
    if pa.types.is_struct(kind):
        for field in kind:
            yield from hashed_plainly(
                [None if value is None else value[field.name] for value in column], field.type
            )
    elif pa.types.is_list(kind):
        lists = [value or [] for value in column]
        yield b"".join(len(value).to_bytes(8, "little") for value in lists)
        yield from hashed_plainly([item for value in lists for item in value], kind.value_type)
    elif pa.types.is_string(kind):
        texts = [(value or "").encode() for value in column]
        yield b"".join(len(text).to_bytes(8, "little") for text in texts)
        yield b"".join(texts)
    else:
        yield np.array([value or 0 for value in column], kind.to_pandas_dtype()).tobytes()


@given(ROWS, st.integers(0, 3), st.integers(0, 8))
def test_hash_is_the_one_of_its_definition(rows, start, length):
    table = conform(TABLE, rows).slice(start, length)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(table.num_rows.to_bytes(8, "little"))
    for field in table.schema:
        digest.update(f"{field.name}:{field.type}\0".encode())
        for part in hashed_plainly(table.column(field.name).to_pylist(), field.type):
            digest.update(part)
    assert content_hash(table) == digest.hexdigest()


@given(ROWS)
def test_hash_survives_a_round_trip_through_parquet(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("store") / "data.parquet"
    table = conform(TABLE, rows)
    write_parquet(path, table)
    assert content_hash(pq.read_table(path, schema=TABLE.schema)) == content_hash(table)


def test_hash_of_values_that_a_sloppy_hash_confuses():
    def hashed(**row):
        base = {"scene": "a", "name": "n", "values": [], "parts": [], "number": None}
        return content_hash(conform(TABLE, [{**base, **row}]))

    distinct = [
        hashed(), hashed(values=None), hashed(values=[0.0]), hashed(number=0.0), hashed(name=""),
        hashed(name=None), hashed(parts=[{"role": "a", "id": 0}]), hashed(parts=[{"role": "", "id": 0}]),
        hashed(parts=[{"role": "a", "id": 0}, {"role": "", "id": 0}]),
    ]  # fmt: skip
    assert len(set(distinct)) == len(distinct)
    assert hashed(number=-0.0) == hashed(number=0.0)


def row(**changes):
    return {"scene": "a", "name": "n", "values": [], "parts": [], "number": 1.0, **changes}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"scene": "a"}], "columns missing"),
        ([row(surplus=1)], "surplus"),
        ([row(scene=None)], "null"),
        ([row(number=math.nan)], "NaN"),
        ([row(values=[1.0, math.nan])], "NaN"),
        ([row(number="many")], "made_up"),
        ([row(), row()], "two rows share"),
        ([row(name="b"), row(name=None), row(name="a"), row(name=None)], "two rows share"),
        ([row(name="b"), row(name="a"), row(name="b", values=[1.0])], "two rows share"),
        (pl.DataFrame({"scene": ["a"]}), "columns missing"),
        (pa.table({"scene": ["a"]}), "columns missing"),
    ],
)
def test_rows_that_do_not_fit_are_rejected(rows, message):
    with pytest.raises(SchemaError, match=message):
        conform(TABLE, rows)


def test_tables_of_the_lake_have_unique_columns_and_sort_by_their_own():
    for table in vars(tables).values():
        if isinstance(table, Table):
            names = table.schema.names
            assert len(set(names)) == len(names)
            assert set(table.order) <= set(names)
            assert table.order[0] == "scene"


def test_one_scene_reads_without_more_than_few_neighbors(tmp_path):
    lake = Lake(tmp_path)
    sizes = [ROWS_PER_GROUP + 1, 3, ROWS_PER_GROUP, 1, *[ROWS_PER_GROUP // 4] * 8]
    rows = [
        {
            "dataset": "d",
            "release": "r",
            "scene": f"s{number:02d}",
            "set": "keyframes",
            "position": position,
            "frame": str(position),
        }
        for number, size in enumerate(sizes)
        for position in range(size)
    ]
    path = lake.table_path(tables.KEYFRAMES, "d-r-0000")
    write_parquet(path, conform(tables.KEYFRAMES, rows))
    held = pq.ParquetFile(path)
    groups = [
        held.read_row_group(number, ["scene"])["scene"].to_pylist() for number in range(held.num_row_groups)
    ]
    assert [sorted(set(group)) for group in groups] == [
        ["s00"], ["s01", "s02"], ["s03", "s04", "s05", "s06", "s07"], ["s08", "s09", "s10", "s11"],
    ]  # fmt: skip
    for number, size in enumerate(sizes):
        assert lake.read(tables.KEYFRAMES, "d-r-0000", f"s{number:02d}").height == size
    assert lake.read(tables.KEYFRAMES, "d-r-0000").height == len(rows)
    assert lake.read(tables.KEYFRAMES, "d-r-0001").columns == tables.KEYFRAMES.schema.names
    assert lake.shards(tables.KEYFRAMES) == ["d-r-0000"]


def test_written_bytes_do_not_depend_on_the_frame_they_come_from(tmp_path):
    rows = [row(name=str(i), values=[float(i)]) for i in range(40)]
    frame = pl.from_arrow(conform(TABLE, rows))
    pieces = pl.concat([frame[i : i + 3] for i in range(0, 40, 3)], rechunk=False)
    write_parquet(tmp_path / "a", conform(TABLE, rows[::-1]))
    write_parquet(tmp_path / "b", conform(TABLE, pieces))
    write_parquet(tmp_path / "c", conform(TABLE, pieces.to_arrow().select(TABLE.schema.names[::-1])))
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1


@given(
    ROWS,
    st.dictionaries(st.sampled_from("abcd"), st.none() | ROWS, max_size=4),
    st.integers(1, 9),
    st.integers(0, 600),
)
def test_a_table_with_some_scenes_replaced_is_the_one_made_anew(
    tmp_path_factory, rows, replaced, size, small
):
    pieces = {
        scene: None
        if given is None
        else conform(TABLE, [{**row, "scene": scene} for row in once_named(given)])
        for scene, given in replaced.items()
    }
    folder = tmp_path_factory.mktemp("replaced")
    write_parquet(folder / "stood", conform(TABLE, rows))
    read = pq.read_table(folder / "stood", schema=TABLE.schema)
    stood = pa.Table.from_batches(read.to_batches(max_chunksize=size), schema=TABLE.schema)
    expected = [row for row in rows if row["scene"] not in replaced]
    expected += [row for piece in pieces.values() if piece is not None for row in piece.to_pylist()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spatial_assets.storage.lake.ROWS_PER_GROUP", 2)
        patch.setattr("spatial_assets.storage.lake.SMALL_TABLE", small)
        write_parquet(folder / "anew", conform(TABLE, expected))
        write_parquet(folder / "replaced", with_scenes(stood, pieces))
    assert (folder / "anew").read_bytes() == (folder / "replaced").read_bytes()
    assert set(by_scene(with_scenes(stood, pieces))) == {row["scene"] for row in expected}


def once_named(rows):
    return list({row["name"]: row for row in rows}.values())


def test_texts_that_repeat_are_written_as_a_dictionary_and_nothing_else_is(tmp_path, monkeypatch):
    monkeypatch.setattr("spatial_assets.storage.lake.SMALL_TABLE", 0)
    rows = [row(name=str(i), values=[1.0], parts=[{"role": "target", "id": 7}]) for i in range(200)]
    write_parquet(tmp_path / "table", conform(TABLE, rows))
    group = pq.ParquetFile(tmp_path / "table").metadata.row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    encoded = {it.path_in_schema: "RLE_DICTIONARY" in it.encodings for it in columns}
    assert encoded == {
        "scene": True,
        "name": False,
        "values.list.element": False,
        "parts.list.element.role": True,
        "parts.list.element.id": False,
        "number": False,
    }
    assert [it.path_in_schema for it in columns if it.statistics is not None] == ["scene"]


NAMES = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("/%2F.. aA~"), min_size=1, max_size=20
)


@given(NAMES, NAMES)
def test_file_names_are_safe_and_distinct(one, other):
    for name in (one, other):
        assert unquote(file_name(name)) == name
        assert set(file_name(name)) <= set(string.ascii_letters + string.digits + "_.-~%")
    assert (file_name(one) == file_name(other)) == (one == other)


@pytest.mark.parametrize("pair", ["a/b a%2Fb", "a%20b a+b", "A a", "é e", ". .."])
def test_file_names_of_names_that_a_sloppy_one_confuses(pair):
    one, other = pair.split(" ")
    assert file_name(one) != file_name(other)


def test_write_leaves_nothing_behind_when_it_fails(tmp_path, monkeypatch):
    table = conform(TABLE, [row()])
    monkeypatch.setattr(
        pq.ParquetWriter, "write_table", lambda *a, **k: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        write_parquet(tmp_path / "data.parquet", table)
    assert list(tmp_path.iterdir()) == []


def test_hash_of_integers_and_floats_is_by_value():
    assert content_hash(pa.table({"x": np.arange(3)})) != content_hash(pa.table({"x": np.arange(3.0)}))


@given(ROWS, st.lists(st.sampled_from([column.name for column in TABLE.columns]), min_size=1, unique=True))
def test_some_columns_are_those_of_the_whole_table(tmp_path_factory, rows, names):
    """Of a scene or a shard, in the order asked for, also of a table that is not there or an older one's file."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    columns = tuple(names)
    assert lake.read(TABLE, "s", "a", columns).equals(TABLE.empty().select(columns))
    path = lake.table_path(TABLE, "s")
    write_parquet(path, conform(TABLE, rows))
    for scene in (None, "a", "b", "nobody"):
        assert lake.read(TABLE, "s", scene, columns).equals(lake.read(TABLE, "s", scene).select(columns))
    older = pq.read_table(path, partitioning=None).drop_columns(["number"])
    pq.write_table(older, path)
    for scene in ("a", "b"):
        whole = Lake(lake.root.parent).read(TABLE, "s", scene)
        assert lake.read(TABLE, "s", scene, columns).equals(whole.select(columns))

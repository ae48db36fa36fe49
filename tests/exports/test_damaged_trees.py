"""Damaged trees to `--validate`, as tools and people break them: exit status 1, and a line that names the file."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from every_home import DESCRIBED, OCCLUDED, RELEASE, every_home
from test_every_format import RELEASED, validated

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export

VALUES = (
    None,
    float("nan"),
    float("inf"),
    [],
    {},
    "",
    -1,
    True,
    [[1]],
    {"a": 1},
    10**30,
    "a" * 5000,
    "\x00",
    "\ud800",
)
"""What a field of JSON may hold that nobody meant."""
COLUMNS = (None, 7, "x", [1], {"a": 1}, float("nan"), b"\xff")
"""The same of a column."""
OF_TASKS = {"scanrefer": DESCRIBED, "spatialmosaic": OCCLUDED}
"""Formats that take rows of certain tasks alone."""
TEXTS = (".json", ".jsonl", ".tsv")
TABLE, TEXT, LISTS = "data/*.parquet", "*.tsv", "boxes_*.json"


@pytest.fixture(scope="module")
def trees(released, tmp_path_factory):
    """One export of each format, made when it is asked for. Tests put back what they break."""
    base, homes = tmp_path_factory.mktemp("trees"), []

    def made(form):
        out = base / form
        if not out.exists():
            source = ReleaseRows(released.home, "v1", limit=12)
            if form in OF_TASKS:
                if not homes:
                    homes.append(every_home(tmp_path_factory.mktemp("every")))
                source = ReleaseRows(homes[0], RELEASE, OF_TASKS[form], ("test",))
            export(form, source, out, Options(ImageMode.COPY))
            assert validated(form, out)[0] == 0
        return out

    return made


def rejected(form, out, file, data):
    """What the command says of a tree in which a file holds other bytes, or is not there; the file is put back."""
    before = file.read_bytes()
    try:
        file.unlink()
        if data is not None:
            file.write_bytes(data)
        done = CliRunner().invoke(main, ["export", "--validate", form, str(out)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        code, told = done.exit_code, done.output
    finally:
        file.write_bytes(before)
    return code, told


def data_files(out):
    """Those with records, in any format."""
    beside = (
        "ids.parquet",
        "ids_MCQ.parquet",
        "md5.json",
        "index.json",
        "levels.json",
        "LICENSES.md",
        "README.md",
    )
    kinds = (*TEXTS, ".parquet", ".tar", ".ply")
    found = [file for file in sorted(out.rglob("*")) if file.suffix in kinds and file.name not in beside]
    return [file for file in found if not file.parent.name.startswith("spatial_assets_scorer")]


BYTES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "not UTF-8": lambda data: data[: len(data) // 3] + b"\xff\xc3(" + data[len(data) // 3 + 3 :],
    "zeros": lambda data: bytes(len(data)),
    "gone": lambda data: None,
}


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("form", "damage"), [(form, damage) for form in [*RELEASED, *OF_TASKS] for damage in BYTES]
)
def test_a_file_of_other_bytes_is_named(form, damage, trees):
    out = trees(form)
    for file in data_files(out)[:4]:
        if damage == "not UTF-8" and file.suffix not in TEXTS:
            continue
        if damage == "gone" and form == "spar" and file.suffix == ".json":
            continue  # an index, which published trees need not have
        code, told = rejected(form, out, file, BYTES[damage](file.read_bytes()))
        # Where it was the only one of its kind, there is none.
        named = (
            file.stem.partition(".")[0] in told
            or (damage == "gone" and "is there" in told)
            or "is not there" in told
        )
        assert code == 1 and named, (file.name, told)


def places(value, path=()):
    """The first and last fields of everything that JSON holds."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        for number in {0, len(value) - 1}:
            yield from places(value[number], (*path, number))


def put(value, path, new):
    if not path:
        return new
    held = value.copy()
    held[path[0]] = put(value[path[0]], path[1:], new)
    return held


def json_files(out):
    return [file for file in sorted(out.rglob("*.json*")) if file.suffix in (".json", ".jsonl")]


@pytest.mark.every(3)
@pytest.mark.parametrize("form", [*RELEASED, *OF_TASKS])
def test_no_value_of_a_field_stops_the_check(form, trees):
    out = trees(form)
    for file in json_files(out)[:3]:
        whole = file.read_text(encoding="utf-8")
        is_list = file.suffix == ".json"
        content = json.loads(whole) if is_list else [json.loads(line) for line in whole.splitlines()]
        found = list(places(content))
        for number, path in enumerate(found[:: max(1, len(found) // 16)]):
            changed = put(content, path, VALUES[number % len(VALUES)])
            lines = [changed] if is_list or not isinstance(changed, list) else changed
            rejected(form, out, file, "\n".join(map(json.dumps, lines)).encode())


@pytest.mark.every(4)
@pytest.mark.parametrize("form", [*RELEASED, *OF_TASKS])
def test_no_type_of_a_column_stops_the_check(form, trees):
    out = trees(form)
    tables = sorted(out.rglob("*.parquet"))
    for file in tables[:2]:
        held = pq.read_table(file)
        for number, name in enumerate(held.column_names):
            value = COLUMNS[number % len(COLUMNS)]
            written = io.BytesIO()
            pq.write_table(held.set_column(number, name, pa.array([value] * len(held))), written)
            rejected(form, out, file, written.getvalue())
        written = io.BytesIO()
        needed = next(name for name in ("qa_id", "id", "file") if name in held.column_names)
        pq.write_table(held.drop_columns([needed]), written)
        code, told = rejected(form, out, file, written.getvalue())
        assert code == 1 and file.name in told


def first(content, name):
    return next(box for box in content["annotations"] if name in box)


def coco(change):
    def changed(data):
        content = json.loads(data)
        change(content)
        return json.dumps(content).encode()

    return changed


def duplicated(content):
    content["annotations"][1]["id"] = content["annotations"][0]["id"]


def exchanged(content):
    one, *_, other = content["annotations"]
    one["bbox"], other["bbox"] = other["bbox"], one["bbox"]


def cells(change):
    def changed(data):
        rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter="\t"))
        change(rows)
        held = io.StringIO(newline="")
        table = csv.DictWriter(held, rows[0], delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        return held.getvalue().encode()

    return changed


def swap(name):
    def swapped(rows):
        other = next(row for row in rows if row[name] != rows[0][name])
        rows[0][name], other[name] = other[name], rows[0][name]

    return swapped


def columns(**changed):
    def written(data):
        held = io.BytesIO()
        before = pq.read_table(io.BytesIO(data))
        made = pl.DataFrame(before).with_columns(**changed).to_arrow(compat_level=pl.CompatLevel.oldest())
        for name in changed:
            number = before.schema.get_field_index(name)
            before = before.set_column(number, name, made.column(name))
        pq.write_table(before, held)
        return held.getvalue()

    return written


def members(change):
    def changed(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            held = [(member.name, tar.extractfile(member).read()) for member in tar]
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w") as tar:
            for name, content in change(held):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return written.getvalue()

    return changed


def field(name, value):
    """The box's first number, or all of a field of the first record, is another."""
    return coco(lambda content: content["annotations"][0].__setitem__(name, value))


def boxes(change):
    def changed(data):
        content = json.loads(data)
        change(next(iter(next(iter(content.values())).values())))
        return json.dumps(content).encode()

    return changed


def without(text):
    return lambda data: data.replace(text, b"", 1)


TRUTH = pl.col("ground_truth")
DAMAGES = {
    "coco: a box that is no number": ("coco", "*.json", field("bbox", [float("nan"), 1, 2, 3]), "bbox is not"),
    "coco: an endless box": ("coco", "*.json", field("bbox", [0, 0, float("inf"), 3]), "bbox is not"),
    "coco: a box of texts": ("coco", "*.json", field("bbox", ["0", "0", "1", "1"]), "bbox is not"),
    "coco: an area of text": ("coco", "*.json", field("area", "many"), "area is no number"),
    "coco: no category": ("coco", "*.json", field("category_id", 10_000), "category 10000 is not there"),
    "coco: an id twice": ("coco", "*.json", coco(duplicated), "its id is another's"),
    "coco: boxes exchanged": ("coco", "*.json", coco(exchanged), "bbox"),
    "coco: an image with a list for an id": (
        "coco", "*.json", coco(lambda held: held["images"][0].__setitem__("id", [])), "its id is no whole number",
    ),
    "scanrefer: a box that is no number": (
        "scanrefer", LISTS, boxes(lambda box: box["center"].__setitem__(0, float("nan"))), "center is not 3 numbers",
    ),
    "scanrefer: a box without a size": ("scanrefer", LISTS, boxes(lambda box: box.pop("size")), "size is not 3"),
    "scanrefer: no boxes": ("scanrefer", LISTS, lambda data: None, "cannot be read"),
    "scanrefer: another word": (
        "scanrefer", "ScanRefer_*.json", lambda data: data.replace(b'"token":["this"', b'"token":["that"', 1), "token",
    ),
    "scanrefer: a scene that is not listed": ("scanrefer", "*.txt", lambda data: b"", "names other scenes"),
    "vlmevalkit: a letter of no option": (
        "vlmevalkit", "*_MCQ.tsv", cells(lambda rows: rows[0].__setitem__("answer", "Q")), "is the letter of no option",
    ),
    "vlmevalkit: answers exchanged": ("vlmevalkit", "*_openended.tsv", cells(swap("answer")), "answers"),
    "vlmevalkit: an index twice": (
        "vlmevalkit", TEXT, cells(lambda rows: rows[1].__setitem__("index", rows[0]["index"])), "is that of row 1",
    ),
    "vlmevalkit: a broken image": (
        "vlmevalkit", TEXT, cells(lambda rows: rows[0].__setitem__("image", "A" * 400)), "no base64 of an image",
    ),
    "vlmevalkit: no sums": ("vlmevalkit", "md5.json", lambda data: b"[]", "not sums by file"),
    "lmms-eval: another letter": ("lmms-eval", TABLE, columns(mc_answer=pl.lit("D")), "mc_answer is"),
    "lmms-eval: a letter of no choice": (
        "lmms-eval", TABLE, columns(choices=pl.lit(["one"], pl.List(pl.String))), "which is the letter of no choice",
    ),
    "lmms-eval: answers exchanged": ("lmms-eval", TABLE, columns(ground_truth=TRUTH.reverse()), "answers"),
    "lmms-eval: an id twice": ("lmms-eval", TABLE, columns(id=pl.col("id").first()), "is that of"),
    "lmms-eval: numbers for texts": ("lmms-eval", TABLE, columns(question=pl.lit(7)), "no column question"),
    "lmms-eval: a tolerance that is none": ("lmms-eval", TABLE, columns(tolerance=pl.lit(float("nan"))), "tolerance"),
    "lmms-eval: an empty task": ("lmms-eval", "*_train.yaml", lambda data: b"", "has no task"),
    "lmms-eval: a task without its texts": ("lmms-eval", "*.yaml", without(b"doc_to_text:"), "has no doc_to_text"),
    "lmms-eval: a task twice": ("lmms-eval", "*_train.yaml", lambda data: 2 * data, "more than once"),
    "lmms-eval: a task that is no text": ("lmms-eval", "*.yaml", lambda data: b"\xff" + data, "is no text"),
    "lmms-eval: a split's task is gone": ("lmms-eval", "*_train.yaml", lambda data: None, "train"),
    "lmms-eval: a scorer that is no text": ("lmms-eval", "*/profile.py", lambda data: b"\xff" + data, "is no text"),
    "lmms-eval: another package": ("lmms-eval", "*/__init__.py", lambda data: b"raise", "__init__.py"),
    "ply: another list of labels": ("ply", "labels.json", lambda data: b"[]", "not names by label"),
    "ply: no labels": ("ply", "labels.json", lambda data: None, "labels.json: not there"),
    "ply: a header of more": ("ply", "**/*.ply", lambda data: data.replace(b"vertex ", b"vertex 9", 1), "bytes where"),
    "webdataset: an image is gone": ("webdataset", "*.tar", members(lambda held: held[:1] + held[2:]), "images"),
    "webdataset: a question twice": ("webdataset", "*.tar", members(lambda held: 2 * held), "already"),
    "webdataset: nothing": ("webdataset", "*.tar", members(lambda held: []), "ends after 0"),
    "webdataset: another index": ("webdataset", "index.json", lambda data: b'{"shardlist":[1]}', "not an index"),
    "hf: answers exchanged": ("hf", TABLE, columns(answer=pl.col("answer").reverse()), "answers"),
    "hf: numbers for texts": ("hf", TABLE, columns(answer=pl.lit(7)), "is no text but"),
    "hf: numbers for images": ("hf", TABLE, columns(images=pl.lit(7)), "holds neither images nor paths"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_a_line_that_names_the_file(name, trees):
    form, pattern, damage, said = DAMAGES[name]
    out = trees(form)
    file = sorted(out.glob(pattern))[-1]
    data = damage(file.read_bytes())
    code, told = rejected(form, out, file, data)
    assert code == 1 and (data is None or file.stem.partition(".")[0] in told), told
    assert said in told, told


def test_a_problem_is_one_line_whatever_a_file_says(trees, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(trees("qwen-vl"), out)
    file = sorted(out.glob("*.jsonl"))[0]
    head, *rest = file.read_text(encoding="utf-8").splitlines()
    changed = json.loads(head) | {"id": "two\nlines \ud800"}
    file.write_text("\n".join([json.dumps(changed), *rest, ""]), encoding="utf-8")
    code, told = validated("qwen-vl", out)
    assert code == 1 and "two\\nlines \\ud800" in told
    assert all(line.startswith((file.name, "1 error", "2 errors")) for line in told.splitlines()), told

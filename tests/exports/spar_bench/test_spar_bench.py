"""SPAR-Bench's files: the published features, what is drawn and numbered, what comes back, and damage that is found."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from digests import digest
from PIL import Image

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.bench_draw import Drawable, draw
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.spar_bench import spar_bench
from spatial_assets.exports.spar_bench.tasks import bench_tasks, directions
from spatial_assets.imaging.marks import POINT_RADIUS, REFERENCE_WIDTH
from spatial_assets.releases import create
from spatial_assets.scene.model import InputError
from spatial_assets.scoring import sparbench

PUBLISHED = ["id", "img_type", "format_type", "task", "source", "image", "question", "answer"]


def made(bench, out, splits=(), tasks=(), limit=None, **options):
    source = ReleaseRows(bench.home, "v1", tasks, splits, limit)
    return export("spar-bench", source, out, Options(**options))


@pytest.fixture(scope="module")
def tiny_one(bench, tmp_path_factory):
    out = tmp_path_factory.mktemp("tiny_bench") / "out"
    made(bench, out, size="tiny")
    return out


def rows(out):
    return [
        row for path in sorted((out / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def test_the_tasks_are_those_that_the_scorer_knows():
    tasks = bench_tasks()
    assert set(tasks) == {*sparbench.NUMBERS, *sparbench.CHOICES, sparbench.VIEW_CHANGE}
    assert [task.id for task in tasks.values()] == list(range(0, 8000, 400))
    for task in tasks.values():
        assert task.format == ("select" if task.task in sparbench.CHOICES else "fill")
        assert task.images == (3 if task.task.endswith("_mv") else 2 if task.id in (3200, 5200, 5600) else 1)
    assert sum(task.published_rows for task in tasks.values()) == 7211


def test_the_file_has_the_published_features(tiny_one):
    (path,) = (tiny_one / "data").glob("*")
    assert path.name == "test-00000-of-00001.parquet"
    schema = pq.read_schema(path)
    assert schema.names == PUBLISHED
    assert schema.field("id").type == pa.int64()
    assert schema.field("image").type == pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == PUBLISHED
    assert features["image"] == {"feature": {"_type": "Image"}, "_type": "Sequence"}


def test_the_library_of_the_published_dataset_loads_every_row(tiny_one, tmp_path):
    datasets = pytest.importorskip("datasets", reason="the library `datasets` is not installed")
    held = datasets.load_dataset(str(tiny_one), split="test", cache_dir=str(tmp_path))
    assert list(held.features) == PUBLISHED and len(held) == len(rows(tiny_one))
    for row in held:
        assert all(image.size == (96, 72) for image in row["image"])


def test_ids_say_the_task_and_every_row_is_whole(tiny_one, bench):
    found = rows(tiny_one)
    counts = Counter(row["task"] for row in found)
    assert counts == {task: min(50, len(own)) for task, own in wanted(bench).items()}
    assert [row["id"] for row in found] == sorted({row["id"] for row in found})
    for row in found:
        task = bench_tasks()[row["task"]]
        assert 0 <= row["id"] - task.id < 400
        assert (row["format_type"], len(row["image"])) == (task.format, task.images)
        assert row["img_type"] == ("single_view" if task.images == 1 else "multi_view")
        for image in row["image"]:
            with Image.open(io.BytesIO(image["bytes"])) as opened:
                opened.load()
                assert opened.size == (96, 72)


def wanted(bench):
    """Questions of each task that no check drops: all but view changes without units."""
    return {
        task: [
            question
            for question in own
            if task != sparbench.VIEW_CHANGE
            or all(word in question.row["question"] for word in ("meters", "degrees"))
        ]
        for task, own in bench.questions.items()
    }


def test_the_official_scorer_takes_the_right_answers_for_right(tiny_one):
    profile = sparbench.PROFILES[0]
    for row in rows(tiny_one):
        scored = profile.scorers[row["task"]]({"prediction": row["answer"], "ground_truth": row["answer"]})
        assert scored == 1.0, row["id"]


def test_answers_that_never_look_score_what_the_report_says(tiny_one, tmp_path):
    told = json.loads((tiny_one / "report.json").read_text())
    said = {entry["task"]: entry["chance"] for entry in told["tasks"]}
    for name in ("most_frequent", "best_constant"):
        lines = [
            {
                "task": row["task"],
                "prediction": said[row["task"]][f"{name}_answer"] or row["answer"],
                "ground_truth": row["answer"],
            }
            for row in rows(tiny_one)
        ]
        (tmp_path / "said.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        words = ["score", "sparbench", tmp_path / "said.jsonl", "--profile", "official"]
        words += ["--summary", tmp_path / "sum.json"]
        done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        summary = json.loads((tmp_path / "sum.json").read_text())
        assert summary["counts"] == {task: said_of["rows"] for task, said_of in by_task(told).items()}
        for task, mean in summary["tasks"].items():
            wanted = said[task][name]
            assert mean == (1.0 if wanted is None else pytest.approx(wanted / 100, abs=5.1e-5)), task
        if name == "most_frequent":
            assert summary["overall"] == pytest.approx(told["chance"][name]["overall"] / 100, abs=5.1e-5)


def by_task(told):
    return {entry["task"]: entry for entry in told["tasks"]}


def test_what_is_written_comes_back(tiny_one, bench):
    by_id = {question.row["qa_id"]: question for own in bench.questions.values() for question in own}
    back = list(spar_bench.read_back(tiny_one))
    assert len(back) == len(rows(tiny_one))
    for row in back:
        question = by_id[row["qa_id"]]
        held = {**question.row, "split": question.split}
        assert row == {name: held[name] for name in spar_bench.CARRIES}
    assert spar_bench.validate(tiny_one) == []
    (file,) = (tiny_one / "data").glob("*")
    assert spar_bench.validate(file) == []
    assert list(spar_bench.read_back(file)) == back


def test_nothing_of_other_scenes_comes_in(tiny_one, bench):
    held_out = {question.row["scene"] for own in bench.questions.values() for question in own}
    assert len(held_out) == 1
    assert {row["scene"] for row in spar_bench.read_back(tiny_one)} == held_out


def test_marks_are_discs_of_the_published_size(tiny_one, bench):
    origins = {row["qa_id"]: row for row in spar_bench.read_back(tiny_one)}
    seen = 0
    for row, origin in zip(rows(tiny_one), spar_bench.read_back(tiny_one), strict=True):
        if row["task"] != "distance_prediction_oc":
            continue
        (mark,) = origins[origin["qa_id"]]["marks"]
        pixels = np.array(Image.open(io.BytesIO(row["image"][0]["bytes"])).convert("RGB"), float)
        height, width = pixels.shape[:2]
        x, y = int(mark["xy"][0] / 1000 * width), int(mark["xy"][1] / 1000 * height)
        radius = POINT_RADIUS * width / REFERENCE_WIDTH
        assert np.abs(pixels[y, x] - (255, 0, 0)).max() < 60
        if x + 4 * radius < width:
            assert np.abs(pixels[y, round(x + 4 * radius)] - (255, 0, 0)).max() > 60
        seen += 1
    assert seen > 10


def test_tiny_is_a_part_of_full_and_seeds_differ(bench, tiny_one, tmp_path):
    tasks = ["obj_spatial_relation_oc_mv", "position_matching"]
    made(bench, tmp_path / "full", tasks=tasks)
    made(bench, tmp_path / "tiny", tasks=tasks, size="tiny")
    made(bench, tmp_path / "other", tasks=tasks, size="tiny", seed=1)
    full, small, other = (
        {row["id"]: row["qa_id"] for row in origins(tmp_path / name)} for name in ("full", "tiny", "other")
    )
    assert small.items() < full.items()
    assert set(small.values()) != set(other.values())
    whole = {row["id"]: row["qa_id"] for row in origins(tiny_one)}
    assert small.items() < whole.items()


def origins(out):
    return [json.loads(line) for line in (out / "origins.jsonl").read_text().splitlines()]


def test_equal_releases_give_equal_bytes_whatever_the_shards(bench, tmp_path, tiny_one):
    tasks = ["camera_motion_infer", "depth_prediction_oo_mv"]
    for name, shards in (("one", 3), ("two", 3), ("whole", 1)):
        made(bench, tmp_path / name, tasks=tasks, size="tiny", shards=shards)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert len(list((tmp_path / "one" / "data").iterdir())) == 3
    assert rows(tmp_path / "one") == rows(tmp_path / "whole")
    assert (tmp_path / "one" / "origins.jsonl").read_bytes() == (
        tmp_path / "whole" / "origins.jsonl"
    ).read_bytes()


def test_where_there_are_fewer_all_are_taken_and_the_report_says_so(bench, tiny_one):
    told = json.loads((tiny_one / "report.json").read_text())
    for entry in told["tasks"]:
        own = bench.questions[entry["task"]]
        assert entry["drawn_from"] == len(own) <= 100
        assert entry["candidates"] == len(wanted(bench)[entry["task"]])
        assert entry["rows"] == min(50, entry["candidates"])
        assert sum(entry["dropped"].values()) == len(own) - entry["candidates"]
    assert told["rows"] == len(rows(tiny_one))
    assert told["licenses"] == ["ScanNet Terms of Use (non-commercial)"]
    assert "not looked at, and kept: " in "\n".join(spar_bench.told(tiny_one))


def test_a_release_without_held_out_scenes_is_told(bench, tmp_path):
    create_home = bench.home
    create.create(create_home, "unsplit", create.Request())
    source = ReleaseRows(create_home, "unsplit")
    with pytest.raises(InputError, match=r"no split 'test': make one with --split train:0.9,test:0.1"):
        export("spar-bench", source, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_another_split_can_be_named(bench, tmp_path):
    done = made(bench, tmp_path / "out", splits=["train"], tasks=["position_matching"], size="tiny")
    assert done.splits == {"train": 50}
    assert {row["split"] for row in origins(tmp_path / "out")} == {"train"}


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"size": "huge"}, "no size 'huge'; there are: full, tiny"),
        ({"images": ImageMode.NONE}, "spar-bench holds its images"),
        ({"rgbd": True}, "spar-bench does not take --rgbd"),
    ],
)
def test_options_that_are_not_its_own(bench, tmp_path, options, line):
    with pytest.raises(ValueError, match=line):
        made(bench, tmp_path / "out", tasks=["position_matching"], **options)
    assert not list(tmp_path.iterdir())


def test_the_draw_is_even_and_its_beginning_too():
    pool = [
        Drawable(f"{number:04d}", f"scene{number % 7}", "ABCD"[number % 9 % 4], "", ((number % 5,),))
        for number in range(900)
    ]
    order = draw(pool, 200, "key")
    by_id = {item.qa_id: item for item in pool}
    for part in (order[:40], order):
        answers = Counter(by_id[qa_id].answer for qa_id in part)
        scenes = Counter(by_id[qa_id].scene for qa_id in part)
        assert max(answers.values()) - min(answers.values()) <= 1
        assert max(scenes.values()) - min(scenes.values()) <= 4
    assert len(set(order)) == 200
    assert draw(reversed(pool), 200, "key") == order
    without = draw(pool, 200, "key", order[:3])
    assert not set(order[:3]) & set(without) and len(set(order) & set(without)) > 150
    assert draw(pool[:5], 200, "key") != [] and draw([], 5, "key") == []


def test_a_view_change_is_drawn_by_its_directions():
    text = "move_right:0,move_up:0.3,move_backward:1.0,rotate_up:10,rotate_left:0"
    assert directions(text) == "move_up,move_backward,rotate_up"
    assert directions("1.5") == "1.5"


def change(row, **values):
    row.update(values)


DAMAGES = {
    "another task's id": (lambda row: change(row, id=row["id"] + 400), "is none of"),
    "no question": (lambda row: change(row, question=""), "question is empty"),
    "no images": (lambda row: change(row, image=[]), "0 images, and"),
    "an unknown task": (lambda row: change(row, task="chess"), "'chess' is no task of SPAR-Bench"),
    "another format": (lambda row: change(row, format_type="judge"), "format_type is 'judge'"),
    "a letter too far": (lambda row: change(row, answer="F"), "answers 'F', which is none of its options"),
    "cut": (
        lambda row: change(row["image"][0], bytes=row["image"][0]["bytes"][:300]),
        "image 0: cannot be read",
    ),
    "no bytes": (lambda row: change(row["image"][0], bytes=None), "image 0: has no bytes"),
}


@pytest.fixture(scope="module")
def whole(bench, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench_whole") / "out"
    made(bench, out, tasks=["position_matching"], size="tiny")
    return out


@pytest.fixture
def damaged(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    return tmp_path / "out"


def rewrite(out, damage):
    (path,) = (out / "data").glob("*")
    table = pq.read_table(path)
    held = table.to_pylist()
    damage(held)
    pq.write_table(pa.Table.from_pylist(held, table.schema), path)


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_damage_is_a_line_that_names_file_and_row(damaged, name):
    damage, line = DAMAGES[name]
    rewrite(damaged, lambda held: damage(held[3]))
    problems = spar_bench.validate(damaged)
    assert any(
        problem.startswith("test-00000-of-00001.parquet: row 3: ") and line in problem for problem in problems
    ), problems


def test_an_answer_of_another_question_is_a_line(damaged):
    def swap(held):
        one = next(row for row in held if row["answer"] == "A")
        one["answer"] = "B"

    rewrite(damaged, swap)
    (line,) = spar_bench.validate(damaged)
    assert "answers 'B', where origins.jsonl has 'A'" in line


def test_numbers_and_view_changes_must_be_such(bench, tmp_path):
    tasks = ["depth_prediction_oc", "view_change_infer"]
    made(bench, tmp_path / "out", tasks=tasks, size="tiny")
    rewrite(tmp_path / "out", lambda held: [held[place].update(answer="far") for place in (0, -1)])
    problems = "\n".join(spar_bench.validate(tmp_path / "out"))
    assert "row 0: the answer is not a number: 'far'" in problems
    assert "the answer is no view change: 'far'" in problems


def test_what_stands_beside_must_fit(damaged):
    rewrite(damaged, lambda held: held.pop())
    problems = spar_bench.validate(damaged)
    assert any(
        "report.json: says 50 rows of position_matching, and there are 49" in problem for problem in problems
    )
    assert any("which is not there" in problem for problem in problems)


def test_an_id_stands_once(damaged):
    rewrite(damaged, lambda held: held.append(held[0]))
    assert any(
        "row 50: id" in problem and "is that of" in problem for problem in spar_bench.validate(damaged)
    )


def test_files_that_are_none(damaged, tmp_path):
    (path,) = (damaged / "data").glob("*")
    path.write_bytes(b"PAR1 nothing")
    (problem,) = [problem for problem in spar_bench.validate(damaged) if "not Parquet" in problem]
    assert path.name in problem
    with pytest.raises(InputError, match="not Parquet"):
        list(spar_bench.read_back(damaged))
    pq.write_table(pa.table({"id": [1]}), path)
    assert any("columns are id" in problem for problem in spar_bench.validate(damaged))
    with pytest.raises(InputError, match="has no column task"):
        list(spar_bench.read_back(damaged))
    (damaged / "origins.jsonl").write_text("{\n")
    with pytest.raises(InputError, match="not JSON lines"):
        list(spar_bench.read_back(damaged))
    assert spar_bench.validate(tmp_path / "none") == [f"{tmp_path / 'none'}: not there"]

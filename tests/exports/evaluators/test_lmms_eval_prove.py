"""lmms-eval 0.7.3 itself: its loader takes the exported tasks, its evaluator gives our scores, its scorers are ours."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import pytest
from chat_cases import HEIGHT, WIDTH
from scored_cases import SAID
from test_lmms_eval import docs, written
from tool_env import tool_python

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.evaluators import lmms_eval
from spatial_assets.exports.evaluators.lmms_eval_task import SHOWN
from spatial_assets.exports.run import export
from spatial_assets.scoring import sparbench, vsibench
from spatial_assets.scoring.run import score_file, score_rows

pytestmark = pytest.mark.prove
ALONE = (
    "lmms-eval==0.7.3", "torch==2.13.0", "evaluate", "sacrebleu", "accelerate", "transformers", "pytablewriter",
    "DataProperty", "mbstrdecoder", "pathvalidate", "tabledata", "tcolorpy", "typepy",
)  # fmt: skip
NEEDS = (
    "aiohttp", "colorama", "datasets", "dill", "huggingface-hub", "jinja2", "loguru", "lxml", "multiprocess",
    "networkx", "numpy", "pandas", "pillow", "portalocker", "psutil", "pytz", "pyyaml", "regex", "requests",
    "safetensors",
    "scikit-learn", "sympy", "tabulate", "tenacity", "tokenizers", "tqdm", "typing-extensions",
)  # fmt: skip
SCRIPT = Path(__file__).parents[2] / "support/lmms_eval_run.py"


@pytest.fixture(scope="module")
def python():
    return tool_python("lmms-eval", ALONE, NEEDS, ["torch", "lmms_eval.evaluator"])


def run(python, cache, *words):
    """What the script wrote. Nothing is fetched, and nothing is kept outside `cache`."""
    environment = {
        "HF_HOME": str(cache),
        "HF_HUB_OFFLINE": "1",
        "PATH": "/usr/bin:/bin",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [str(python), str(SCRIPT), *map(str, words)], capture_output=True, text=True, check=False, env=environment,
        cwd=cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (out,) = (word for word in words if str(word).endswith("told.json"))
    return json.loads(Path(out).read_text(encoding="utf-8"))


def judged(python, out, tmp_path, splits):
    """Every task of a folder by lmms-eval, and the numbers of `spatial-assets score` on the same responses."""
    found = docs(out, *splits)
    said = {
        doc["id"]: SAID[place % len(SAID)].replace("{}", doc["ground_truth"])
        for place, doc in enumerate(found)
    }
    (tmp_path / "responses.json").write_text(json.dumps(said), encoding="utf-8")
    told = run(python, tmp_path, "tasks", out, tmp_path / "responses.json", tmp_path / "told.json")
    compared = 0
    for split in splits:
        for name in ("release", "sparbench", "spatialmosaic", "vsibench"):
            own = [doc for doc in docs(out, split) if name in doc["benchmarks"]]
            if not own:
                continue
            tag = lmms_eval.task_name("v1" if "spatial_assets_v1" in told["names"] else "")
            results = told["results"][lmms_eval.task_name(tag, split, "" if name == "release" else name)]
            file = tmp_path / f"{split}-{name}.jsonl"
            # lmms-eval takes white space off both ends of every response.
            lines = [json.dumps({**doc, "prediction": said[doc["id"]].strip()}) for doc in own]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            for which in SHOWN:
                _, summary = score_file(name, file, which)
                wanted = {"overall": summary["overall"], **summary["tasks"]}
                wanted |= {
                    f"level_{level}": value for level, value in summary["levels"].items() if value is not None
                }
                for key, value in wanted.items():
                    if value is None:
                        assert results.get(f"{which}_{key}") is None
                    else:
                        assert results[f"{which}_{key}"] == value, (split, name, which, key)
                    compared += 1
    return told, found, compared


def test_its_evaluator_gives_our_scores_on_every_kind_of_answer(python, tmp_path):
    out = written(tmp_path / "out")
    told, found, compared = judged(python, out, tmp_path, ["train", "val"])
    print(
        f"\nlmms-eval 0.7.3: {len(told['results'])} tasks, {len(found)} documents, {compared} numbers equal"
    )
    assert told["names"]["spatial_assets_val"] == "task" and told["names"]["spatial_assets"] == "tag"
    assert compared > 50
    for doc in found:
        assert (
            told["asked"][doc["id"]] == doc["question"] and told["targets"][doc["id"]] == doc["ground_truth"]
        )
        assert told["images"][doc["id"]] == [[WIDTH, HEIGHT]] * len(doc["images"])


def test_its_evaluator_gives_our_scores_on_a_release(python, bench, tmp_path):
    out = tmp_path / "out"
    export("lmms-eval", ReleaseRows(bench.home, "v1", limit=400), out, Options(ImageMode.DRAW))
    splits = [file.stem for file in sorted(out.glob("data/*.parquet"))]
    told, found, compared = judged(python, out, tmp_path, splits)
    print(
        f"\nlmms-eval 0.7.3: {len(told['results'])} tasks, {len(found)} documents, {compared} numbers equal"
    )
    assert compared > 80 and all(told["images"][doc["id"]] for doc in found)


TRUTHS = {
    **dict.fromkeys(sparbench.CHOICES, ("B",)),
    **dict.fromkeys(sparbench.NUMBERS, ("2.4", "0.5")),
    sparbench.VIEW_CHANGE: ("move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75",),
    **dict.fromkeys(vsibench.CHOICES, ("B",)),
    **dict.fromkeys(vsibench.UNITS, ("2.4", "4", "0")),
}
MORE = (
    "four",
    " 4",
    "~4",
    "1e1",
    "twenty-one",
    "2,400",
    "-2.4",
    "move_right:1.6,rotate_left:70",
    "b",
    "B.",
    "x",
)


@pytest.mark.parametrize(("benchmark", "profile"), [("sparbench", "official"), ("vsibench", "lmms_eval_0_7")])
def test_its_own_scorers_are_ours(python, tmp_path, benchmark, profile):
    """Each response to each truth, errors included, and the means where no row stops the released code."""
    module = {"sparbench": sparbench, "vsibench": vsibench}[benchmark]
    tasks = [task for task in TRUTHS if task in module.PROFILES[0].scorers]
    rows = [
        {"task": task, "ground_truth": truth, "prediction": said.replace("{}", truth)}
        for task in tasks
        for truth in TRUTHS[task]
        for said in (*SAID, *MORE)
    ]
    other = "vsibench" if benchmark == "sparbench" else "sparbench"
    filler = [
        [other, {"task": task, "ground_truth": TRUTHS[task][0], "prediction": "B"}]
        for task in TRUTHS
        if task not in tasks
    ]
    file, out = tmp_path / "rows.json", tmp_path / "told.json"
    file.write_text(json.dumps([*([benchmark, row] for row in rows), *filler]), encoding="utf-8")
    if benchmark == "sparbench":
        # As released, its rule for numbers names what the module does not import, so that no number counts.
        told = run(python, tmp_path, "scorers", file, out)
        places = [place for place, row in enumerate(rows) if row["task"] in sparbench.NUMBERS]
        assert told["lacking"] and {told["scores"][place] for place in places} == {0.0}
    told = run(python, tmp_path, "scorers", file, out, "mended")
    scored, _ = score_rows(benchmark, rows, profile)
    for row, made, theirs in zip(scored, scored, told["scores"], strict=False):
        if isinstance(theirs, str):
            assert made["score"] is None and made["error"].startswith(theirs), (row, theirs)
        else:
            assert made["score"] == theirs, (row, theirs)
    kept = [row for row in scored if row["score"] is not None]
    _, summary = score_rows(benchmark, [{**row} for row in kept], profile)
    assert math.isclose(told["means"][benchmark]["overall"], summary["overall"], rel_tol=0, abs_tol=1e-12)
    errors = sum(isinstance(theirs, str) for theirs in told["scores"][: len(rows)])
    print(f"\nlmms-eval 0.7.3 {benchmark}: {len(rows)} rows equal, {errors} of them errors")

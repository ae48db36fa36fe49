"""SPAR's folders as the library `datasets` loads them: all rows of a file, and all files as its page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spar_questions import Handed, everything, row_of

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.spar import layout as spar_layout
from spatial_assets.exports.spar import spar
from spatial_assets.storage.instance_images import gray16_png

pytest.importorskip("datasets", reason="the library `datasets` is not installed: make setup")

PAGE = Path(__file__).parents[3] / "docs/spar-export.md"
Records = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is looked for elsewhere, and what the library keeps goes with the test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    yield
    if shown:
        datasets.enable_progress_bars()


def written(source: Handed, out: Path, **options: Any) -> Path:
    out.mkdir()
    spar.write(source, out, Options(**options))
    return out


def lines(path: Path) -> Records:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def told(value: Any) -> Any:
    """Without the fields that a row has not."""
    if isinstance(value, dict):
        return {key: told(held) for key, held in value.items() if held is not None}
    return [told(held) for held in value] if isinstance(value, list) else value


def as_the_page_says(out: Path) -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    known: dict[str, Any] = {}
    exec(code.replace('"out/', f'"{out.as_posix()}/'), known)
    return known["rows"], known["features"]


def by_id(records: Records) -> Records:
    return sorted(records, key=lambda record: (record["source"]["dataset"], record["id"]))


def test_all_files_load_with_the_fields_that_the_page_names(tmp_path: Path) -> None:
    out = written(everything(), tmp_path / "out", images=ImageMode.NONE)
    rows, features = as_the_page_says(out)
    records = [record for path in out.glob("spar/*/qa_jsonl/train/*/*/*.jsonl") for record in lines(path)]
    assert len(rows) == len(records) > 35 and len(set(rows["type"])) == 35
    assert by_id([told(row) for row in rows]) == by_id(records)
    fields = {
        f"{color}_{shape}" for color in spar_layout.COLORS for shape in (spar_layout.POINT, spar_layout.BOX)
    }
    assert fields | {key for record in records for key in record} <= features.keys()


def test_every_file_loads_by_itself(tmp_path: Path) -> None:
    import datasets

    out = written(everything(scenes=1, each=1), tmp_path / "out", images=ImageMode.NONE)
    paths = sorted(out.glob("spar/*/qa_jsonl/train/*/*/*.jsonl"))
    assert {path.parts[-3] for path in paths} == {task.folder for task in spar_layout.tasks().values()}
    for path in paths:
        rows = datasets.load_dataset("json", data_files=str(path), split="train")
        assert [told(row) for row in rows] == lines(path), path


def test_records_with_and_without_depth_load_together(tmp_path: Path) -> None:
    """A field that only some of a file's rows have."""
    task = spar_layout.tasks()["depth_prediction_oc"]
    rows = [row_of(task, "sentence", number) for number in range(4)]
    source = Handed({"train": rows}, tmp_path / "source")
    depth = tmp_path / "source/scene0001_00/depth"
    depth.mkdir(parents=True)
    (depth / "0.png").write_bytes(gray16_png(np.full((48, 64), 1000, np.uint16)))
    out = written(source, tmp_path / "out", images=ImageMode.COPY, rgbd=True)
    (path,) = out.glob("spar/*/qa_jsonl/train/*/*/*.jsonl")
    records = lines(path)
    assert {"depth" in record for record in records} == {True, False}
    assert by_id([told(row) for row in as_the_page_says(out)[0]]) == by_id(records)

"""`spatial-assets labels`: every word of a home, how often, as what it counts, and which nothing maps."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.tables import OBJECTS
from spatial_assets.storage.lake import Lake, conform, write_parquet

LABELS = {"s1": ["couch", "Couch", "gizmo", "wall"], "s2": ["sofa", "gizmo", "gizmos", "office chair"]}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    rows = []
    for scene, labels in LABELS.items():
        for instance, label in enumerate(labels):
            row = dict.fromkeys(OBJECTS.schema.names)
            row |= {
                "dataset": "made",
                "release": "1",
                "license": "none",
                "scene": scene,
                "instance": instance,
            }
            row |= {"label": label, "category": canonical(label), "center": [0.0] * 3, "size": [1.0] * 3}
            row |= {"rotation": [1.0, 0, 0, 0, 1, 0, 0, 0, 1], "yaw": 0.0}
            rows.append({name: row.get(name) for name in OBJECTS.schema.names})
    frame = pl.DataFrame(rows, schema=OBJECTS.empty().schema)
    filled = frame.with_columns(
        *(
            pl.col(field.name).fill_null(False if frame.schema[field.name] == pl.Boolean else 0)
            for field in OBJECTS.schema
            if not field.nullable
            and frame[field.name].null_count()
            and frame.schema[field.name].is_primitive()
        )
    )
    path = Lake(tmp_path).table_path(OBJECTS, "made-0")
    path.parent.mkdir(parents=True)
    write_parquet(path, conform(OBJECTS, filled))
    return tmp_path


def test_words_are_counted_with_what_they_count_as(home: Path) -> None:
    done = CliRunner().invoke(main, ["labels", "--home", str(home), "--json"])
    assert done.exit_code == 0, done.output
    found = {row["label"]: row for row in json.loads(done.output)}
    gizmo = found["gizmo"]
    assert (gizmo["dataset"], gizmo["objects"], gizmo["scenes"]) == ("made", 2, 2)
    assert gizmo["category"] == "gizmo" and not gizmo["mapped"]
    assert (
        found["couch"]["category"] == found["sofa"]["category"] == "sofa" and found["sofa"]["also"] == "seat"
    )
    assert found["office chair"]["also"] == "chair, seat" and found["wall"]["also"] == "(never asked about)"


def test_only_what_nothing_maps_is_asked_for(home: Path) -> None:
    done = CliRunner().invoke(main, ["labels", "--home", str(home), "--unmapped"])
    assert [line.split()[1] for line in done.output.splitlines()[1:3]] == ["gizmo", "gizmos"]
    assert done.output.splitlines()[-1] == "2 words of 3 objects are not in the vocabulary"
    none = CliRunner().invoke(main, ["labels", "--home", str(home), "--dataset", "other"])
    assert none.output.splitlines()[-1] == "0 words of 0 objects are not in the vocabulary"

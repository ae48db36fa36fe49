"""Croissant metadata: complete, true of the release, and read by mlcroissant, the format's own library.

mlcroissant 1.1.1 knows Croissant 1.1. It accepts Parquet by the media type application/x-parquet alone, schema.org with
https alone, and asks for `citeAs`, which a release does not have. It reads the whole release: a second look through the
same `Dataset` finds nothing, and a regex's result is matched once more, which it warns of.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys

import lakes
import polars as pl
import pytest

from spatial_assets.lineage import records
from spatial_assets.releases import croissant
from spatial_assets.releases.create import Request, create
from spatial_assets.scene.tables import DIAGNOSTICS
from spatial_assets.storage import release_manifest as manifest

TASK = "depth_prediction_oc"


@pytest.fixture
def described(copied):
    held = create(copied.home, "v1", Request({"train": 0.5, "val": 0.5}))
    return (
        copied.home,
        held,
        croissant.croissant(copied.home, "v1", "https://example.org/v1", "Someone", "2026-11-20"),
    )


def test_croissant_has_what_1_1_requires(described):
    _, held, found = described
    assert found["@type"] == "sc:Dataset"
    assert found["dct:conformsTo"] == "http://mlcommons.org/croissant/1.1"
    for name in ("@context", "description", "license", "name", "url", "creator", "datePublished"):
        assert found[name]
    assert found["@context"]["prov"] == "http://www.w3.org/ns/prov#"
    assert [item["name"] for item in found["license"]] == held["licenses"]
    json.dumps(found)


def test_every_reference_has_its_target_and_ids_are_unique(described):
    _, _, found = described
    ids, references = [], []

    def walk(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                references.append(value["@id"])
            elif "@id" in value and "@type" in value:
                ids.append(value["@id"])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk({key: value for key, value in found.items() if key != "@context"})
    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)


def test_files_have_their_hashes(described):
    home, held, found = described
    files = {item["@id"]: item for item in found["distribution"] if "sha256" in item}
    assert set(files) == {entry["path"] for entry in held["files"] if entry["path"].startswith("data/")}
    for path, item in files.items():
        data = (manifest.folder(home, "v1") / path).read_bytes()
        assert item["sha256"] == hashlib.sha256(data).hexdigest()
        assert item["contentSize"] == f"{len(data)} B"


def test_fields_are_the_columns_and_provenance_is_there(described):
    home, _, found = described
    sets = {item["@id"]: item for item in found["recordSet"]}
    rows = lakes.rows(home, "questions/depth_prediction_oc")
    fields = {item["@id"].split("/")[1]: item for item in sets["depth_prediction_oc"]["field"]}
    assert set(fields) == {*rows.columns, "split"}
    assert fields["margin"]["dataType"] == "sc:Float"
    assert fields["options"]["isArray"]
    assert {part["@id"] for part in fields["objects"]["subField"]} == {
        "depth_prediction_oc/objects/role", "depth_prediction_oc/objects/instance"
    }  # fmt: skip
    assert sets["depth_prediction_oc"]["annotation"]["equivalentProperty"] == "prov:wasDerivedFrom"
    held = records.load(home, "depth_prediction_oc", "scannet-v2-0000")
    text = sets["depth_prediction_oc"]["prov:wasGeneratedBy"]["prov:value"]
    assert json.loads(text)["code_versions"] == sorted({record.code_version for record in held.values()})
    assert [item["prov:label"] for item in found["prov:wasDerivedFrom"]] == ["scannet v2"]
    regex = fields["split"]["source"]["transform"]["regex"]
    assert re.search(regex, "x/data/train/depth_prediction_oc.parquet")[1] == "train"


READ = """
import json, sys
import mlcroissant

dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.issues
rows = list(dataset.records(sys.argv[2]))
found = {
    "version": dataset.metadata.ctx.conforms_to.value,
    "errors": sorted(issues.errors),
    "warnings": sorted(issues.warnings),
    "rows": rows,
}
json.dump(found, sys.stdout, default=bytes.decode)
"""
"""Run by itself: absl, which mlcroissant logs with, closes the streams that pytest captures output with."""


@pytest.mark.prove
def test_its_own_library_finds_no_error_and_reads_the_rows(described):
    home, _, found = described
    folder = manifest.folder(home, "v1")
    (folder / "croissant.json").write_text(json.dumps(found), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder / "croissant.json"), TASK], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["version"] == croissant.CONFORMS_TO
    assert told["errors"] == []
    assert [warning for warning in told["warnings"] if "citeAs" not in warning] == []
    read = {row[f"{TASK}/qa_id"]: row for row in told["rows"]}
    rows = {
        row["qa_id"]: {**row, "split": path.parent.name}
        for path in sorted(folder.glob(f"data/*/{TASK}.parquet"))
        for row in pl.read_parquet(path, hive_partitioning=False).to_dicts()
    }
    assert len(told["rows"]) == len(rows)
    assert read.keys() == rows.keys()
    assert len({row["split"] for row in rows.values()}) == 2
    for qa_id, row in rows.items():
        # The library reads a struct that is null as one of nulls.
        assert row["diagnostics"] is None and row["coordinates"] is None
        assert short_names(read[qa_id]) == {
            **row,
            "diagnostics": dict.fromkeys(field.name for field in DIAGNOSTICS),
            "coordinates": [dict.fromkeys(("text", "begin", "end", "image", "xy"))],
        }


def short_names(value):
    """A row without the full names that its parts go by in Croissant."""
    if isinstance(value, dict):
        return {name.split("/")[-1]: short_names(part) for name, part in value.items()}
    return [short_names(part) for part in value] if isinstance(value, list) else value

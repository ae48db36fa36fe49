"""`spatial-assets export` as a user meets it, and exports as Dagster's assets."""

from __future__ import annotations

import json
import shutil

import dagster as dg
import pytest
from click.testing import CliRunner
from test_every_format import RELEASED

from spatial_assets.assets import partitions
from spatial_assets.assets.build import QUIET
from spatial_assets.assets.exports import asset_key
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.cli import main
from spatial_assets.definitions import build_defs
from spatial_assets.exports import registry
from spatial_assets.exports.core.base import Export
from spatial_assets.exports.kept import export_path
from spatial_assets.releases import create
from spatial_assets.scene import discovery, tables
from spatial_assets.storage import release_manifest as manifest


def run(*words, status=0):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    return done


def test_a_release_is_exported_and_validated(released, tmp_path):
    out = tmp_path / "out"
    done = run("export", "llava", "v1", out, "--home", released.home, "--limit", 12, "--split", "train")
    assert done.stdout == f"exported 12 rows of v1 (train 12): {out}\n"
    assert len(json.loads((out / "train.json").read_text())) == 12
    done = run("export", "--validate", "llava", out)
    assert (done.stdout, done.stderr) == ("", f"{out} is valid llava\n")
    assert json.loads(run("export", "--validate", "llava", out, "--json").stdout) == {
        "ok": True,
        "errors": [],
    }
    next((out / "images").rglob("*.jpg")).unlink()
    told = json.loads(run("export", "--validate", "llava", out, "--json", status=1).stdout)
    assert not told["ok"] and told["errors"]
    done = run("export", "--validate", "llava", out, status=1)
    assert done.stdout.count("\n") >= 1
    assert all("train.json: record" in line and "not there" in line for line in done.stdout.splitlines())


def test_json(released, tmp_path):
    done = run("export", "llava", "v1", tmp_path / "out", "--home", released.home, "--limit", 5, "--json")
    told = json.loads(done.stdout)
    assert told["rows"] == sum(told["splits"].values()) == 5
    assert told["out"] == str(tmp_path / "out") and told["revoked_rows"] == 0


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (("klava", "v1", "OUT"), 2, "'klava' is not"),
        (("llava", "v1"), 2, "Missing argument 'OUT'"),
        (("llava", "v9", "OUT"), 1, "no release 'v9'"),
        (("llava", "v1", "OUT", "--task", "chess"), 1, "the release has no task 'chess'"),
        (("llava", "v1", "OUT", "--limit", "0"), 2, "--limit"),
        (("llava", "v1", "OUT", "--validate"), 2, "--validate takes FORMAT and PATH alone"),
        (("llava", "OUT", "--validate"), 1, "OUT: not there"),
    ],
)
def test_a_mistake_is_one_line(released, tmp_path, words, status, line):
    words = [tmp_path / "OUT" if word == "OUT" else word for word in words]
    done = run("export", *words, "--home", released.home, status=status)
    assert line in done.output
    assert not list(tmp_path.iterdir())


def test_help_names_every_format_and_what_reads_it():
    text = run("export", "--help").stdout
    for form in registry.FORMATS:
        assert f"  {form} " in text and registry.summary(form) in text


@pytest.mark.parametrize("form", registry.FORMATS)
def test_every_format_offers_the_interface_and_carries_what_tells_rows_apart(form):
    chosen = registry.export_format(form)
    assert discovery.parts(Export) == ("CARRIES", "read_back", "validate", "write")
    # Formats of scenes have records of what stands in them, not of questions.
    tells = {"split", "dataset", "release", "scene", "license"}
    of_questions = {"qa_id", "question", "answer", "frames"}
    assert (tells if getattr(chosen, "OF_SCENES", False) else of_questions) <= chosen.CARRIES
    assert {"split", *tables.QUESTIONS.schema.names} >= chosen.CARRIES


def materialized(home, instance, key, **options):
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))
    return dg.materialize(
        [item for item in defs.assets if isinstance(item, dg.AssetsDefinition)],
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(key),
        raise_on_error=False,
        **options,
    )


def config(key, **values):
    return {**QUIET, "ops": {key.to_python_identifier(): {"config": values}}}


@pytest.mark.usefixtures("own_environment")
def test_a_release_opens_a_partition_and_its_export_is_an_asset(copied):
    create.create(copied.home, "early")
    with instance_of(copied.home) as instance:
        run = materialized(
            copied.home,
            instance,
            dg.AssetKey("releases"),
            run_config=config(dg.AssetKey("releases"), name="v1"),
        )
        assert run.success
        assert instance.get_dynamic_partitions(partitions.release.name) == ["early", "v1"]
        key = asset_key("llava")
        hashes = []
        for limit in (9, 9, 4):
            run = materialized(
                copied.home,
                instance,
                key,
                partition_key="v1",
                run_config=config(key, limit=limit, images="DRAW"),
            )
            (event,) = run.get_asset_materialization_events()
            told = event.step_materialization_data.materialization
            assert told.metadata["dagster/row_count"].value == limit
            hashes.append(told.tags["dagster/data_version"])
        assert hashes[0] == hashes[1] != hashes[2]
        out = export_path(copied.home, "llava", "v1")
        assert registry.export_format("llava").validate(out) == []
        assert instance.get_materialized_partitions(key) == {"v1"}


@pytest.mark.usefixtures("own_environment")
def test_a_release_from_the_command_line_opens_its_partition(copied):
    run("release", "create", "v2", "--home", copied.home)
    with instance_of(copied.home) as instance:
        assert (
            instance.get_dynamic_partitions(partitions.release.name) == manifest.names(copied.home) == ["v2"]
        )


@pytest.mark.usefixtures("own_environment")
def test_a_benchmark_is_an_asset_and_says_what_guessing_scores(bench, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(bench.home, home)
    with instance_of(home) as instance:
        partitions.open_releases(instance, home)
        done = materialized(
            home,
            instance,
            asset_key("spar-bench"),
            partition_key="v1",
            run_config=config(
                asset_key("spar-bench"), tasks=["position_matching", "depth_prediction_oc"], size="tiny"
            ),
        )
        assert done.success
        (event,) = done.get_asset_materialization_events()
        told = event.step_materialization_data.materialization.metadata
        assert told["dagster/row_count"].value == 100
        assert "always the most frequent answer scores Low" in told["told"].value
    out = run(
        "export", "spar-bench", "v1", tmp_path / "out", "--size", "tiny", "--task", "position_matching", "--home", home
    ).stdout  # fmt: skip
    assert "most frequent  published random" in out and out.count("position_matching") == 1
    assert out.endswith(f"exported 50 rows of v1 (test 50): {tmp_path / 'out'}\n")
    line = "llava does not take --size"
    assert (
        line
        in run("export", "llava", "v1", tmp_path / "x", "--size", "tiny", "--home", home, status=1).output
    )


ROWS = 20


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
def test_every_formats_asset_works_as_it_is_offered(copied):
    """With nothing chosen but how many rows; each checks what it wrote."""
    create.create(copied.home, "v1")
    with instance_of(copied.home) as instance:
        partitions.open_releases(instance, copied.home)
        for form in RELEASED:
            key = asset_key(form)
            chosen = config(key, limit=ROWS)
            done = materialized(copied.home, instance, key, partition_key="v1", run_config=chosen)
            assert done.success, form
            (event,) = done.get_asset_materialization_events()
            assert event.step_materialization_data.materialization.metadata["dagster/row_count"].value, form


@pytest.mark.every(3)
@pytest.mark.parametrize("form", RELEASED)
def test_every_format_works_with_no_word_about_images(form, released, tmp_path):
    run("export", form, "v1", tmp_path / "out", "--home", released.home, "--limit", ROWS)
    run("export", "--validate", form, tmp_path / "out")

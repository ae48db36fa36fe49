"""What holds of the registry's formats alike: awkward rows come back, damage is rejected by the command."""

from __future__ import annotations

import shutil

import pytest
from chat_cases import MadeSource, cases, row
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError

OTHERS = {
    "rerun": "needs a package that is not there; test_rerun.py",
    "scanrefer": "this release has no row that it takes; test_scanrefer.py",
    "spar-bench": "a benchmark of its own tasks; test_spar_bench.py",
    "spatialmosaic": "this release has no row that it takes; test_spatialmosaic.py",
    "spatialmosaic-bench": "a benchmark of its own tasks; test_spatialmosaic_bench.py",
}
"""Formats that this release does not go into, why, and where the same is tried."""
RELEASED = [form for form in registry.FORMATS if form not in OTHERS]
ANY_ROW = [
    form
    for form in RELEASED
    if form != "spar" and not getattr(registry.export_format(form), "OF_SCENES", False)
]
"""Formats that any question goes into; the rest take tasks of a suite, or scenes."""
TAGLESS = {"hf", "webdataset"}
"""Formats whose texts stand apart from their images, so that a text may say `<image>`."""
WITHOUT_FILES = {"hf", "webdataset", "vlmevalkit", "ply", "spar"}
"""Formats whose images are in their tables or tars, or that have none, and the one that keeps them elsewhere: see the
tests of each."""
TAGGED = ("grpo", "internvl", "llama-factory", "llava", "ms-swift", "qwen-vl")
"""Formats of JSON where a text says `<image>` for each image."""
NO_DATA = {"ids.parquet", "LICENSES.md", "README.md"}


def awkward():
    """Letters beyond D, labels with commas, tabs, quotes and line ends."""
    options = ["a, b", 'the "big" one', "tab\there", "two\nlines", "日本語 🪑", "back\\slash", "it's"]
    listed = "; ".join(f"{letter}. {option}" for letter, option in zip("ABCDEFG", options, strict=True))
    return [
        *cases(),
        row(20, f"Which? {listed}.", "G", 2, format="select", options=options, stem="Which?"),
        row(21, f"Which, then? {listed}.", "E", 1, format="select", options=options, stem="Which, then?"),
        row(22, 'She said "1,5\tm"\r\nor so?', "Yes", 1, format="judge"),
    ]


def put(form, folder, rows):
    chosen = registry.export_format(form)
    folder.mkdir(parents=True)
    printed = {"coordinates": "as-printed"} if "coordinates" in getattr(chosen, "TAKES", ()) else {}
    source = MadeSource(folder.parent / "source", train=rows[:6], val=rows[6:])
    chosen.write(source, folder, Options(ImageMode.DRAW, **printed))
    return chosen


def test_every_format_is_here_or_named():
    assert set(RELEASED) | OTHERS.keys() == set(registry.FORMATS) and len(ANY_ROW) >= 11


@pytest.mark.every(3)
@pytest.mark.parametrize("form", ANY_ROW)
def test_awkward_rows_come_back(form, tmp_path):
    rows = awkward()
    chosen = put(form, tmp_path / "out", rows)
    back = {own["qa_id"]: own for own in chosen.read_back(tmp_path / "out")}
    # VLMEvalKit leaves out what shows no image.
    kept = [own for own in rows if own["frames"] or form != "vlmevalkit"]
    assert list(back) == [own["qa_id"] for own in kept]
    for own in kept:
        whole = {**own, "split": "train" if rows.index(own) < 6 else "val"}
        assert back[own["qa_id"]] == {name: whole[name] for name in chosen.CARRIES}
    assert chosen.validate(tmp_path / "out") == []


@pytest.mark.parametrize("form", ANY_ROW)
def test_a_tag_in_a_text_is_carried_or_rejected(form, tmp_path):
    bad = row(30, "What is the <image> tag on the lamp?", "2")
    try:
        chosen = put(form, tmp_path / "out", [bad])
    except InputError as error:
        assert form not in TAGLESS and bad["qa_id"] in str(error)
    else:
        back = {own["qa_id"]: own for own in chosen.read_back(tmp_path / "out")}
        assert form not in TAGGED and back[bad["qa_id"]]["question"] == bad["question"]


@pytest.fixture(scope="module")
def exports(released, tmp_path_factory):
    """One export of each format, made when it is asked for."""
    folder = tmp_path_factory.mktemp("exports")

    def made(form):
        if not (folder / form).exists():
            export(form, ReleaseRows(released.home, "v1", limit=30), folder / form, Options(ImageMode.COPY))
        return folder / form

    return made


def validated(form, path):
    done = CliRunner().invoke(main, ["export", "--validate", form, str(path)])
    return done.exit_code, done.output


@pytest.mark.every(3)
@pytest.mark.parametrize("damage", ["truncated", "gone"])
@pytest.mark.parametrize("form", RELEASED)
def test_the_command_names_a_file_that_is_cut_or_gone(form, damage, exports, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(exports(form), out)
    assert validated(form, out)[0] == 0
    data = [file for file in out.rglob("*") if file.is_file() and file.suffix not in (".jpg", ".png", ".md")]
    file = max((file for file in data if file.name not in NO_DATA), key=lambda file: file.stat().st_size)
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    else:
        file.unlink()
    code, told = validated(form, out)
    assert code == 1 and file.name.partition(".")[0] in told, told


@pytest.mark.parametrize("form", [form for form in RELEASED if form not in WITHOUT_FILES])
def test_the_command_names_an_image_that_is_gone(form, exports, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(exports(form), out)
    image = min(file for file in (out / "images").rglob("*.*") if file.is_file())
    image.unlink()
    code, told = validated(form, out)
    assert code == 1 and f"{image.relative_to(out)}: not there" in told, told


@pytest.mark.parametrize("form", TAGGED)
def test_the_command_names_tags_that_do_not_match(form, exports, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(exports(form), out)
    files = [file for file in out.rglob("*.json*") if "<image>" in file.read_text(encoding="utf-8")]
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("<image>\\n", "", 1), encoding="utf-8")
        code, told = validated(form, out)
        assert code == 1 and f"{file.relative_to(out)}: " in told and "<image> for" in told, told
        file.write_text(text, encoding="utf-8")
    assert validated(form, out)[0] == 0

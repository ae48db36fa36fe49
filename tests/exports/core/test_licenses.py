"""Every export says whose data it holds and under which terms, and who asks for copies of images is told them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.exports import registry
from spatial_assets.exports.core import licenses
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.readers import registry as registry_of_readers
from spatial_assets.readers.navigation import LICENSES

ELSEWHERE = ("spatialmosaic", "scanrefer", "rerun")
"""The home has no rows for the first two, and the last needs a package of its own."""
WHOLE = [form for form in registry.FORMATS if not form.endswith("-bench") and form not in ELSEWHERE]
"""Formats that take any release."""


def counts(out):
    """By the file's own table."""
    lines = (out / licenses.FILE).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {tuple(row[:3]): int(row[3].replace(",", "")) for row in cells[1:]}


@pytest.mark.every(3)
@pytest.mark.parametrize("form", WHOLE)
def test_every_export_has_the_terms_and_is_valid_with_them(form, released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=40)
    try:
        made = export(form, source, tmp_path / "out", Options(ImageMode.LINK))
    except ValueError:
        # A format whose files hold their images takes no links.
        made = export(form, source, tmp_path / "out", Options(ImageMode.COPY))
    assert registry.export_format(form).validate(tmp_path / "out") == []
    found = counts(tmp_path / "out")
    assert (
        sum(found.values())
        == made.rows
        == sum(1 for _ in registry.export_format(form).read_back(tmp_path / "out"))
    )
    if set(licenses.WHOSE) <= registry.export_format(form).CARRIES:
        assert set(found) == {
            (row["dataset"], row["release"], row["license"])
            for row in registry.export_format(form).read_back(tmp_path / "out")
        }


@pytest.mark.prove
def test_a_benchmark_counts_what_it_took_and_says_the_terms_of_its_images(bench, tmp_path):
    words = ["export", "spar-bench", "v1", tmp_path / "out", "--size", "tiny", "--task", "position_matching"]
    done = CliRunner().invoke(main, [*map(str, words), "--home", str(bench.home)])
    assert done.exit_code == 0 and "images of scannet " in done.output
    assert sum(counts(tmp_path / "out").values()) == 50
    assert registry.export_format("spar-bench").validate(tmp_path / "out") == []


@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.NONE, ImageMode.DRAW])
def test_who_exports_meshes_is_told_their_terms_whatever_images_are_asked_for(mode, released, tmp_path):
    made = export("ply", ReleaseRows(released.home, "v1"), tmp_path / "out", Options(mode))
    assert [line.split(":")[0] for line in made.told] == ["meshes of scannet v2"]
    text = (tmp_path / "out" / licenses.FILE).read_text(encoding="utf-8")
    assert "own geometry. No images are here." in text and "symbolic links" not in text


def test_every_format_says_of_what_it_holds_in_words_that_there_are():
    said = {form: getattr(registry.export_format(form), "HOLDS", None) for form in registry.FORMATS}
    assert {form for form, what in said.items() if what} >= {"spar-bench", "ply", "scanrefer", "rerun"}
    assert {what for what in said.values() if what} <= licenses.HELD.keys()


@pytest.mark.parametrize("mode", [str(mode) for mode in ImageMode])
def test_who_asks_for_copies_is_told_the_terms(mode, released, tmp_path):
    words = [
        "export",
        "llava",
        "v1",
        tmp_path / "out",
        "--limit",
        5,
        "--images",
        mode,
        "--home",
        released.home,
    ]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0
    assert ("images of scannet " in done.output) == (mode in ("copy", "draw"))


@pytest.mark.parametrize(
    ("license", "passed_on"),
    [
        ("ScanNet Terms of Use (non-commercial)", "no"),
        ("ScanNet++ Terms of Use (non-commercial)", "no"),
        (f"Matterport3D Terms of Use (non-commercial); R2R: {LICENSES['R2R']}", "no"),
        ("CC-BY-SA-3.0", "conditions"),
        ("CC-BY-NC-4.0", "conditions"),
        ("MIT", "free"),
        ("CC0", "free"),
        ("as our contract has it", "no"),
        ("", "no"),
    ],
)
def test_what_terms_say_of_passing_images_on(license, passed_on):
    assert licenses.known(license)["passed_on"] == passed_on
    assert licenses.may_be_passed_on(license) == (passed_on != "no")


def test_every_readers_own_terms_are_known():
    said = [registry_of_readers.reader(name).LICENSE for name in registry_of_readers.READERS]
    assert len(said) >= 9
    assert [text for text in said if not licenses.known(text)["source"]] == []


def test_quoted_terms_and_strokes_stand_as_they_are(tmp_path):
    terms = {("matterport3d", "v1", "Its terms; RxR: CC-BY 4.0 | (annotations)"): 1234}
    licenses.write(tmp_path, terms, Options(ImageMode.COPY))
    text = (tmp_path / licenses.FILE).read_text(encoding="utf-8")
    assert "| matterport3d | v1 | Its terms; RxR: CC-BY 4.0 \\| (annotations) | 1,234 |" in text
    assert "Images are copies." in text and "not to be passed on" in text


def test_an_export_of_no_row_has_no_terms(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=5)
    assert licenses.counted(registry.export_format("grpo"), source, tmp_path, {}) == {}
    licenses.write(tmp_path, {}, Options())
    assert counts(tmp_path) == {}

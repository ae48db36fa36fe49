"""The README and the pages of `docs/` speak of what there is: folders, commands, parameters, links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from spatial_assets.assets.keys import step_of
from spatial_assets.assets.run_config import schema_of
from spatial_assets.audit import choices, numbers
from spatial_assets.audit.verdicts import BARRED
from spatial_assets.cli import main
from spatial_assets.exports import registry
from spatial_assets.exports.registry import FORMATS
from spatial_assets.exports.spar_bench import problems as spar_bench_checks
from spatial_assets.exports.spatialmosaic import bench_chance as spatialmosaic_bench_chance
from spatial_assets.exports.spatialmosaic import bench_cut as spatialmosaic_bench_cut
from spatial_assets.releases.reviews import REASONS
from spatial_assets.stages.pipeline import SETTINGS, STAGES, TOGETHER, parameters
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.shortcut_table import SHORTCUTS, VERDICTS
from spatial_assets.tasks.core import answers

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(CHECKOUT / "docs" / name), re.DOTALL)


def test_the_readme_lists_every_folder_of_the_package():
    (listing,) = re.findall(r"## The data's way through the code\n\n((?: {4}.*\n)+)", text(PAGES[0]))
    listed = re.findall(r"^ {4}(\w+)/ ", listing, re.MULTILINE)
    folders = {path.parent.name for path in (CHECKOUT / "spatial_assets").glob("*/__init__.py")}
    assert set(listed) == folders and len(listed) == len(folders)


def test_the_readme_leads_to_every_page():
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", text(PAGES[0])))
    assert linked == {page.name for page in PAGES[1:]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    anchors = {f"#{head.lower()}" for head in re.findall(r"^#+ (\w+)$", text(page), re.MULTILINE)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if target.startswith("#"):
            assert target in anchors, target
        elif not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    """Of every line that begins with the program's name, or stands in backquotes."""
    for line in re.findall(r"(?:^ *|`)spatial-assets ([^`\n#]+)", text(page), re.MULTILINE):
        found: click.Command = main
        words = line.split()
        while isinstance(found, click.Group) and words and not words[0].startswith("<"):
            word = words.pop(0)
            assert word in found.commands, line
            found = found.commands[word]
        options = {"--help", *(name for option in found.params for name in option.opts)}
        assert {word for word in words if word.startswith("--")} <= options, line


def export_commands() -> list[str]:
    """Those that the page of exports shows, in its table and its blocks, on one line each."""
    page = re.sub(r"\\\n\s*", " ", text(CHECKOUT / "docs" / "exports.md"))
    shown = re.findall(r"^ {4}spatial-assets (export [^\n#]+)", page, re.MULTILINE)
    shown += re.findall(r"^\| `[\w-]+` \|[^|]*\| `(export [^`]+)`", page, re.MULTILINE)
    return sorted({" ".join(words.split()) for words in shown})


def test_the_page_of_exports_shows_a_command_for_every_format():
    assert {words.split()[1] for words in export_commands()} == set(FORMATS)


@pytest.mark.parametrize("words", export_commands())
def test_commands_of_exports_are_taken_as_they_are_shown(words):
    """Their arguments and options with the values, none of which is run."""
    parsed = main.commands["export"].make_context("export", words.split()[1:])
    form = parsed.params["form"]
    assert parsed.params["out"] is not None and not parsed.params["validate"]
    takes = getattr(registry.export_format(form), "TAKES", ())
    asked = {"coordinates", "image_format", "shard_megabytes", "rgbd", "general", "size"}
    given = {
        name for name in asked if parsed.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    assert {name.replace("_", "-") for name in given} <= set(takes)


def test_settings_in_the_pages_are_accepted(tmp_path):
    (shown,) = blocks("nightly.md", "toml")
    (tmp_path / SETTINGS).write_text(shown)
    for name, wanted in tomllib.loads(shown).items():
        held = parameters(tmp_path, STAGES[name], "scannet").model_dump()
        assert held != STAGES[name].parameters("scannet").model_dump()
        assert {key: held[key] for key, value in wanted.items() if not isinstance(value, dict)}.items() <= (
            wanted.items()
        )


def test_the_query_in_the_pages_reads_the_table_of_shortcuts(tmp_path, monkeypatch):
    import duckdb

    (shown,) = blocks("shortcuts.md", "sql")
    held = dict.fromkeys(SHORTCUTS.schema.names)
    held |= {"task": "made_up", "format": "select", "attack": "options", "measure": "rows answered right"}
    held |= {"total": 9, "rows": 9, "scenes": 3, "over": 0.5, "barred": True, "verdict": "fails"}
    shortcut_table.save(tmp_path / "data", [held, {**held, "attack": "text", "barred": False}])
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as con:
        assert [(row[0], row[2], row[-1]) for row in con.sql(shown).fetchall()] == [
            ("made_up", "options", "fails")
        ]


def test_every_attack_and_verdict_is_explained():
    page = text(CHECKOUT / "docs" / "shortcuts.md")
    known = [*BARRED, choices.TEXT, choices.MARKS, numbers.CONSTANT, numbers.BY_CATEGORY, numbers.GIVEN]
    assert [name for name in (*known, *VERDICTS) if f"`{name}`" not in page] == []


def test_the_configuration_in_the_pages_is_one_that_dagster_takes():
    import dagster as dg
    from dagster._config import process_config

    (shown,) = blocks("nightly.md", "yaml")
    for step, given in yaml.safe_load(shown)["ops"].items():
        stages = [stage for stage in STAGES.values() if step_of(stage.name) == step]
        assert process_config(dg.Shape(schema_of(stages, step in TOGETHER)), given["config"]).success, step


def test_the_benchmarks_page_names_its_checks_and_numbers():
    page = text(CHECKOUT / "docs" / "spar-bench.md")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {
        *spar_bench_checks.CHECKS,
        "asked_twice",
    }
    assert f"{spar_bench_checks.SAME_POINT:.0f} grid steps and {spar_bench_checks.SAME_DEPTH} m" in page
    assert f"{spar_bench_checks.LEAST_MARGIN * 100:.0f} cm" in page
    for reason in REASONS:
        assert reason in page


def test_the_page_of_spatialmosaics_benchmark_names_its_numbers():
    page = text(CHECKOUT / "docs" / "spatialmosaic-bench.md")
    sizes, cells = spatialmosaic_bench_cut.sizes(), len(spatialmosaic_bench_cut.cells_of_type())
    assert f"A type has {cells} cells" in page
    for name, count in sizes.items():
        assert f"{count:,}" in page and f"{count // cells} in `{name}`" in page and count % (4 * cells) == 0
    assert f"{spatialmosaic_bench_chance.TRAINING:,} rows of a type" in page
    for field in spatialmosaic_bench_cut.CELL_FIELDS:
        assert f"`{field}`" in page


def test_the_guide_to_tasks_names_every_kind_of_answer():
    guide = (CHECKOUT / "docs" / "adding-a-task.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `kind` \| of its answers: (.*) \|$", guide, re.M)
    kinds = [getattr(made, "kind", None) for made in vars(answers).values()]
    assert sorted(re.split(", | or ", row)) == sorted({kind for kind in kinds if isinstance(kind, str)})

"""Recipes: what their files may say, one clear line for what they may not, and those that ship with the package."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from spatial_assets.assets.releases import ReleaseConfig
from spatial_assets.cli import main
from spatial_assets.conformance.vsibench_questions import TEMPLATES_FILE
from spatial_assets.releases.create import Request
from spatial_assets.releases.recipe import FOLDER, Cell, load, named, parse_mix, settled
from spatial_assets.scene.model import InputError
from spatial_assets.tasks.registry import tasks


def test_those_that_ship_are_the_files_of_their_folder():
    assert set(named()) == {path.stem for path in FOLDER.glob("*.toml")} >= {"spar", "spatialmosaic"}
    for name, path in named().items():
        recipe = load(path)
        assert recipe.about and recipe.source, name
        assert parse_mix(name).recipe == recipe


def test_spars_selects_all_there_is_by_format():
    recipe = parse_mix("spar").recipe
    rates = {
        form: recipe.entries[recipe.place_of(Cell("all", task, "scannet", form))].rate
        for task in tasks()
        for form in ("fill", "select", "sentence", "judge")
    }
    assert rates == {"sentence": 1.0, "select": 0.1, "fill": 0.1, "judge": 0.1}


def test_spatialmosaics_asks_for_its_published_numbers():
    recipe = parse_mix("spatialmosaic").recipe
    assert [entry.count for entry in recipe.entries] == [2_000_000, 1_000_000]
    assert len(recipe.tasks_of(0)) == 17
    shares, seed = settled("", None, parse_mix("spatialmosaic"))
    assert shares == {"train": 679 / 849, "test": 170 / 849} and seed == 0


def test_spatial_mllms_comes_to_135_thousand():
    recipe = parse_mix("spatial-mllm").recipe
    assert sum(entry.count for entry in recipe.entries) == 135_000
    own = {name for place in range(3) for name in recipe.tasks_of(place)}
    assert own == set(json.loads(TEMPLATES_FILE.read_text(encoding="utf-8"))["templates"]) <= set(tasks())
    assert [recipe.tasks_of(place) for place in (3, 4)] == [["scanqa"], ["sqa3d"]]


def test_splits_and_seed_are_the_users_the_recipes_or_none():
    recipe = parse_mix("spatialmosaic")
    assert settled("val:1", 5, recipe) == ({"val": 1.0}, 5)
    assert settled("official", None, recipe)[0] is None
    assert settled("", None, None) == ({"all": 1.0}, 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "entries: Field required"),
        ("entries = []", "entries: Tuple should have at least 1 item"),
        ("entries = 5", "entries: "),
        ("entries = [5]", "entry 1: "),
        ("seed = 'x'\n[[entries]]\nrate = 1.0", "seed: "),
        ("splits = 'a:2'\n[[entries]]\nrate = 1.0", "splits: 'a:2': "),
        ("flavor = 1\n[[entries]]\nrate = 1.0", "flavor: Extra inputs"),
        ("[[entries]]\nname = 'n'\nrate = -0.1", "entry 1 (n): rate: Input should be greater"),
        ("[[entries]]\nrate = 1.5", "entry 1: rate: Input should be less"),
        ("[[entries]]\nrate = nan", "entry 1: rate: "),
        ("[[entries]]\nrate = true", "entry 1: rate: "),
        ("[[entries]]\nrate = '1'", "entry 1: rate: "),
        ("[[entries]]\ncount = -5\nper = 'all'", "entry 1: count: Input should be greater"),
        ("[[entries]]\ncount = 1.5\nper = 'all'", "entry 1: count: "),
        ("[[entries]]\ncount = 5\nper = 'scene'", "entry 1: per: Input should be 'task' or 'all'"),
        ("[[entries]]\ncount = 5", "entry 1: per: a count needs it"),
        ("[[entries]]\nrate = 0.5\nper = 'all'", "entry 1: per: it belongs to a count"),
        ("[[entries]]\nrate = 0.5\ncount = 5\nper = 'all'", "entry 1: rate: there is a count too"),
        ("[[entries]]\nformats = ['fill']", "entry 1: rate: neither it nor a count"),
        ("[[entries]]\nrate = 0.5\neven = true", "entry 1: even: "),
        ("[[entries]]\ncount = 5\nper = 'task'\neven = true", "entry 1: even: "),
        ("[[entries]]\nrate = 0.5\nfewer = true", "entry 1: fewer: "),
        ("[[entries]]\nrates = 0.5", "entry 1: rates: Extra inputs"),
        (
            "[[entries]]\nrate = 1.0\nsuites = ['spam']",
            "entry 1: suites: nothing is named 'spam'; there is spar",
        ),
        ("[[entries]]\nrate = 1.0\ntasks = ['spam']", "entry 1: tasks: nothing is named 'spam'"),
        ("[[entries]]\nrate = 1.0\nformats = ['quiz']", "entry 1: formats: nothing is named 'quiz'"),
        ("[[entries]]\nrate = 1.0\ndatasets = ['spam']", "entry 1: datasets: nothing is named 'spam'"),
        ("[[entries]]\nrate = 1.0\ntasks = 'spam'", "entry 1: tasks: "),
        ("[[entries]]\nrate = 1.0\nformats = ['fill', 'fill']", "entry 1: formats: 'fill' is named twice"),
        (
            "[[entries]]\nrate = 1.0\ntasks = ['room_size']\nformats = ['judge']",
            "entry 1: nothing is selected",
        ),
        ("[[entries]]\nrate = 1.0\nrest = true\ntasks = ['room_size']", "entry 1: rest: "),
        ("[[entries]]\nrate = 1.0\nrest = true\n" * 2, "entry 2: rest: entry 1 takes it already"),
        (
            "[[entries]]\nrate = 1.0\nsuites = ['spar']\n[[entries]]\nrate = 1.0\ntasks = ['room_size']",
            "entry 2: it selects room_size, format fill, and so does entry 1",
        ),
        (
            "[[entries]]\nrate = 1.0\nname = 'a'\nformats = ['fill']\n"
            "[[entries]]\nrate = 1.0\nname = 'a'\nformats = ['judge']",
            "entry 2 (a): name: entry 1 has it too",
        ),
        ("[[entries", "not TOML: "),
        ("a" + " = [" * 3000, "TOML"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_file_and_key(tmp_path, text, told):
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load(file)
    line = str(error.value)
    assert line.startswith(f"{file}: ") and told in line and "\n" not in line
    done = CliRunner().invoke(main, ["release", "create", "v1", "--home", str(tmp_path), "--mix", str(file)])
    assert done.exit_code == 1 and done.output.count("\n") == 1 and told in done.output


def test_entries_of_other_datasets_or_splits_do_not_overlap(tmp_path):
    file = tmp_path / "own.toml"
    for key, one, other in (("datasets", "scannet", "scannetpp"), ("splits", "train", "val")):
        parts = (f"[[entries]]\nrate = 1.0\n{key} = ['{name}']\n" for name in (one, other))
        file.write_text("".join(parts))
        assert len(load(file).entries) == 2
    file.write_text("[[entries]]\nrate = 1.0\ndatasets = ['scannet']\n[[entries]]\nrest = true\nrate = 1.0")
    recipe = load(file)
    cells = [Cell("all", "room_size", name, "fill") for name in ("scannet", "scannetpp")]
    assert [recipe.place_of(cell) for cell in cells] == [0, 1]
    assert recipe.tasks_of(1) == sorted(tasks()), "of other datasets all is left"


def test_files_that_cannot_be_read_are_one_line(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'about = "\xe9"')
    (tmp_path / "folder.toml").mkdir()
    for name, told in (("missing", "missing"), ("latin", "line 1: not UTF-8"), ("folder", "cannot be read")):
        with pytest.raises(InputError, match=told):
            parse_mix(str(tmp_path / f"{name}.toml"))


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("fill:0.5", {"fill": 0.5, "judge": 1.0}),
        (" select:0 , judge:1", {"select": 0.0, "judge": 1.0, "fill": 1.0}),
    ],
)
def test_shares_of_formats_in_words_leave_the_others_whole(text, shares):
    recipe = parse_mix(text).recipe
    for form, share in shares.items():
        place = recipe.place_of(Cell("all", "room_size", "scannet", form))
        assert recipe.entries[place].rate == share


@pytest.mark.parametrize(
    "text", ["", "spam", "fill", "fill:x", "fill:1.1", "fill:-0.1", "fill:nan", "quiz:0.5", "fill:1,fill:1"]
)
def test_what_is_no_mix_is_one_line(tmp_path, text):
    with pytest.raises(ValueError, match="--mix"):
        parse_mix(text)
    done = CliRunner().invoke(main, ["release", "create", "v1", "--home", str(tmp_path), "--mix", text])
    assert done.exit_code == 1 and done.output.count("\n") == 1 and "--mix" in done.output


def test_the_recipe_that_the_page_shows_is_one(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs/mixes.md").read_text(encoding="utf-8")
    (shown,) = (
        block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[[entries]]" in block
    )
    (tmp_path / "own.toml").write_text(shown)
    recipe = load(tmp_path / "own.toml")
    assert recipe.names() == ["depths", "a little of the rest"] and recipe.seed == 5


def test_the_launchpad_takes_what_the_command_takes():
    request = ReleaseConfig(name="v1", mix="spatialmosaic", scale=0.5, fewer=True).request()
    assert request.mix == parse_mix("spatialmosaic") and (request.scale, request.fewer) == (0.5, True)
    assert request.shares == {"train": 679 / 849, "test": 170 / 849} and request.seed == 0
    own = ReleaseConfig(name="v1", mix="spar", splits="val:1", seed=5).request()
    assert own.shares == {"val": 1.0} and own.seed == 5
    assert ReleaseConfig(name="v1").request() == Request()

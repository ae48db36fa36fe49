"""What was cut off or damaged is named, or set aside and made again: no state of a home is a dead end."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner
from lakes import build, digest, done, register
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.build import stages_for
from spatial_assets.cli import main
from spatial_assets.lineage import records
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.stages.sources import files_path
from spatial_assets.storage.atomic import DamagedTable
from spatial_assets.storage.damage import SUFFIX, is_whole
from spatial_assets.storage.lake import Lake

SHARD, TASK = "scannet-v2-0000", "camera_motion_infer"
STAGES = stages_for([TASK])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for number in range(2):
        write_scannet(tmp_path / "scenes", f"scene{number:04d}_00", seed=number, frames=4)
    register(tmp_path / "home", "scannet", tmp_path / "scenes")
    build(tmp_path / "home", stages=STAGES)
    return tmp_path / "home"


def lake_table(home: Path, name: str) -> Path:
    return home / "lake" / name / f"shard={SHARD}" / "data.parquet"


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "tail": lambda content: content[:-1],
    "zeros": lambda content: bytes(len(content)),
    "text": lambda content: b"not a table\n" * 20,
    "footer": lambda content: content[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
}


@pytest.mark.every(3)
@pytest.mark.parametrize("how", DAMAGES)
def test_a_table_that_is_cut_off_is_made_again(
    home: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = digest(home)
    path = lake_table(home, "frames")
    damaged = DAMAGES[how](path.read_bytes())
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING, "spatial_assets"):
        reports = build(home, stages=STAGES)
    # Its own rows are made again; they are equal, so nothing that reads them is.
    assert set(done(reports)) == {"scenes"}
    assert f"{path}: cut off or damaged; set aside as data.parquet{SUFFIX}" in caplog.text
    aside = path.with_name(path.name + SUFFIX)
    assert aside.read_bytes() == damaged
    aside.unlink()
    assert digest(home) == wanted
    assert not done(build(home, stages=STAGES))


@pytest.mark.every(3)
@pytest.mark.parametrize("name", STAGES)
def test_every_table_and_every_record_can_be_made_again(home: Path, name: str) -> None:
    wanted = digest(home)
    for path in [*(home / "lake").rglob("data.parquet"), records.record_path(home, name, SHARD)]:
        if path.parts[len(home.parts)] == "records" or name in path.parts or name in path.as_posix():
            path.write_bytes(path.read_bytes()[:-20])
    build(home, stages=STAGES)
    for path in home.rglob(f"*{SUFFIX}"):
        path.unlink()
    assert digest(home) == wanted


def test_states_of_files_that_are_cut_off_are_taken_anew(home: Path) -> None:
    path = files_path(home, SHARD)
    path.write_bytes(path.read_bytes()[:-9])
    assert not done(build(home, stages=STAGES))
    assert is_whole(path)


def test_damage_in_the_middle_is_named_and_found_when_asked_for(home: Path) -> None:
    wanted = digest(home)
    path = lake_table(home, "frames")
    content = bytearray(path.read_bytes())
    content[8 : len(content) // 2] = bytes(len(content) // 2 - 8)
    path.write_bytes(content)
    assert is_whole(path)
    assert not is_whole(path, thoroughly=True)
    with pytest.raises(DamagedTable, match=r"data\.parquet: cannot be read .*`build --rehash`"):
        Lake(home).read(tables.FRAMES, SHARD)
    build(home, stages=STAGES, rehash=True)
    path.with_name(path.name + SUFFIX).unlink()
    assert digest(home) == wanted


def test_records_that_cannot_be_read_are_named_where_they_cannot_be_made(home: Path) -> None:
    path = records.record_path(home, "scenes", SHARD)
    path.write_bytes(b"x" * 100)
    with pytest.raises(InputError, match=r"shard=scannet-v2-0000\.parquet: cannot be read .*`build`"):
        build(home, stages=["keyframes"])
    build(home, stages=STAGES)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"dataset": "scannet",', "line 1, column 23: not JSON"),
        (b"", "line 1, column 1: not JSON"),
        ('{"dataset": "Müller"}'.encode("latin-1"), "byte 15 is not UTF-8"),
        (b"[]", "list where an object is expected"),
        (b"{}", "dataset: text is expected"),
        (b'{"dataset": "scannet", "release": "v2", "scenes_per_shard": 5, "shards": [{"key": "k"}]}',
         "shard 1, license: text is expected"),
        (b'{"dataset": "scannet", "release": "v2", "scenes_per_shard": 5, "shards": [3]}', "shard 1, key: text"),
        (b'{"dataset": "scannet", "release": "v2", "scenes_per_shard": 5, "shards": [{"key": "k", "license": "", '
         b'"root": "/", "scenes": ["a"]}]}', "shard 1, scenes: pairs of name and path"),
    ],
)  # fmt: skip
def test_a_damaged_registry_is_named(home: Path, content: bytes, said: str) -> None:
    path = home / "registry" / "scannet-v2.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        partitions.registry(home).shards()
    assert raised.value.file == str(path)
    assert said in raised.value.what
    assert "register the dataset again" in raised.value.what
    result = CliRunner().invoke(main, ["lineage", "stale", "--home", str(home)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {path}: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_byte_order_mark_in_a_registry_means_nothing(home: Path) -> None:
    path = home / "registry" / "scannet-v2.json"
    held = partitions.registry(home).shards()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert partitions.registry(home).shards() == held


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("# Größe\n[keyframes]\n".encode("latin-1"), "line 1: byte 0xf6 is not UTF-8"),
        (b"\n[keyframes\n", "not TOML: "),
        (b"translation = 3\n", "translation stands in no table"),
        (b"[keyframes]\nno_such = 3\n", "[keyframes] no_such: "),
        (b"[frames]\n", "no asset named 'frames'"),
    ],
)
def test_damaged_settings_are_named(home: Path, content: bytes, said: str) -> None:
    path = home / "parameters.toml"
    path.write_bytes(content)
    result = CliRunner().invoke(main, ["lineage", "stale", "--home", str(home)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {path}: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_settings_with_a_byte_order_mark_are_read(home: Path) -> None:
    (home / "parameters.toml").write_bytes(b"\xef\xbb\xbf[keyframes]\n")
    assert not done(build(home, stages=STAGES))


def test_a_damaged_lake_is_one_line_in_every_command_that_reads_it(home: Path) -> None:
    path = lake_table(home, "frames")
    path.write_bytes(path.read_bytes()[:-20])
    for command in (["gallery"], ["lineage", "rebuild"], ["release", "create", "v1", "--split", "train:1"]):
        result = CliRunner().invoke(main, [*command, "--home", str(home)])
        assert isinstance(result.exception, SystemExit | None), (command, result.exception)
        assert len(result.stderr.splitlines()) <= 1
        assert "data.parquet" in result.stderr or command[0] == "release", command  # which reads no frames
    assert json.loads((home / "registry/scannet-v2.json").read_text())

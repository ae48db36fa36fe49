"""What a model run is - a model's predictions on a benchmark, scored by one profile - and its files.

    <home>/evaluation/runs/<key>.json                     the run: which bytes, in which format
    <home>/evaluation/predictions/<sha256>.<suffix>       the predictions, as they came
    <home>/evaluation/releases/<sha256>.jsonl             ground truths that came apart from them

Files are kept under the hash of their bytes, so runs with the same predictions share one, and later changes
of the user's own file change no score.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from spatial_assets.evaluation.names import key_of
from spatial_assets.evaluation.reading import detect_format, read_rows
from spatial_assets.evaluation.schemas import TABLES, table_path
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import find_profile
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.locks import locked

MODEL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_+-]|\.(?!\.))*(?<!\.)")
"""Letters, digits, `_`, `+`, `-` and single dots inside: a key is a folder's name and a partition, and
Dagster reads `...` as a range."""
MODEL_NAME_LENGTH = 120
"""With benchmark and profile before it, a name stays well below what file systems allow."""
CHUNK = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelRun:
    """One model's predictions on one benchmark under one profile."""

    benchmark: str
    profile: str
    model: str
    format: str
    predictions: str
    """sha256 of the predictions file."""
    suffix: str
    """Ending of the predictions file, with its dot."""
    source: str
    """Name of the file that was added; only for people."""
    truths: str | None = None
    """sha256 of the release's ground truths, where they came apart."""

    @property
    def key(self) -> str:
        return make_key(self.benchmark, self.profile, self.model)

    def predictions_path(self, home: Path) -> Path:
        return root(home) / "predictions" / f"{self.predictions}{self.suffix}"

    def truths_path(self, home: Path) -> Path | None:
        return None if self.truths is None else root(home) / "releases" / f"{self.truths}.jsonl"


def root(home: Path) -> Path:
    return Path(home) / "evaluation"


def make_key(benchmark: str, profile: str, model: str) -> str:
    """`<benchmark>.<profile>.<model>`. Raises ValueError for what is unknown or cannot be a key."""
    find_profile(benchmark, profile)
    if not MODEL_NAME.fullmatch(model) or len(model) > MODEL_NAME_LENGTH:
        raise ValueError(
            f"model name {model!r}: at most {MODEL_NAME_LENGTH} letters, digits, '_', '+', '-' and single dots, "
            "beginning with a letter or digit"
        )
    return key_of(benchmark, profile, model)


def split_key(key: str) -> tuple[str, str, str]:
    """Benchmark, profile and model of a key. Raises ValueError."""
    parts = key.split(".", 2)
    if len(parts) != 3:
        raise ValueError(f"{key!r} is not <benchmark>.<profile>.<model>")
    benchmark, profile, model = parts
    make_key(benchmark, profile, model)
    return benchmark, profile, model


def add(
    home: Path,
    benchmark: str,
    file: Path,
    model: str,
    format: str | None = None,
    profile: str = "official",
    truths: Path | None = None,
) -> ModelRun:
    """Keep a predictions file as a model run; a run of the same key is replaced.

    Raises InputError, naming the user's file and the line, for a file that cannot be scored, and ValueError
    for an unknown benchmark or profile or a name that cannot be a key.
    """
    make_key(benchmark, profile, model)
    chosen = find_profile(benchmark, profile)
    format = format or detect_format(file)
    suffix = file.suffix.lower()
    # The copy is what is read: the user's file may be changing, or be a pipe.
    with locked(home, "evaluation"):
        kept = _keep(file, root(home) / "predictions", suffix)
        release = None if truths is None else _keep(truths, root(home) / "releases", ".jsonl")
        try:
            rows = read_rows(chosen, format, kept, release)
        except InputError as error:
            drop_unused(home)
            user_file = truths if release is not None and error.file == str(release) else file
            raise InputError(user_file or file, error.what) from None
        run = ModelRun(
            benchmark,
            profile,
            model,
            format,
            kept.stem,
            suffix,
            file.name,
            None if release is None else release.stem,
        )
        replace_text(run_path(home, run.key), json.dumps(asdict(run), indent=1, sort_keys=True) + "\n")
        drop_unused(home)
    if rows.repeated:
        _log.warning("%s: %d rows repeat the answer of an earlier one and count once", file, rows.repeated)
    return run


def remove(home: Path, key: str) -> None:
    """Forget a run: its tables, and its files where no other run has them. Raises ValueError if unknown."""
    with locked(home, "evaluation"):
        load(home, key)
        run_path(home, key).unlink()
        for table in TABLES:
            path = table_path(home, table, key)
            path.unlink(missing_ok=True)
            if path.parent.exists():
                path.parent.rmdir()
        drop_unused(home)


def load(home: Path, key: str) -> ModelRun:
    """A run by its key. Raises ValueError where there is none."""
    split_key(key)
    try:
        return ModelRun(**json.loads(run_path(home, key).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ValueError(f"no model run {key!r} has been added") from None


def keys(home: Path) -> list[str]:
    """Keys of all runs, sorted."""
    return sorted(path.name.removesuffix(".json") for path in (root(home) / "runs").glob("*.json"))


def run_path(home: Path, key: str) -> Path:
    return root(home) / "runs" / f"{key}.json"


def drop_unused(home: Path) -> None:
    """Delete kept files that no run refers to; the caller must hold the lock on adding."""
    known = [load(home, key) for key in keys(home)]
    used = {run.predictions_path(home) for run in known} | {run.truths_path(home) for run in known}
    for folder in ("predictions", "releases"):
        for path in sorted((root(home) / folder).glob("*")):
            if path not in used:
                path.unlink()


def _keep(file: Path, folder: Path, suffix: str) -> Path:
    """Copy a file under the hash of its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.getpid()}.tmp"
    digest = hashlib.sha256()
    try:
        try:
            source = file.open("rb")
        except OSError as error:
            raise InputError(file, f"cannot be read: {error.strerror}") from None
        with source, temporary.open("wb") as out:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
        return temporary.replace(folder / f"{digest.hexdigest()}{suffix}")
    finally:
        temporary.unlink(missing_ok=True)

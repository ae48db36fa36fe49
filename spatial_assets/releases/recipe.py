"""Recipes of mixes: TOML files that say which questions a release holds and how many of each, read and checked here.

    about = "what it is"
    source = "where its figures come from"
    seed = 0                            # of the splits and the draws
    splits = "train:0.9,val:0.1"        # as --split takes them

    [[entries]]
    name = "sentences"
    suites = [...] / tasks = [...] / formats = [...] / datasets = [...] / splits = [...]
    rate = 0.1                          # of each dataset's questions of each task and format, rounded down
    count = 1000                        # in place of a rate: exactly so many,
    per = "task"                        # of each task, or over "all" that the entry selects
    even = true                         # over all: as many of each task as there are
    fewer = true                        # take what there is where that is less
    rest = true                         # in place of names: all that no other entry selects

What no entry selects is left out. Recipes that ship with the package are the files of `recipes/`, by their names.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from spatial_assets.readers.registry import READERS
from spatial_assets.releases.splits import parse_splits
from spatial_assets.scene.model import InputError
from spatial_assets.scene.parameters import Parameters
from spatial_assets.scene.suggestions import LISTED_BY, instead
from spatial_assets.tasks.core.rendering import FORMATS
from spatial_assets.tasks.registry import suites, tasks

FOLDER = Path(__file__).with_name("recipes")
SUFFIX = ".toml"
BAD = "bad_recipe"
EVERYTHING = "all:1"
"""One split, where neither a recipe nor its user names any."""
SHARE = "give {names}, a recipe's FILE.toml, or FORMAT:SHARE,..., as in sentence:1,select:0.1"


class Cell(NamedTuple):
    """What recipes select by: the smallest parts of a release that any of them can tell apart."""

    split: str
    task: str
    dataset: str
    format: str


class Entry(Parameters):
    """One part of a mix. Of what it names nothing of (suites, tasks, ...) it takes all."""

    name: str = Field("", description="what the data card calls it; its number where it has no name")
    suites: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    rest: bool = Field(False, strict=True, description="all that no other entry selects, in place of names")
    rate: float | None = Field(
        None, ge=0, le=1, strict=True, allow_inf_nan=False,
        description="share of each split's and dataset's questions of each task and format, rounded down",
    )  # fmt: skip
    count: int | None = Field(None, ge=0, strict=True, description="exactly so many")
    per: Literal["task", "all"] | None = Field(
        None, description="whether the count is of each task, or over all that the entry selects"
    )
    even: bool = Field(
        False, strict=True,
        description="of a count over all: as many of each task, and more of others only where one has no more",
    )  # fmt: skip
    fewer: bool = Field(
        False, strict=True, description="whether fewer than the count will do where no more are there"
    )

    def selects(self, cell: Cell) -> bool:
        """Whether what the entry names holds the cell; says nothing of `rest`."""
        pairs = (
            (self.tasks, cell.task), (self.formats, cell.format), (self.datasets, cell.dataset),
            (self.splits, cell.split), (self.suites, suite_of(cell.task)),
        )  # fmt: skip
        return all(not names or name in names for names, name in pairs)

    def asked(self) -> frozenset[tuple[str, str]]:
        """Tasks and formats that it selects of those that can be asked."""
        return frozenset(
            (name, form)
            for name, task in tasks().items()
            for form in task.formats
            if (not self.tasks or name in self.tasks)
            and (not self.formats or form in self.formats)
            and (not self.suites or task.suite in self.suites)
        )


class Recipe(Parameters):
    """A mix as its file says it."""

    about: str = Field("", description="what it is, for the data card")
    source: str = Field("", description="where its figures come from")
    seed: int = Field(0, strict=True, description="of the splits and the draws; --seed replaces it")
    splits: str = Field("", description="as --split takes them, which replaces it; empty for one split")
    entries: tuple[Entry, ...] = Field(min_length=1)

    def names(self) -> list[str]:
        """What each entry is called."""
        return [entry.name or f"entry {place}" for place, entry in enumerate(self.entries, 1)]

    def place_of(self, cell: Cell) -> int | None:
        """Which entry a cell belongs to; None for what is left out."""
        for place, entry in enumerate(self.entries):
            if not entry.rest and entry.selects(cell):
                return place
        return next((place for place, entry in enumerate(self.entries) if entry.rest), None)

    def tasks_of(self, place: int) -> list[str]:
        """Tasks that an entry selects something of, sorted."""
        entry = self.entries[place]
        found = entry.asked()
        if entry.rest:
            # What another entry takes of one dataset or split alone is left of the others.
            whole = (other for other in self.entries if not (other.rest or other.datasets or other.splits))
            found = found.difference(*(other.asked() for other in whole))
        return sorted({name for name, _ in found})

    def told(self) -> dict[str, Any]:
        """What of it is not the default, as JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Mix(NamedTuple):
    """A recipe, and what it is known by."""

    name: str
    """That of a recipe that ships with the package, of its file, or the shares as they were given."""
    recipe: Recipe

    @property
    def sha256(self) -> str:
        """Of what the recipe says, however its file is laid out."""
        return hashlib.sha256(json.dumps(self.recipe.told(), sort_keys=True).encode()).hexdigest()


@cache
def suite_of(task: str) -> str:
    """Empty for a task that there is no more, whose questions a lake may still hold."""
    found = tasks().get(task)
    return "" if found is None else found.suite


def named() -> dict[str, Path]:
    """The recipes that ship with the package, sorted."""
    return {path.stem: path for path in sorted(FOLDER.glob(f"*{SUFFIX}"))}


def parse_mix(text: str) -> Mix:
    """A recipe by its name or file, or `sentence:1,select:0.1`, shares by format, where the others stay whole.

    Raises ValueError for what is none of them, and InputError, naming file and key, for a recipe that cannot be.
    """
    text = text.strip()
    if text in named():
        return Mix(text, load(named()[text]))
    if text.endswith(SUFFIX):
        return Mix(Path(text).stem, load(Path(text)))
    shares: dict[str, float] = {}
    for part in text.split(","):
        form, _, share = (word.strip() for word in part.partition(":"))
        try:
            shares[form] = float(share)
        except ValueError:
            shares[form] = -1.0
        if form not in FORMATS or not 0 <= shares[form] <= 1:
            told = SHARE.format(names=", ".join(named()))
            raise ValueError(f"--mix {text!r}: {told}; formats are {', '.join(FORMATS)}, shares 0 to 1")
    if len(shares) != text.count(",") + 1:
        raise ValueError(f"--mix {text!r}: a format is named twice")
    entries = [Entry(name=form, formats=(form,), rate=share) for form, share in shares.items()]
    whole = [Entry(name="other formats", rest=True, rate=1.0)]
    return Mix(text, Recipe(about="Shares of formats, as asked for.", entries=(*entries, *whole)))


def load(path: Path) -> Recipe:
    """A recipe's file. Raises InputError, naming file and key, for whatever it cannot mean."""
    held = _toml(path)
    try:
        recipe = Recipe.model_validate(held)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(path, f"{_where(held, problem['loc'])}{problem['msg']}", BAD) from None
    for told in _problems(recipe):
        raise InputError(path, told, BAD)
    return recipe


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(path, f"line {line}: not UTF-8; save the file as UTF-8", BAD) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"not TOML: {error}", BAD) from None
    except RecursionError:
        raise InputError(path, "TOML beyond all bounds", BAD) from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", BAD) from None


def _where(held: dict[str, Any], loc: tuple[int | str, ...]) -> str:
    """`entry 2 (sentences): rate: `"""
    if loc[:1] == ("entries",) and len(loc) > 1 and isinstance(loc[1], int):
        entry = held["entries"][loc[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        key = ".".join(map(str, loc[2:]))
        return _entry(loc[1], name if isinstance(name, str) else "") + (f"{key}: " if key else "")
    return ".".join(map(str, loc)) + ": "


def _entry(place: int, name: str) -> str:
    return f"entry {place + 1}{f' ({name})' if name else ''}: "


def _problems(recipe: Recipe) -> Iterator[str]:
    """What the keys say that cannot be, each on its own; the first is enough."""
    if recipe.splits:
        try:
            parse_splits(recipe.splits)
        except ValueError as error:
            yield str(error).replace("--split", "splits:", 1)
    called: dict[str, int] = {}
    for place, (entry, name) in enumerate(zip(recipe.entries, recipe.names(), strict=True)):
        own = _entry(place, entry.name)
        yield from (own + problem for problem in _wrong(entry))
        if name in called:
            yield f"{own}name: entry {called[name] + 1} has it too"
        called[name] = place
    resting = [place for place, entry in enumerate(recipe.entries) if entry.rest]
    if len(resting) > 1:
        yield f"{_entry(resting[1], recipe.entries[resting[1]].name)}rest: entry {resting[0] + 1} takes it already"
    yield from _overlaps(recipe)


def _wrong(entry: Entry) -> Iterator[str]:
    known = {"suites": suites(), "tasks": tuple(tasks()), "formats": FORMATS, "datasets": READERS}
    for key, there in known.items():
        own: tuple[str, ...] = getattr(entry, key)
        for name in own:
            if name not in there:
                yield f"{key}: nothing is named {name!r}; {instead(name, there, LISTED_BY)}"
    for key in (*known, "splits"):
        own = getattr(entry, key)
        if len(set(own)) < len(own):
            yield f"{key}: {next(name for name in own if own.count(name) > 1)!r} is named twice"
        if own and entry.rest:
            yield f"rest: it stands for all that no other entry selects, and {key} are named too"
    if (entry.rate is None) == (entry.count is None):
        yield (
            "rate: there is a count too; give one of them"
            if entry.count is not None
            else ("rate: neither it nor a count is there; give one of them")
        )
    if (entry.count is None) != (entry.per is None):
        yield (
            'per: a count needs it: "task" for so many of each task, or "all" for so many in all'
            if entry.per is None
            else "per: it belongs to a count, and there is a rate"
        )
    if entry.even and entry.per != "all":
        yield 'even: it belongs to a count over all, with per = "all"'
    if entry.fewer and entry.count is None:
        yield "fewer: it belongs to a count, and there is a rate"
    if not entry.asked():
        yield "nothing is selected: no task of these suites and names is asked in these formats"


def _overlaps(recipe: Recipe) -> Iterator[str]:
    for (one, first), (other, second) in combinations(enumerate(recipe.entries), 2):
        both = sorted(first.asked() & second.asked())
        apart = any(
            a and b and not set(a) & set(b)
            for a, b in ((first.datasets, second.datasets), (first.splits, second.splits))
        )
        if both and not apart and not (first.rest or second.rest):
            task, form = both[0]
            own = _entry(other, second.name)
            yield f"{own}it selects {task}, format {form}, and so does entry {one + 1}; each question goes to one"


def settled(splits: str, seed: int | None, asked: Mix | None) -> tuple[dict[str, float] | None, int]:
    """Shares of splits and the seed: those given, else the recipe's, else one split and 0."""
    recipe = None if asked is None else asked.recipe
    own = recipe.splits if recipe else ""
    return parse_splits(splits or own or EVERYTHING), (recipe.seed if recipe else 0) if seed is None else seed

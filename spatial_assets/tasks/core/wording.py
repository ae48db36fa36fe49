"""How a question is worded: a task's stems once, and what its formats add beneath them.

Wording is data. `<task>.json` beside a task's module holds

    slots       what each placeholder of the templates stands for; `category` for names of objects
    stems       the question in several wordings, by id, the same for all formats
    published   ids of stems that a published format fixes word for word
    published_in  a file of the suite that holds them for all of its tasks, by task and id; these get no notes
    notes       what follows every stem: how something is measured
    notes_where  by name, what follows the stems of those questions alone that name it: how something is to be read
                that others do not hold
    formats     by format: `stems` in place of the task's, `options` and `instruction` in place of the common ones,
                and `answers`, in which a sentence is cast
    phrases     pieces that the task puts together itself, by name

and `wording.json` beside this module holds what formats add by the kind of the answer. Files are checked when they
are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from spatial_assets.tasks.core.draws import Draw, Hashes, choices

SUITES = Path(__file__).resolve().parents[1]
COMMON = Path(__file__).with_suffix(".json")
CATEGORY = "category"
"""The kind of slots that hold an object's name: any word, with a vowel or a consonant first, in the singular."""
ADDED = ("stems", "options", "instruction", "answers")
"""What a format may have of its own."""
FILLED: Mapping[str, Set[str]] = {
    "select": {"options", "letters"},
    "sentence": {"answer"},
    "judge": {"stated"},
}
"""By format, the slots that it fills itself in what stands under it."""
MAX_JACCARD = 0.8
"""Of the words of two stems: with more in common they are one wording twice."""
SLOT = re.compile(r"\{(\w+)\}")


class WordingError(Exception):
    """A wording file says what no question can be made of."""


@dataclass(frozen=True)
class FormatWording:
    """What is drawn from for one format, by id, in the order of their ids; stems with the notes behind them."""

    stems: Mapping[str, str]
    options: Mapping[str, str]
    instruction: Mapping[str, str]
    answers: Mapping[str, str]
    notes_where: Mapping[str, str]
    """What only some questions need to be told, by name."""
    verbatim: frozenset[str]
    """Stems that nothing is put behind."""

    @cached_property
    def stem_ids(self) -> tuple[str, ...]:
        return tuple(self.stems)

    @cached_property
    def option_ids(self) -> tuple[str, ...]:
        return tuple(self.options)

    @cached_property
    def instruction_ids(self) -> tuple[str, ...]:
        return tuple(self.instruction)

    @cached_property
    def answer_ids(self) -> tuple[str, ...]:
        return tuple(self.answers)


class Drawn(NamedTuple):
    """Ids of what a row is worded with; empty where the format adds nothing of the kind."""

    stem: str
    options: str
    instruction: str
    answer: str


class Worded(NamedTuple):
    """A question in words, whole and in the parts that readers of some formats add to themselves."""

    question: str
    """All of it: stem, options and instruction."""
    stem: str
    instruction: str | None
    answer: str
    template: str
    """Ids of all that was drawn, joined."""


@dataclass(frozen=True)
class Wording:
    """A task's wording."""

    formats: Mapping[str, FormatWording]

    def drawn(self, form: str, states: Hashes) -> list[Drawn]:
        """What the rows of the states, (N,), draw of a format."""
        own = self.formats[form]
        columns = [
            choices(states, purpose, names) if names else [""] * len(states)
            for purpose, names in (
                ("question", own.stem_ids),
                ("options", own.option_ids),
                ("instruction", own.instruction_ids),
                ("answer", own.answer_ids),
            )
        ]
        return list(map(Drawn._make, zip(*columns, strict=True)))

    def word(
        self,
        form: str,
        answer: str,
        slots: Mapping[str, str],
        drawn: Drawn,
        draw: Draw,
        stems: Sequence[str] | None = None,
        said: str = "",
        noted: Sequence[str] = (),
    ) -> Worded:
        """The stem drawn (or one of those named, where any are), notes of these names, what is said besides, and what
        the format adds."""
        own = self.formats[form]
        used = [drawn.stem if stems is None else draw.choice("question", tuple(sorted(stems)))]
        stem = _filled(own.stems[used[0]], slots)
        if noted and used[0] not in own.verbatim:
            stem = " ".join([stem, *(own.notes_where[name] for name in noted)])
        if said:
            stem += " " + said
        question, instruction = stem, None
        if drawn.options:
            used.append(drawn.options)
            question += " " + _filled(own.options[drawn.options], slots)
        if drawn.instruction:
            used.append(drawn.instruction)
            instruction = _filled(own.instruction[drawn.instruction], slots)
            question += " " + instruction
        if drawn.answer:
            used.append(drawn.answer)
            answer = _filled(own.answers[drawn.answer], slots)
        return Worded(question, stem, instruction, answer, "/".join(used))


def file_of(suite: str, task: str) -> Path:
    """A task's wording file."""
    return SUITES / suite / f"{task}.json"


@cache
def phrases(suite: str, task: str) -> Mapping[str, str]:
    """Pieces of sentences that a task puts together itself, by name."""
    held: Mapping[str, str] = json.loads(file_of(suite, task).read_text(encoding="utf-8"))["phrases"]
    return held


@cache
def notes_of(suite: str, task: str) -> tuple[str, ...]:
    """What stands behind each of a task's stems."""
    return tuple(json.loads(file_of(suite, task).read_text(encoding="utf-8")).get("notes", ()))


@cache
def _sentences(suite: str, task: str) -> Mapping[str, str]:
    """In which a task's answers are cast, by id."""
    held = json.loads(file_of(suite, task).read_text(encoding="utf-8"))["formats"]["sentence"]["answers"]
    return {name: _capital(text) for name, text in held.items()}


def cast(suite: str, task: str, template: str, slots: Mapping[str, str]) -> str:
    """Another answer in the sentence of a row's `template`."""
    return _filled(_sentences(suite, task)[template.rpartition("/")[2]], slots)


@cache
def stem_ids(suite: str, task: str, published: bool) -> tuple[str, ...]:
    """Ids of a task's stems that a published format fixes, or of those that it does not."""
    held = _held(file_of(suite, task))
    return tuple(sorted(name for name in held["stems"] if (name in held.get("published", ())) == published))


def _held(path: Path) -> dict[str, Any]:
    """A wording file, with the stems that its suite keeps elsewhere."""
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "published_in" in held:
        others = json.loads((path.parent / held["published_in"]).read_text(encoding="utf-8"))
        stems = others["stems"][path.stem]
        held |= {"stems": {**held["stems"], **stems}, "published": sorted(stems)}
    return held


@cache
def _common() -> dict[str, Any]:
    """What formats add for all tasks. Raises WordingError."""
    held: dict[str, Any] = json.loads(COMMON.read_text(encoding="utf-8"))
    if problems := check_common(held):
        raise WordingError(f"{COMMON.name}: {'; '.join(problems)}")
    return held


@cache
def load(path: Path, kinds: tuple[tuple[str, str], ...]) -> Wording:
    """A wording file, for formats and the kind of answer that each has. Raises WordingError, naming the file."""
    held = _held(path)
    common = _common()
    problems = [*_missing(held, [form for form, _ in kinds]), *check(held)]
    if problems:
        raise WordingError(f"{path.name}: {'; '.join(problems)}")
    notes = held.get("notes", ())
    verbatim = held["published"] if "published_in" in held else ()
    formats = {}
    for form, kind in kinds:
        own = held["formats"][form]
        added: dict[str, Any] = {**common[form].get("", {}), **common[form].get(kind, {}), **own}
        stems, options, instruction, answers = (
            {
                key: _capital(text)
                for key, text in sorted(
                    added.get(name, held.get(name, {}) if name == "stems" else {}).items()
                )
            }
            for name in ADDED
        )
        noted = {name: text if name in verbatim else " ".join([text, *notes]) for name, text in stems.items()}
        formats[form] = FormatWording(
            noted, options, instruction, answers, held.get("notes_where", {}), frozenset(verbatim)
        )
    return Wording(formats)


def _missing(held: Mapping[str, Any], forms: Sequence[str]) -> Iterator[str]:
    for form in forms:
        if form not in held["formats"]:
            yield f"no format {form!r}"
        elif not held["formats"][form].get("stems", held.get("stems")):
            yield f"no stems for {form!r}"
        elif form == "sentence" and not held["formats"][form].get("answers"):
            yield "no answers for 'sentence'"


def check(held: Mapping[str, Any]) -> list[str]:
    """What is wrong with the texts of a wording file: slots, duplicates, grammar, what is hardly different."""
    slots: Mapping[str, str] = held["slots"]
    published = set(held.get("published", ()))
    notes = {str(place): text for place, text in enumerate(held.get("notes", ()))}
    problems = [
        *_problems("stems", held.get("stems", {}), slots, set(slots), published),
        *_problems("notes", notes, slots, set(slots)),
        # These are put behind as they are.
        *_problems("notes_where", held.get("notes_where", {}), slots, set()),
        *_problems("phrases", held.get("phrases", {}), slots, set(slots)),
    ]
    for form, own in held["formats"].items():
        for name in [name for name in ADDED if name in own]:
            fit = set(slots) | FILLED.get(form, set())
            problems += _problems(f"{form} {name}", own[name], slots, fit, published)
    return problems


def check_common(held: Mapping[str, Any]) -> list[str]:
    """The same of what formats add for all tasks, by the kind of the answer."""
    return [
        problem
        for form, kinds in held.items()
        if form != "about"
        for kind, own in kinds.items()
        for name, texts in own.items()
        for problem in _problems(f"{form} {kind or 'any'} {name}", texts, {}, FILLED.get(form, set()))
    ]


def _problems(
    group: str,
    texts: Mapping[str, str],
    slots: Mapping[str, str],
    fit: Set[str],
    published: Set[str] = frozenset(),
) -> Iterator[str]:
    """Those of the texts of a group, in which these slots are fit to stand."""
    seen: dict[str, str] = {}
    for name, text in texts.items():
        yield from (f"{group} {name}: no slot {slot!r} is declared" for slot in sorted(_slots(text) - fit))
        if name not in published:
            yield from (f"{group} {name}: {what}" for what in _grammar(text, slots))
        words = " ".join(_words(text))
        if group != "phrases" and words in seen:
            yield f"{group} {name}: the same as {seen[words]}"
        seen[words] = name
    if group.endswith(("stems", "answers")):
        yield from _alike(group, texts)
    if group.endswith("stems"):
        yield from _uneven(group, {name: text for name, text in texts.items() if name not in published})


def _slots(text: str) -> set[str]:
    return set(SLOT.findall(text))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w{}]+", text.lower())


def _grammar(text: str, slots: Mapping[str, str]) -> Iterator[str]:
    """A name may begin with a vowel or not, and always stands in the singular."""
    for name, kind in slots.items():
        if kind == CATEGORY:
            if re.search(rf"\b[Aa]n? \{{{name}\}}", text):
                yield f"an article that does not fit every {{{name}}}"
            if re.search(rf"\{{{name}\}}\(?e?s\b", text):
                yield f"a plural that not every {{{name}}} has"


def _alike(group: str, texts: Mapping[str, str]) -> Iterator[str]:
    for (one, first), (other, second) in combinations(texts.items(), 2):
        a, b = set(_words(first)), set(_words(second))
        share = len(a & b) / len(a | b)
        if share >= MAX_JACCARD:
            yield f"{group} {one} and {other} share {share:.2f} of their words"


def _uneven(group: str, texts: Mapping[str, str]) -> Iterator[str]:
    """All stems ask about the same things."""
    wanted = set.union(*map(_slots, texts.values())) if texts else set()
    for name, text in texts.items():
        missing = sorted(wanted - _slots(text))
        if missing:
            yield f"{group} {name}: names no {', '.join(missing)}"


def _filled(text: str, slots: Mapping[str, str]) -> str:
    """A template of those that `load` gives, which begin with a capital unless they begin with a slot."""
    if "{" not in text:
        return text
    try:
        filled = text.format_map(slots)
    except KeyError as error:
        raise ValueError(
            f"the wording names {{{error.args[0]}}}, which no slot of the question fills: {text!r}"
        ) from None
    return _capital(filled) if text[0] == "{" else filled


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Attacks on questions with options: what letters, options, words and marks give away of which is right.

A question answered yes or no has these two as its options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.audit import encodings, guesses, learners, option_places, parts
from spatial_assets.audit.encodings import Slots
from spatial_assets.audit.parts import Choice, Said
from spatial_assets.scene.model import Float

LETTER, YES_NO, ANSWER = "letter", "yes or no", "answer text"
GUESS, OPTIONS, TEXT, BOTH, MARKS = "exact guess", "options", "text", "text and options", "marks"
BOX_COORDINATES = 4


@dataclass(frozen=True)
class Outcome:
    """What an attack scored of each row, (N,), and in words what it did."""

    attack: str
    hits: Float
    detail: str | None = None


@dataclass(frozen=True)
class OptionRows:
    """Rows whose answers are options: texts, which is right, and how rows are counted and parted."""

    choices: list[list[Choice]]
    right: NDArray[np.int64]
    letters: bool
    """Whether options have letters; yes and no have none."""
    stems: list[str]
    templates: list[str]
    told: list[Said]
    given: Float
    marks: Float
    weight: Float
    fold: NDArray[np.int64]

    @property
    def counts(self) -> list[int]:
        """How many options each row has."""
        return [len(row) for row in self.choices]

    @property
    def chance(self) -> float:
        """Of a random option."""
        return float(self.weight @ (1.0 / np.array(self.counts)) / self.weight.sum())


def option_rows(rows: list[dict[str, Any]], weight: Float, fold: NDArray[np.int64]) -> OptionRows | None:
    """The rows with their weight (N,) and part (N,); None where the answers are not options."""
    letters = rows[0]["options"] is not None
    texts = [row["options"] if letters else ["yes", "no"] for row in rows]
    names = [list(ascii_uppercase[: len(own)]) if letters else own for own in texts]
    answers = [row["answer"] if letters else row["answer"].strip(" .").lower() for row in rows]
    if any(answer not in own for answer, own in zip(answers, names, strict=True)):
        return None
    stems, templates = [row["stem"] for row in rows], [row["template"] for row in rows]
    told = parts.told(rows)
    return OptionRows(
        [[parts.choice(text) for text in own] for own in texts],
        np.array([own.index(answer) for answer, own in zip(answers, names, strict=True)], np.int64),
        letters,
        stems,
        templates,
        told,
        parts.padded([one.numbers for one in told]),
        parts.mark_coordinates(rows),
        weight,
        fold,
    )


def frequency(rows: OptionRows) -> Outcome:
    """Always the most frequent letter, or always yes or always no."""
    counts = np.bincount(rows.right, rows.weight)
    place = int(np.argmax(counts))
    detail = ascii_uppercase[place] if rows.letters else ("yes", "no")[place]
    return Outcome(LETTER if rows.letters else YES_NO, (rows.right == place).astype(float), detail)


def answer_text(rows: OptionRows) -> Outcome:
    """Of the options offered, the text that is most often right when it is offered, learned on the other half.

    A text counts for as much as it is right more often than a random option; texts not met before count nothing.
    """
    half = rows.fold % 2
    words = encodings.vocabulary([[one.text] for row in rows.choices for one in row])
    slots = Slots.of(rows.counts, rows.right, rows.weight, half)
    score = encodings.word_scores(words, slots, tested=-1)[..., 0]
    score = np.where(np.isnan(score), -np.inf, score)
    said: Counter[str] = Counter()
    for row, place, weight in zip(rows.choices, rows.right, rows.weight, strict=True):
        said[row[place].text] += weight
    commonest = min(said, key=lambda text: (-said[text], text))
    return Outcome(ANSWER, guesses.hits(score, rows.right), f"commonest: {commonest}")


def exact_guess(rows: OptionRows) -> Outcome:
    """The best of a fixed list of rules."""
    if parts.numeric(rows.choices):
        values, names = option_places.axes(rows.choices)
        rules = guesses.number_rules(values, names, rows.given, _marked_box(rows, names))
    else:
        rules = guesses.text_rules(rows.choices, rows.stems)
    return Outcome(GUESS, *guesses.best_rule(rules, rows.right, rows.weight, rows.fold % 2))


def _marked_box(rows: OptionRows, names: list[str]) -> Float | None:
    if names[-1] != "aspect" or rows.marks.shape[1] < BOX_COORDINATES:
        return None
    return option_places.box_measures(rows.marks[:, :BOX_COORDINATES])[0]


class Learned:
    """The attacks of learners: each part of the rows is scored by what was learned on the others."""

    def __init__(self, rows: OptionRows) -> None:
        self.rows = rows
        self.numeric = parts.numeric(rows.choices)
        self.slots = Slots.of(rows.counts, rows.right, rows.weight, rows.fold)
        flat = [one for row in rows.choices for one in row]
        each = [index for index, row in enumerate(rows.choices) for _ in row]
        self.values = option_places.axes(rows.choices)[0] if self.numeric else None
        self.own = encodings.vocabulary([encodings.option_words(one, self.numeric) for one in flat])
        self.beside = [] if self.numeric else encodings.beside(rows.choices)
        self.tied = encodings.vocabulary(
            [encodings.tied_words(one, rows.told[index]) for one, index in zip(flat, each, strict=True)]
        )
        self.lettered = encodings.vocabulary(
            [
                [f"{place} {word}" for word in (rows.templates[index], *rows.told[index].known)]
                for index, place in zip(each, self.slots.place.tolist(), strict=True)
            ]
        )
        self.questions = encodings.question_matrix(rows.told, rows.given)
        letter = self.slots.spread(self.slots.place[:, None].astype(float))
        among = (
            option_places.text_places(rows.choices)
            if self.values is None
            else option_places.number_places(self.values)
        )
        self.among = np.concatenate([letter, among], axis=2)

    def outcomes(self, tried: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Of all rows, or of those in the parts tried: rows of other parts have no hits that mean anything."""
        wanted = [OPTIONS, TEXT, BOTH] + ([MARKS] if self.rows.marks.shape[1] else [])
        scores = {attack: np.full(self.slots.shape, -np.inf) for attack in wanted}
        for part in np.unique(self.rows.fold).tolist() if tried is None else tried:
            own = [encodings.word_scores(words, self.slots, part) for words in (self.own, *self.beside)]
            tied = self._tied(part)
            features = {
                OPTIONS: [self.among, *own],
                TEXT: tied,
                BOTH: [self.among, *own, *tied, *self._stated()],
                MARKS: [self.among, *own, *self._marked()],
            }
            test = self.rows.fold == part
            for attack in wanted:
                table = np.concatenate(features[attack], axis=2)
                table[np.isnan(self.among).all(axis=2)] = np.nan
                learned = learners.fit_boosted(table[~test], self.rows.right[~test], self.rows.weight[~test])
                scores[attack][test] = learned(table[test])
        for attack in wanted:
            yield Outcome(attack, guesses.hits(scores[attack], self.rows.right))

    def _tied(self, part: int) -> list[Float]:
        """What ties options to the question: words or letters beside words, numbers beside what is expected."""
        rows = self.rows
        found = [
            encodings.word_scores(self.tied, self.slots, part),
            encodings.word_scores(self.lettered, self.slots, part),
        ]
        if self.values is None:
            return [*found, option_places.listing(rows.choices, rows.stems)]
        near = encodings.nearness(self.values, rows.right, self.questions, rows.weight, rows.fold, part)
        return [*found, near]

    def _stated(self) -> list[Float]:
        """How many images there are, the numbers that the question states, and the options' ratios to them."""
        given, images = self.rows.given, parts.images_of(self.rows.told)
        found = [self._by_row(images)] if images.shape[1] else []
        if not given.shape[1]:
            return found
        found.append(self._by_row(given))
        if self.values is not None and self.values.shape[2] == 1:
            with option_places.unknown_allowed():
                found.append(np.log(np.abs(self.values) + 1e-3) - np.log(np.abs(given) + 1e-3)[:, None, :])
        return found

    def _marked(self) -> list[Float]:
        """Where marks lie, and of boxes, how an option's box lies to the marked one."""
        marks = self.rows.marks
        found = [self._by_row(marks)]
        if (
            self.values is not None
            and self.values.shape[2] == 2 * BOX_COORDINATES
            and marks.shape[1] >= BOX_COORDINATES
        ):
            box = marks[:, :BOX_COORDINATES]
            both = np.concatenate([box, option_places.box_measures(box)[0]], axis=1)
            with option_places.unknown_allowed():
                found += [self.values - both[:, None], np.log(self.values[..., 4:] / both[:, None, 4:])]
                found[-1][~np.isfinite(found[-1])] = np.nan
        return found

    def _by_row(self, values: Float) -> Float:
        """(N, K, F) of (N, F): the same for all options of a row."""
        return np.repeat(values[:, None, :], self.slots.shape[1], axis=1)

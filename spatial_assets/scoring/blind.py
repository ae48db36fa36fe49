"""What an answerer without eyes would score on a benchmark that is at hand, with its options: three ways to guess.

`random` picks one of a question's options, each as likely as the others. `frequent` always gives the task's most
frequent answer. `constant` always gives the answer that scores best of all, where answers are numbers: it takes
knowing the truths, and no answerer that ignores the question does better.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spatial_assets.scoring import sparbench
from spatial_assets.scoring.metrics import RELATIVE_ERROR_LIMITS
from spatial_assets.scoring.profile import Profile

DIGITS = 4
"""Of a number that is said; scores change at no finer steps in benchmarks whose truths have one decimal."""
PROFILE = sparbench.PROFILES[0]


@dataclass(frozen=True)
class Asked:
    task: str
    answer: str
    options: int
    """How many there are to choose from; 0 where none are."""


@dataclass(frozen=True)
class Blind:
    """Means of a task's questions, 0 to 1; None where a guess is not defined."""

    random: float | None
    frequent: float
    frequent_answer: str
    constant: float | None
    constant_answer: str | None


def blind(task: str, asked: Sequence[Asked], profile: Profile = PROFILE) -> Blind:
    """Of the questions of one task of SPAR-Bench, at least one."""
    answers = Counter(question.answer for question in asked)
    frequent = min(answers, key=lambda answer: (-answers[answer], answer))
    random = constant = said = None
    if all(question.options for question in asked):
        random = math.fsum(1 / question.options for question in asked) / len(asked)
    elif task in sparbench.NUMBERS:
        guesses = _numbers([float(answer) for answer in answers])
        said = max(guesses, key=lambda guess: _score(profile, task, answers, guess))
        constant = _score(profile, task, answers, said)
    elif task == sparbench.VIEW_CHANGE:
        said = _motion(answers)
        constant = _score(profile, task, answers, said)
    return Blind(random, _score(profile, task, answers, frequent), frequent, constant, said)


def levels(means: Mapping[str, float], profile: Profile = PROFILE) -> dict[str, float]:
    """Percentages of the levels and of all, as the evaluator sums them up, of the tasks that have a mean."""
    names = sorted(means)
    found = profile.aggregate(np.array([means[name] for name in names]), np.arange(len(names)), names)
    held = {**found["levels"], "overall": found["overall"]}
    return {name: round(100 * mean, 2) for name, mean in held.items() if mean == mean}


def _score(profile: Profile, task: str, answers: Counter[str], guess: str) -> float:
    total = math.fsum(
        count * profile.scorers[task]({"prediction": guess, "ground_truth": answer})
        for answer, count in sorted(answers.items())
    )
    return total / answers.total()


def _numbers(truths: Sequence[float]) -> list[str]:
    """The numbers among which the best guess is.

    A truth accepts the numbers of an interval, so the best is where one begins.
    """
    begins = {truth * (1 - limit) for truth in truths for limit in RELATIVE_ERROR_LIMITS} | set(truths)
    return [
        f"{number:.{DIGITS}f}" for number in sorted({tried for begin in begins for tried in _near(begin)})
    ]


def _near(number: float) -> tuple[float, float]:
    """With so many digits: the nearest, as another interval may end there, and the next one, which is not before it."""
    return round(number, DIGITS), math.ceil(number * 10**DIGITS) / 10**DIGITS


def _motion(answers: Counter[str]) -> str:
    """The view change that scores best: the best number of each axis, as the score is a mean over them.

    The released evaluator divides by what was said, so a truth accepts what is so much larger or smaller than itself.
    """
    said = []
    truths = [(_signed(answer), count) for answer, count in sorted(answers.items())]
    for axis, (plus, minus) in enumerate(sparbench.AXES):
        own = np.array([truth[axis] for truth, _ in truths])
        weights = np.array([count for _, count in truths])
        guesses = {0.0, *own.tolist()}
        for limit in RELATIVE_ERROR_LIMITS:
            guesses |= {
                math.copysign(tried, truth)
                for truth in own.tolist()
                for tried in _near(abs(truth) / (1 + limit))
                if truth
            }
        best = max(sorted(guesses), key=lambda guess: (_axis_score(guess, own, weights), -abs(guess)))
        number = f"{abs(best):.{DIGITS}f}".rstrip("0").rstrip(".")
        said.append(f"{plus if best >= 0 else minus}:{number}")
    return ",".join(said)


def _axis_score(guess: float, truths: np.ndarray, weights: np.ndarray) -> float:
    errors = np.abs(truths - guess) / (abs(guess) or 1.0)
    met = (errors[:, None] <= np.array(RELATIVE_ERROR_LIMITS)[None, :]).mean(axis=1)
    return float(met @ weights)


def _signed(answer: str) -> list[float]:
    values = dict(part.split(":") for part in answer.split(","))
    return [float(values.get(plus, 0)) - float(values.get(minus, 0)) for plus, minus in sparbench.AXES]

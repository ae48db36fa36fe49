"""Reward functions for TRL's GRPOTrainer: `reward_funcs=[trl.spatial, trl.format]`.

TRL calls them with all completions of a batch, each a text or a list of messages, and every column of the data set as
a list: those of the export `grpo`. `spatial` scores each row by the reward that it names; `accuracy`, `mra`, `point`,
`box`, `relation` and `view_change` score the rows that name them and give None for others, which TRL leaves out, so
that each can have a weight and a curve of its own.
https://huggingface.co/docs/trl/grpo_trainer, TRL 1.16
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spatial_assets.rewards.form import well_formed
from spatial_assets.scoring import kinds
from spatial_assets.scoring.kinds import Truth, score

Completion = str | Sequence[Mapping[str, Any]]


def text_of(completion: Completion) -> str:
    """What a completion says: the last message's text, parts of text joined."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")


def rows_of(count: int, columns: Mapping[str, Any]) -> list[Truth]:
    """What each of so many completions is held against."""
    fields = {name: columns[name] for name in Truth.__dataclass_fields__ if columns.get(name) is not None}
    return [Truth.of({name: values[place] for name, values in fields.items()}) for place in range(count)]


def spatial(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """Each row's own reward."""
    truths = rows_of(len(completions), columns)
    return [score(text_of(said), truth) for said, truth in zip(completions, truths, strict=True)]


def format(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """Whether the response is thinking and an answer in their tags."""
    return [well_formed(text_of(said)) for said in completions]


def _only(name: str, what: str) -> Callable[..., list[float | None]]:
    def reward(completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        truths = rows_of(len(completions), columns)
        return [
            score(text_of(said), truth) if truth.reward == name else None
            for said, truth in zip(completions, truths, strict=True)
        ]

    reward.__name__ = reward.__qualname__ = name
    reward.__doc__ = what
    return reward


accuracy = _only(kinds.ACCURACY, "Whether the letter or the words are right.")
mra = _only(kinds.MRA, "Mean relative accuracy of numbers.")
point = _only(kinds.POINT, "Mean point accuracy.")
box = _only(kinds.BOX, "Intersection over union of boxes.")
relation = _only(kinds.RELATION, "Share of a description's parts that are right.")
view_change = _only(kinds.VIEW_CHANGE, "Mean relative accuracy over the axes of a view change.")

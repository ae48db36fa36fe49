"""Which of four objects is nearest to another, by bounded least squares over their boxes."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pytest
import video_truth
from question_truth import Truth
from video_scenes import (
    Studio,
    about,
    ask,
    box,
    check_answers,
    check_video,
    found_by,
    made,
    random_scene,
    rejected,
    seen,
    things,
)
from video_twin import Twin, strata_of

from spatial_assets.geometry.boxes import box_distance
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import Prior, prior_of
from spatial_assets.tasks.vsi import object_rel_distance

TASK = "object_rel_distance"


def gaps(scene: Truth, row: dict[str, Any]) -> dict[str, float]:
    """Meters from the target to the nearest of each option's category."""
    options = dict(things(row))
    target = scene.objects[options.pop("target")]
    words = [scene.objects[thing].category for thing in options.values()]
    return {word: video_truth.nearest(scene, word, target) for word in words}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    return [min(gaps(scene, row).values())]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    found = gaps(scene, row)
    return min(found, key=found.__getitem__)


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 200)


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)


def test_options_stand_in_the_order_of_their_letters_and_are_the_nearest_of_their_kind(
    studio: Studio,
) -> None:
    several = 0
    for row in studio.rows(TASK):
        scene, found = studio.truths[row["scene"]], things(row)
        assert list(found) == ["target", "option_1", "option_2", "option_3", "option_4"]
        target = scene.objects[found.pop("target")]
        words = [scene.objects[thing].category for thing in found.values()]
        assert row["options"] == words and len(set(words)) == 4
        assert video_truth.called(scene, target.category) == [things(row)["target"]]
        at = [row["question"].find(word) for word in words]
        assert min(at) >= 0
        for thing, word in zip(found.values(), words, strict=True):
            group = video_truth.called(scene, word)
            several += len(group) > 1
            assert thing == min(group, key=lambda it: (video_truth.gap(scene.objects[it], target), it))
        ordered = sorted(gaps(scene, row).values())
        assert ordered[0] >= 0.15 - 1e-6
        assert min(b - a for a, b in pairwise(ordered)) >= 0.15 - 1e-6
        assert row["margin"] == pytest.approx(ordered[1] - ordered[0], abs=1e-5)
    assert several > 20


def expected(facts: SceneFacts, gap: float) -> tuple[list[tuple[int, int]], list[str], Counter[str]]:
    """Candidates, the word of each one's target, and reasons; every three of the options further off are tried."""
    twin, boxes = Twin(facts), facts.objects.boxes
    words, referents = twin.words(), twin.referents()
    kept, targets, reasons = [], [], Counter()
    for target_word in words:
        target = twin.groups[target_word][0]
        nearest = {
            word: min((box_distance(boxes[target], boxes[it]), it) for it in group)
            for word, group in twin.groups.items()
            if word != target_word
        }
        for word, (distance, thing) in nearest.items():
            others = [nearest[it][0] for it in nearest if it != word and words[it] is None]
            if referents[target_word] is not None:
                reasons[referents[target_word]] += 1
            elif words[word] is not None:
                reasons[words[word]] += 1
            elif distance < 0.15:
                reasons["near"] += 1
            elif not any(
                all(b - a >= gap for a, b in pairwise([distance, *sorted(three)]))
                for three in combinations(others, 3)
            ):
                reasons["no_further"] += 1
            else:
                kept.append((target, thing))
                targets.append(target_word)
    return kept, targets, reasons


def test_candidates_are_those_of_plain_loops(studio: Studio) -> None:
    reached: Counter[str] = Counter()
    total = 0
    for facts in (studio.facts()[0], *map(random_scene, range(40))):
        found = found_by(TASK, facts)
        kept, targets, reasons = expected(facts, 0.15)
        assert about(found) == kept and found.rejected == reasons
        assert len(set(zip(targets, strata_of(found), strict=True))) == len(set(targets))
        reached.update(reasons)
        total += len(kept)
    assert total > 100 and {"near", "no_further", "several", "half_seen"} <= set(reached)


@pytest.mark.parametrize("gap", [0.4, 0.8])
def test_every_candidate_has_its_three_options(gap: float) -> None:
    """Even where the first words drawn leave no room for three."""
    total = 0
    words = ("bed", "sofa", "table", "plant", "lamp", "vase", "mirror", "piano", "toilet")
    for seed in range(6):
        places = np.random.default_rng(seed).uniform(0, 6, (len(words), 2)).tolist()
        facts = made([(word, box(x, y)) for word, (x, y) in zip(words, places, strict=True)])
        rows = ask(TASK, facts, min_gap=gap, quota=1000, even=False)
        kept, _, reasons = expected(facts, gap)
        assert len(rows) == len(kept) and found_by(TASK, facts, min_gap=gap).rejected == reasons
        for row in rows:
            found = things(row)
            boxes = facts.objects.boxes
            ordered = sorted(
                box_distance(boxes[found["target"]], boxes[thing])
                for role, thing in found.items()
                if role != "target"
            )
            assert min(b - a for a, b in pairwise(ordered)) >= gap and row["value"] == [ordered[0]]
        total += len(rows)
    assert total > 30


@pytest.mark.parametrize(("gap", "kept"), [(0.149, False), (0.151, True)])
@pytest.mark.parametrize("which", range(4))
def test_options_are_apart_on_both_sides(gap: float, kept: bool, which: int) -> None:
    """The first distance to the target, and each step from one to the next, is wide but for one."""
    steps = [0.5] * 4
    steps[which] = gap
    objects = [("sofa", box(0, 0, (0.02, 0.02, 0.2)))]
    # In four directions, so that the others' distances to one another do not matter.
    for i, (word, far) in enumerate(zip(("table", "plant", "lamp", "bed"), np.cumsum(steps), strict=True)):
        x, y = ((1, 0), (0, 1), (-1, 0), (0, -1))[i]
        objects.append((word, box(x * (far + 0.02), y * (far + 0.02), (0.02, 0.02, 0.2))))
    facts = made(objects)
    about_sofa = [pair for pair in about(found_by(TASK, facts)) if pair[0] == 0]
    assert about_sofa == ([(0, 1)] if kept else [])
    for row in ask(TASK, facts):
        if things(row)["target"] == 0:
            assert row["value"] == pytest.approx([steps[0]])
            assert row["options"]["ABCD".index(row["answer"])] == "table"
            assert row["margin"] == pytest.approx(steps[1])


def test_a_second_instance_counts_if_it_is_nearer() -> None:
    objects = [
        ("sofa", box(0, 0)), ("chair", box(4, 0)), ("chair", box(0, 0.8)), ("table", box(1.5, 0)),
        ("plant", box(-2, 0)), ("bed", box(0, -2.6)),
    ]  # fmt: skip
    facts = made(objects)
    assert [pair for pair in about(found_by(TASK, facts)) if pair[0] == 0] == [(0, 2)]
    # If the nearer chair is only half seen, chairs are no option at all.
    half = made(objects, [{**{i: seen(0.05) for i in range(6)}, 2: seen(0.001)}])
    assert not any(1 in pair or 2 in pair for pair in about(found_by(TASK, half)))
    assert rejected(TASK, half)["half_seen"] == 4 + 4


def test_what_is_drawn_does_not_change_when_another_option_goes() -> None:
    """A row stays as it is when an object goes that it does not show."""
    objects = [("sofa", box(0, 0, (0.1, 0.1, 0.1)))]
    words = ("table", "plant", "lamp", "bed", "vase", "desk", "piano", "door", "mirror", "toilet")
    objects += [(word, box(0.5 + 0.4 * i, 0, (0.1, 0.1, 0.1))) for i, word in enumerate(words)]
    rows = {row["qa_id"]: row for row in ask(TASK, made(objects), quota=1000)}
    gone = len(objects) - 3
    less = {row["qa_id"]: row for row in ask(TASK, made(objects[:gone] + objects[gone + 1 :], instances=[
        i for i in range(len(objects)) if i != gone
    ]), quota=1000)}  # fmt: skip
    kept = {name: row for name, row in rows.items() if gone not in things(row).values()}
    assert 10 < len(kept) < len(rows)
    assert less.items() >= kept.items()


WORDS = ("bed", "desk", "lamp", "plant", "sofa", "table", "toilet", "vase")


def in_a_line() -> SceneFacts:
    """Things of different words, each far enough from the next."""
    return made([(word, box(0.6 * i, 0, (0.1, 0.1, 0.1))) for i, word in enumerate(WORDS)])


def test_what_the_words_say_does_not_depend_on_the_order_of_the_options() -> None:
    law = prior_of("vsi", TASK)
    said = dict(zip(WORDS, law.chances(object_rel_distance.hints(WORDS[:4], "sofa")), strict=False))
    assert max(said.values()) > 1.2 * min(said.values())
    for order in permutations(WORDS[:4]):
        hints = object_rel_distance.hints(order, "sofa")
        assert [len(set(own)) for own in hints] == [5] * 4
        assert law.chances(hints) == pytest.approx([said[word] for word in order])


def test_an_option_and_its_target_say_the_same_the_other_way_round() -> None:
    shared = [
        {hint for own in object_rel_distance.hints([option, "desk", "vase", "plant"], target) for hint in own}
        for option, target in (("bed", "lamp"), ("lamp", "bed"))
    ]
    assert [hint for hint in shared[0] & shared[1] if "bed" in hint] == ["bed~lamp"]


@pytest.mark.parametrize("sign", ["|", "~"])
def test_the_law_knows_of_things_beside_each_other(sign: str) -> None:
    """Of those beside the target each two once, of those among the options either way."""
    pairs = [name.split(sign) for name in prior_of("vsi", TASK).scores if sign in name]
    assert len(pairs) > 1000
    assert all(first < later for first, later in pairs) == (sign == "~")


def test_what_is_left_out_depends_on_the_other_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that is sure of one thing beside another leaves out just what it would guess."""
    facts = in_a_line()
    rows = {}
    for name, scores in (("none", {}), ("pair", {"lamp|plant": 40.0})):
        monkeypatch.setattr(object_rel_distance, "prior_of", lambda *_, scores=scores: Prior(scores))
        rows[name] = {row["qa_id"]: row for row in ask(TASK, facts, quota=1000)}
    guessed = {
        name
        for name, row in rows["none"].items()
        if "plant" in row["options"] and row["options"]["ABCD".index(row["answer"])] == "lamp"
    }
    assert (
        guessed
        and rows["pair"].items()
        == {name: row for name, row in rows["none"].items() if name not in guessed}.items()
    )

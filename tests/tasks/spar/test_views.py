"""Three views of a scene, by plain loops: which go together, and where an object is marked."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from asked_homes import Asked
from question_truth import Truth

from spatial_assets.stages.questions import facts_of
from spatial_assets.tasks.core.candidates import TIER
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents, shown
from spatial_assets.tasks.core.marks import Mark, placed
from spatial_assets.tasks.spar import views
from spatial_assets.tasks.spar.views import VIEWS, ViewLimits, ViewsParameters

LOOSE = ReferentLimits(min_area=0.001, max_occlusion=0.9, max_truncation=0.9, min_vertex_fraction=0.02)


@pytest.fixture(scope="module")
def scenes(studio_asked: Asked) -> list[tuple[SceneFacts, Truth]]:
    return [(facts_of(item), studio_asked.truths[item.ref.name]) for item in studio_asked.inputs()]


def test_triples_are_linked_with_the_main_view(scenes: list[tuple[SceneFacts, Truth]]) -> None:
    parameters = ViewsParameters(views=ViewLimits(draws=3))
    for facts, _ in scenes:
        found = views.triples(facts, parameters)
        fit = (referents(facts, parameters.views.shared) == 0) & shown(facts)
        keyframes = set(facts.frames.keyframes.tolist())
        assert len(found) > len(keyframes)
        chosen = found.frames.tolist()
        assert len({(main, *sorted(others)) for main, *others in chosen}) == len(chosen)
        for main, second, third in chosen:
            assert len({main, second, third}) == 3 and {main, second, third} <= keyframes
            for other in (second, third):
                assert 0.1 <= facts.overlap[main, other] <= 0.9
                assert (fit[main] & fit[other]).any()
            assert facts.overlap[second, third] <= 0.9


def test_tasks_with_other_limits_show_the_same_triples(scenes: list[tuple[SceneFacts, Truth]]) -> None:
    class Others(ViewsParameters):
        pass

    for facts, _ in scenes:
        one = views.triples(facts, ViewsParameters())
        assert views.triples(facts, Others(limits=LOOSE, quota=3)) is one
        other = views.triples(facts, ViewsParameters(seed=1))
        assert set(map(tuple, other.frames.tolist())) != set(map(tuple, one.frames.tolist()))


def test_without_links_main_views_are_counted(scenes: list[tuple[SceneFacts, Truth]]) -> None:
    facts, _ = scenes[0]
    found = views.triples(facts, ViewsParameters(views=ViewLimits(min_overlap=0.89)))
    assert found.rejected["few_views"] > 0
    assert found.rejected.total() + len(found) == len(facts.frames.keyframes)


@pytest.mark.parametrize("among", [views.ALL_VIEWS, views.OTHER_VIEWS])
def test_objects_are_marked_where_most_of_them_shows(
    scenes: list[tuple[SceneFacts, Truth]], among: tuple[int, ...]
) -> None:
    limits = ViewsParameters().limits
    for facts, truth in scenes:
        triples = views.triples(facts, ViewsParameters())
        found = views.objects_in_views(facts, ViewsParameters(), among)
        codes, instances, names = referents(facts, limits), facts.objects.instances, facts.frames.names
        expected = {}
        seen = 0
        for row in triples.frames.tolist():
            for thing, instance in enumerate(instances.tolist()):
                if facts.objects.structure[thing]:
                    continue
                pixels = [truth.pixels(names[row[view]]).get(instance, 0) for view in among]
                fit = [
                    (count, -view)
                    for count, view in zip(pixels, among, strict=True)
                    if codes[row[view], thing] == 0 and count
                ]
                seen += any(facts.observed.visible[row[view], thing] for view in among)
                if fit:
                    expected[*row, thing] = -max(fit)[1]
        given = {
            (*row, thing[0]): view[0]
            for row, thing, view in zip(
                found.frames.tolist(), found.objects.tolist(), found.values[VIEWS].tolist(), strict=True
            )
        }
        assert given.keys() == expected.keys()
        assert len(found) + found.rejected["unfit"] == seen
        # The truth's renderer may differ by a few pixels where two views show nearly the same.
        assert sum(given[key] != expected[key] for key in given) <= 0.01 * len(given)


@pytest.mark.parametrize("ordered", [False, True])
def test_pairs_are_marked_in_two_images_where_that_can_be(
    scenes: list[tuple[SceneFacts, Truth]], ordered: bool
) -> None:
    limits = ViewsParameters().limits
    for facts, _ in scenes:
        triples = views.triples(facts, ViewsParameters())
        found = views.pairs_in_views(facts, ViewsParameters(), ordered)
        filled = views.shares(facts, limits)
        expected = []
        for row in triples.frames.tolist():
            things = np.flatnonzero((filled[row] > 0).any(axis=0)).tolist()
            expected += [(*row, *pair) for pair in (permutations if ordered else combinations)(things, 2)]
        given = [(*f, *o) for f, o in zip(found.frames.tolist(), found.objects.tolist(), strict=True)]
        assert given == expected
        for row, pair, chosen, tier in zip(
            found.frames.tolist(),
            found.objects.tolist(),
            found.values[VIEWS].tolist(),
            found.values[TIER].tolist(),
            strict=True,
        ):
            a, b = (filled[row, thing].tolist() for thing in pair)
            shows = any(one > 0 and other > 0 for one, other in zip(a, b, strict=True))
            apart = [(min(a[i], b[j]), i, j) for i in range(3) for j in range(3) if i != j]
            most = max(apart)[0]
            assert tier == (views.IN_ONE if most == 0 else views.ALSO_IN_ONE if shows else views.APART)
            if most > 0:
                assert chosen[0] != chosen[1] and min(a[chosen[0]], b[chosen[1]]) == most
            else:
                assert chosen[0] == chosen[1] and a[chosen[0]] > 0 and b[chosen[1]] > 0


def xy_of(facts: SceneFacts, mark: Mark) -> list[float]:
    """Where a mark is, on the grid."""
    return placed(facts, [mark.shape], np.array([mark.frame]), np.array([mark.thing])).on_grid.tolist()


def test_marks_stand_in_their_images_and_apart(scenes: list[tuple[SceneFacts, Truth]]) -> None:
    for facts, truth in scenes:
        found = views.pairs_in_views(facts, ViewsParameters())
        touch = views.marks_touch(facts, found, 0.2)
        assert touch.any() and not touch.all()
        for index in range(0, len(found), 7):
            frames, chosen = found.frames[index].tolist(), found.values[VIEWS][index].tolist()
            roles = list(zip(("red", "blue"), found.objects[index].tolist(), strict=True))
            points = views.points_in(facts, frames, roles, chosen)
            assert [mark.frame for mark in points] == [frames[view] for view in chosen]
            for mark, (_, thing) in zip(points, roles, strict=True):
                name = facts.frames.names[mark.frame]
                assert truth.pixel_of(name, list(xy_of(facts, mark))) == facts.objects.instances[thing]
            view = truth.frames[facts.frames.names[frames[chosen[0]]]]
            (ax, ay), (bx, by) = (xy_of(facts, mark) for mark in points)
            gap = np.hypot(ax - bx, (ay - by) * view.height / view.width) / 1000
            assert touch[index] == (chosen[0] == chosen[1] and gap < 0.2)
            boxes = views.boxes_in(facts, frames, roles, chosen)
            assert [(mark.role, mark.shape, mark.frame) for mark in boxes] == [
                (role, "box", frames[view]) for (role, _), view in zip(roles, chosen, strict=True)
            ]

"""Views that bring instance images and no mesh: what can be asked about them is true, and shows well.

What shows of an object's box stands in there for what is hidden of it; how well, is measured on scenes with a mesh.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import lakes
import numpy as np
import polars as pl
import pytest
import question_truth
from asked_homes import Asked
from spar_checks import check_answers, check_apart, check_margins, check_points, check_reference

from spatial_assets.readers import structured3d
from spatial_assets.scene import tables
from spatial_assets.scene.tables import Table
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.candidates import Bools
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents, shown
from spatial_assets.tasks.core.priors import EXPECTED
from spatial_assets.tasks.registry import task, tasks

FORMATS = ("fill", "select", "sentence")
ROLES = {
    "depth_prediction_oc": ["red", "blue"],
    "depth_prediction_oo": ["red", "blue", "green"],
    "distance_prediction_oc": ["red"],
    "distance_prediction_oo": ["red", "blue"],
}
"""Of the tasks whose truth is in the file that tests each."""
OF_A_MESH = ("amodal_px", "occlusion", "truncation", "visible_vertex_fraction", "amodal_box")
"""Columns of the visibility table that only a labeled mesh can fill."""
PRECISION, RECALL = 0.95, 0.75


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"test_{name}")


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    base = tmp_path_factory.mktemp("views_asked")
    names = write_scenes(base / "source", "structured3d", 2, seed=3, faces=20_000, frames=40, size=(320, 240))
    lakes.register(base / "home", "structured3d", base / "source")
    lakes.build(base / "home")
    return Asked(
        "views", base / "home", {name: question_truth.views_truth(base / "source", name) for name in names}
    )


@pytest.mark.every(3)
@pytest.mark.parametrize("name", tasks())
def test_a_task_is_asked_or_says_which_facts_are_missing(views: Asked, name: str) -> None:
    quality = lakes.rows(views.home, f"quality/{name}").to_dicts()
    rejects = lakes.rows(views.home, f"rejects/{name}").to_dicts()
    for form, needs in task(name).needs.items():
        kept = [row["kept"] for row in quality if row["format"] == form]
        assert len(kept) == len(views.truths)
        missing = sorted(needs - structured3d.FACTS)
        told = {row["detail"] for row in rejects if row["format"] == form and row["reason"] == "missing_fact"}
        by_lot = sum(row["count"] for row in rejects if row["format"] == form and row["reason"] == EXPECTED)
        if missing:
            assert not any(kept) and told == {f"the scene has no {', '.join(missing)}"}
        else:
            # Of a few candidates a law that leaves out nine of ten may leave none.
            assert sum(kept) + by_lot > 0 and not told


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ROLES)
def test_answers_equal_the_truth(views: Asked, name: str, form: str) -> None:
    check_answers(views, name, form, module_of(name))
    check_margins(views, name, form, module_of(name))


@pytest.mark.parametrize("name", ROLES)
def test_points_are_on_their_objects(views: Asked, name: str) -> None:
    check_points(views, name, ROLES[name])


@pytest.mark.parametrize("name", ["depth_prediction_oc", "depth_prediction_oo"])
def test_the_reference_is_given_as_it_is(views: Asked, name: str) -> None:
    check_reference(views, name)


@pytest.mark.parametrize(
    ("name", "roles"),
    [("depth_prediction_oo", ("green", "blue")), ("distance_prediction_oo", ("red", "blue"))],
)
def test_pairs_are_apart(views: Asked, name: str, roles: tuple[str, str]) -> None:
    check_apart(views, name, roles, 0.3)


@pytest.mark.parametrize("name", ROLES)
def test_what_has_no_name_is_not_asked_about(views: Asked, name: str) -> None:
    """Many objects are labeled as other things: nobody can be asked about an "otherprop"."""
    rows = views.rows(name)
    known = [truth.objects.values() for truth in views.truths.values()]
    assert any(thing.category == "otherprop" for objects in known for thing in objects)
    for row in rows:
        objects = views.truths[row["scene"]].objects
        assert not any(objects[item["instance"]].category.startswith("other") for item in row["objects"])


def with_and_without_a_mesh(asked: Asked) -> Iterator[tuple[SceneFacts, SceneFacts]]:
    """Facts of each scene as they are, and as they were if the source had instance images in place of its mesh."""
    for inputs in asked.inputs():

        def blind(table: Table, read=inputs.table) -> pl.DataFrame:  # type: ignore[no-untyped-def]
            rows = read(table)
            if table.name == tables.VISIBILITY.name:
                rows = rows.with_columns(pl.lit(None, rows.schema[name]).alias(name) for name in OF_A_MESH)
            return rows

        yield SceneFacts(inputs.which, "", inputs.table), SceneFacts(inputs.which, "", blind)


def fit(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(K, O): what can be asked about in each keyframe."""
    found: Bools = ((referents(facts, limits) == 0) & shown(facts))[facts.frames.keyframes]
    return found


def measured(asked: Asked, limits: ReferentLimits) -> tuple[float, float]:
    """Precision and recall of the objects asked about without a mesh, against those asked about with one."""
    counts: Counter[str] = Counter()
    for known, blind in with_and_without_a_mesh(asked):
        right, given = fit(known, ReferentLimits()), fit(blind, limits)
        counts.update(right=int(right.sum()), given=int(given.sum()), both=int((right & given).sum()))
    assert min(counts["right"], counts["given"]) > 100
    return counts["both"] / counts["given"], counts["both"] / counts["right"]


def test_what_shows_of_a_box_stands_in_for_what_is_hidden(studio_asked: Asked) -> None:
    precision, recall = measured(studio_asked, ReferentLimits())
    print(
        f"of the objects asked about {precision:.1%} show well; of those that do, {recall:.1%} are asked about"
    )
    assert precision >= PRECISION and recall >= RECALL
    # Without it a third or so of what would be asked about is cut off or hidden.
    assert measured(studio_asked, ReferentLimits(min_box_share=0.0, min_box_fill=0.0))[0] < 0.8


def test_nothing_asked_about_is_nearly_hidden(studio_asked: Asked) -> None:
    hidden = np.concatenate(
        [
            known.observed.column("occlusion")[known.frames.keyframes][fit(blind, ReferentLimits())]
            for known, blind in with_and_without_a_mesh(studio_asked)
        ]
    )
    assert len(hidden) > 100 and hidden.max() < 0.9

"""What the proof audits: scenes that nothing was fitted on, and homes that nobody films beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import seeds, unfilmed
from spatial_assets.audit.rows import asked
from spatial_assets.scene.categories import canonical, is_structure
from spatial_assets.studio.scene import make_scene, plan_of
from spatial_assets.tasks.vsi import object_counting


def test_what_is_audited_was_not_fitted_on() -> None:
    audited = seeds.ALL_AUDITED
    seeds.check_apart(audited)
    assert len(set(audited)) == len(audited) and not {seeds.OF_LAWS, *seeds.OF_ALL_PRIORS} & set(audited)
    stated = {seed for found in seeds.fitted().values() for seed in found}
    assert stated == {seeds.OF_LAWS, *seeds.OF_ALL_PRIORS}


def test_a_file_fitted_on_what_is_audited_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "PACKAGE", tmp_path)
    (tmp_path / "tasks/vsi").mkdir(parents=True)
    (tmp_path / "tasks/vsi/a_laws.json").write_text(json.dumps({"seeds": [3, 4]}))
    seeds.check_apart((5,))
    with pytest.raises(ValueError, match=r"tasks/vsi/a_laws\.json: was fitted on seed 4"):
        seeds.check_apart((4, 5))
    (tmp_path / "tasks/vsi/b.prior.json").write_text("{}")
    with pytest.raises(ValueError, match=r"tasks/vsi/b\.prior\.json: states no `seeds`"):
        seeds.check_apart((5,))


@pytest.mark.prove
def test_homes_that_nobody_films_are_the_studios() -> None:
    scene = make_scene(7, 1, 1000, 0, (64, 48), images=False)
    words = sorted(canonical(it.category) for it in scene.objects if not is_structure(canonical(it.category)))
    assert sorted(unfilmed.words_of(7, 1)) == words
    assert plan_of(7, 1).area == scene.plan.area


@pytest.mark.prove
def test_their_questions_stand_in_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = (*unfilmed.OF_AREAS, object_counting.NAME)
    assert set(tasks) == set(unfilmed.HOMES)
    monkeypatch.setattr(unfilmed, "HOMES", {**dict.fromkeys(unfilmed.OF_AREAS, 30), object_counting.NAME: 3})
    unfilmed.add(tmp_path, 7, tasks, workers=1)
    groups = {(group.task, group.format): group for group in asked(tmp_path)}
    for name in unfilmed.OF_AREAS:
        areas = groups[name, "select"]
        assert areas.total > 20 and len({row["space"] for row in areas.rows}) == areas.total
    for row in groups[object_counting.NAME, "fill"].rows:
        index = int(row["scene"].split("_")[1])
        named = {item["instance"] for item in row["objects"]}
        words = [word for place, word in enumerate(unfilmed.words_of(7, index)) if place in named]
        assert len(set(words)) == 1 and row["answer"] == str(unfilmed.words_of(7, index).count(words[0]))

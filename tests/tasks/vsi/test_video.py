"""What a video shows and which words can be asked about, against loops over the tables."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_scenes import WORDS, Studio, box, made, random_scene
from video_twin import Twin, first_reasons

from spatial_assets.geometry.box_sampling import sampled_box_distance
from spatial_assets.scene.categories import is_structure
from spatial_assets.tasks.core.candidates import NOTHING, about_video
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.video.shown import (
    VERDICTS,
    VideoLimits,
    codes_of,
    count_sets,
    video_of,
)
from spatial_assets.tasks.vsi.video import VideoParameters, stems


def check(facts: SceneFacts) -> set[str | None]:
    """The scene's verdicts, once they are those of the twin."""
    video, twin = facts.once(video_of, VideoLimits()), Twin(facts)
    assert {word: group.tolist() for word, group in video.groups.items()} == twin.groups
    assert list(video.groups) == list(twin.groups)
    assert video.words == twin.words() and video.referents == twin.referents()
    assert list(video.words) == list(twin.words())
    assert video.named == {word: twin.groups[word][0] for word, why in twin.referents().items() if not why}
    assert video.firsts.tolist() == [group[0] for group in twin.groups.values()]
    for thing, word in enumerate(twin.categories):
        place = int(video.word_of[thing])
        assert (list(video.groups)[place] == word) if place != NOTHING else is_structure(word)
    return {*video.words.values(), *video.referents.values()}


def test_words_of_studio_scenes(studio: Studio) -> None:
    verdicts = set().union(*map(check, studio.facts()))
    assert verdicts >= {None, "several", "half_seen", "ambiguous_name"}


def test_words_of_random_scenes() -> None:
    verdicts = set().union(*(check(random_scene(seed)) for seed in range(60)))
    assert verdicts == {None, *VERDICTS[1:]}


def test_parts_of_the_building_have_no_word() -> None:
    facts = made([("wall", box(0, 0)), ("wall", box(1, 0)), ("floor", box(0, 1)), ("sofa", box(2, 0))])
    assert list(facts.once(video_of, VideoLimits()).groups) == ["sofa"]


def test_sampled_distances_are_those_of_the_pairs_that_are_asked_about() -> None:
    several = 0
    for seed in range(12):
        facts = random_scene(seed)
        video = facts.once(video_of, VideoLimits())
        found = video.distances("sampled")
        asked = [p for word, group in video.groups.items() if video.words[word] is None for p in group]
        boxes = facts.objects.boxes
        for one in video.named.values():
            for other in asked:
                low, high = sorted((one, int(other)))
                if low != high:
                    assert (
                        found[one, other]
                        == found[other, one]
                        == sampled_box_distance(boxes[low], boxes[high])
                    )
                    several += 1
        assert (np.diag(found) == 0).all()
    assert several > 20


@given(st.lists(st.sampled_from([None, None, "unseen", "several"]), max_size=9), st.integers(1, 4))
def test_sets_of_words_are_counted_once(verdicts: list[str | None], size: int) -> None:
    found = about_video(np.zeros((0, size), np.int64))
    count_sets(found, verdicts, size, orders=2)
    expected = first_reasons({str(i): reason for i, reason in enumerate(verdicts)}, size)
    assert found.rejected == Counter({reason: 2 * count for reason, count in expected.items()})


def test_verdicts_have_codes() -> None:
    assert [VERDICTS[code] for code in codes_of([None, *VERDICTS[1:], None])] == ["", *VERDICTS[1:], ""]
    assert codes_of([]).shape == (0,)


def test_half_of_the_questions_are_official_where_both_are_wanted() -> None:
    both = VideoParameters(wording="both")
    drawn = [stems(both, "object_counting", Draw.of(str(i))) for i in range(2000)]
    assert 900 < sum(names == ("official",) for names in drawn) < 1100
    assert {len(names) for names in drawn} == {1, 4}
    assert stems(VideoParameters(wording="official"), "object_abs_distance", Draw(0)) == ("official",)
    assert "official" not in stems(VideoParameters(wording="ours"), "object_abs_distance", Draw(0))


@pytest.mark.parametrize("pair", list(combinations(("bed", "lamp", "plant"), 2)))
def test_a_word_hashes_alike_in_every_scene(pair: tuple[str, str]) -> None:
    """Neither other words nor the place in line reach it."""
    all_words = made([(word, box(i, 0)) for i, word in enumerate(WORDS)]).once(video_of, VideoLimits())
    few = made([(word, box(i, 0)) for i, word in enumerate(pair)]).once(video_of, VideoLimits())
    names = list(all_words.groups)
    assert few.identities.tolist() == [int(all_words.identities[names.index(word)]) for word in pair]
    assert len(set(all_words.identities.tolist())) == len(names)

"""Overlap matrices against Python sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.geometry.overlap import overlap_matrices


def by_sets(visible, areas, allowed):
    """(N, N) shares, pair by pair."""
    sets = [{int(f) for f in v if allowed[f]} for v in visible]

    def measure(faces):
        return sum(areas[f] for f in faces)

    return np.array(
        [[measure(a & b) / measure(a | b) if measure(a | b) > 0 else 0.0 for b in sets] for a in sets]
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 7), st.integers(1, 30))
def test_both_matrices_equal_the_sets(seed, frames, faces):
    random = np.random.default_rng(seed)
    areas = random.uniform(0, 1, faces) * (random.random(faces) < 0.9)
    owner = random.integers(-1, 3, faces)
    visible = [np.flatnonzero(random.random(faces) < random.random()).astype(np.int32) for _ in range(frames)]
    everything, instances = overlap_matrices(visible, areas, owner)
    assert everything.shape == instances.shape == (frames, frames)
    if frames:
        np.testing.assert_allclose(everything, by_sets(visible, areas, np.ones(faces, bool)), atol=1e-12)
        np.testing.assert_allclose(instances, by_sets(visible, areas, owner >= 0), atol=1e-12)
    for matrix in (everything, instances):
        assert np.array_equal(matrix, matrix.T)
        assert set(np.diagonal(matrix)) <= {0.0, 1.0}
        assert ((matrix >= 0) & (matrix <= 1)).all()


def test_equal_frames_overlap_exactly_wholly():
    areas = np.random.default_rng(0).uniform(0, 1, 500)
    faces = np.arange(0, 500, 3, dtype=np.int32)
    everything, instances = overlap_matrices([faces, faces], areas, np.full(500, -1))
    assert (everything == 1).all() and (instances == 0).all()


def test_bad_input_is_rejected():
    with pytest.raises(ValueError, match="visible faces"):
        overlap_matrices([np.array([3], np.int32)], np.ones(3), np.zeros(3, int))
    with pytest.raises(ValueError, match="length"):
        overlap_matrices([], np.ones(3), np.zeros(2, int))

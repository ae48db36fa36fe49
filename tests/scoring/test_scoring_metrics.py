"""The shared maths against numpy, operation for operation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spatial_assets.scoring import metrics

decimals = st.integers(0, 400).map(lambda tenths: tenths / 10)
anything = st.floats(allow_nan=True, allow_infinity=True)


def naive_limits() -> np.ndarray:
    return 1 - np.linspace(0.5, 0.95, int((0.95 - 0.5) / 0.05 + 2))


def naive_mra(error: float) -> float:
    return float((np.float64(error) <= naive_limits()).mean())


def test_the_limits_are_numpys_doubles() -> None:
    assert tuple(naive_limits().tolist()) == metrics.RELATIVE_ERROR_LIMITS
    assert tuple(np.arange(0.5, 1.4 + 0.1 / 2, 0.1).tolist()) == metrics.POINT_LIMITS
    assert len(metrics.RELATIVE_ERROR_LIMITS) == len(metrics.POINT_LIMITS) == metrics.LIMITS == 10


def test_the_means_of_hits_are_numpys() -> None:
    for hits in range(11):
        assert metrics.MEAN_OF_HITS[hits] == np.array([True] * hits + [False] * (10 - hits)).mean()


@settings(deadline=None)
@given(anything)
@example(0.05)
@example(0.050000000000000044)
@example(0.3)
@example(0.30000000000000004)
@example(0.30000000000000007)
@example(-1.0)
def test_mra_of_any_error(error: float) -> None:
    assert metrics.mean_relative_accuracy(error) == naive_mra(error)


def test_mra_at_and_beside_every_limit() -> None:
    for limit in naive_limits().tolist():
        for error in (limit, np.nextafter(limit, 0), np.nextafter(limit, 1)):
            assert metrics.mean_relative_accuracy(float(error)) == naive_mra(error)


@settings(deadline=None)
@given(decimals, decimals)
def test_relative_error_is_numpys(estimate: float, reference: float) -> None:
    p, t = np.float64(estimate), np.float64(reference)
    wanted = abs(p - t) if t == 0 else abs((p - t) / t)
    assert metrics.relative_error(estimate, reference) == wanted


def test_decimal_limits_would_change_a_score() -> None:
    """12 for 10 is 20 % off: 0.6, where a limit written 0.2 would give 0.7. But 2.4 for 2 is 0.7."""
    assert metrics.mean_relative_accuracy(metrics.relative_error(12.0, 10.0)) == 0.6
    assert metrics.mean_relative_accuracy(metrics.relative_error(2.4, 2.0)) == 0.7


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_running_mean_adds_numpy_scalars_from_the_left(values: list[float]) -> None:
    total = np.float64(0)
    for value in values:
        total = total + np.float64(value)
    assert metrics.running_mean(values) == total / len(values)


def test_running_mean_is_not_compensated() -> None:
    """Ten tenths add up to less than one in plain float64; a compensated sum gives one exactly."""
    assert metrics.running_mean([0.1] * 10) == 0.09999999999999999


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("cab"), st.integers(0, 10)), min_size=1, max_size=300))
def test_task_means_are_numpys_of_each_task_in_order(pairs: list[tuple[str, int]]) -> None:
    names = ["c", "a", "b"]
    scores = np.array([hits / 10 for _, hits in pairs])
    tasks = np.array([names.index(name) for name, _ in pairs])
    wanted = {
        name: float(np.mean([hits / 10 for task, hits in pairs if task == name]))
        for name in "abc"
        if any(task == name for task, _ in pairs)
    }
    assert list(metrics.task_means(scores, tasks, names).items()) == list(wanted.items())


def test_group_means_average_the_members_present() -> None:
    means = {"x_a": 0.5, "x_b": 1.0, "y": 0.25}
    assert metrics.group_means(means, {"x": ("x_a", "x_b", "x_c"), "z": ("z_a",)}) == {"x": 0.75, "y": 0.25}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("1_000", 1000.0),
        (" 4\n", 4.0),
        ("٤", 4.0),
        (True, 1.0),
        (None, None),
        ([1], None),
        ("4 m", None),
        ("", None),
    ],
)
def test_to_float(value: object, wanted: float | None) -> None:
    assert metrics.to_float(value) == wanted


def test_to_float_of_what_does_not_fit() -> None:
    assert metrics.to_float(10**400) is None
    assert metrics.to_float("9" * 400) == float("inf")

"""Every task that is found: it declares itself whole, and its truth stands in the file that tests it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from task_truths import truth_file, truth_module

from spatial_assets.scene.model import Fact
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks import registry
from spatial_assets.tasks.core.rejections import REASONS
from spatial_assets.tasks.core.rendering import FORMATS
from spatial_assets.tasks.registry import suite_of, suites, task, tasks

HERE = Path(__file__).parent


def test_suites_are_the_folders_beside_the_core() -> None:
    folders = {path.parent.name for path in Path(registry.__file__).parent.glob("*/__init__.py")}
    assert set(suites()) == folders - {"core"} and suites() == tuple(sorted(suites()))
    assert {suite_of(name) for name in tasks()} == set(suites())


def test_an_unknown_task_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no task named 'juggling'.*depth_prediction_oc"):
        task("juggling")


@pytest.mark.parametrize("name", tasks())
def test_the_truth_of_a_task_stands_in_the_file_that_tests_it(name: str) -> None:
    file = truth_file(task(name))
    assert file.is_file(), f"{name} has no {file.relative_to(HERE.parent)}"
    module = truth_module(task(name))
    truth = getattr(module, "truth", None)
    assert inspect.isfunction(truth), f"{file.name} has no function `truth`"
    uses = [
        value for key, value in vars(module).items() if key.startswith("test_") and inspect.isfunction(value)
    ]
    assert uses, f"{file.name} tests nothing"
    assert _calls(truth, vars(module)), f"no test of {file.name} asks `truth`"


def _calls(truth: Callable[..., object], module: Mapping[str, Any]) -> bool:
    """Whether a test of the module names it, or names a function of the module that does."""
    names = {key for key, value in module.items() if value is truth}
    own = {key: value for key, value in module.items() if inspect.isfunction(value) and value is not truth}
    while more := {key for key, value in own.items() if _named(value.__code__) & names} - names:
        names |= more
    return any(key.startswith("test_") for key in names)


def _named(code: CodeType) -> set[str]:
    """Global names in a function and in those that stand within it."""
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return {*code.co_names, *(name for part in inner for name in _named(part))}


@pytest.mark.parametrize("name", tasks())
def test_tasks_describe_themselves(name: str) -> None:
    chosen = tasks()[name]
    assert chosen.name == name and chosen.level in {"low", "medium", "high"} and chosen.images >= 1
    assert chosen.summary and not chosen.summary.endswith(".")
    assert set(chosen.needs) <= set(FORMATS)
    for needs in chosen.needs.values():
        # What is asked about a route is shown by views along it, which are no images of the scene's own cameras.
        assert needs <= set(Fact) and needs & {Fact.IMAGES, Fact.ROUTES}
    assert set(chosen.find_for) | set(chosen.ask_for) <= set(chosen.needs)
    assert not set(chosen.reasons) & set(REASONS), "reasons that all tasks share are said once"


@pytest.mark.parametrize("name", tasks())
def test_every_parameter_says_why(name: str) -> None:
    models: list[type[Parameters]] = [tasks()[name].parameters]
    while models:
        model = models.pop()
        for field, info in model.model_fields.items():
            if isinstance(info.annotation, type) and issubclass(info.annotation, Parameters):
                models.append(info.annotation)
            else:
                assert info.description, f"{model.__name__}.{field} does not say why"


def test_two_tasks_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = tasks().values()
    monkeypatch.setattr(registry, "_declared", lambda suite: [first])
    with pytest.raises(ValueError, match=f"two tasks are named '{first.name}'"):
        registry.tasks.__wrapped__()

"""Whatever is done to one file of a scene: the reader's own error in one line that names a file, or a scene that holds.

Every reader that is found is held to it, those to come too (see `small_scenes`).
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from small_scenes import LAYOUTS, PARAMETERS, READ_AS, write_more, write_small

from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers.cameras import FARTHEST
from spatial_assets.readers.consistency import LARGEST_SCENE
from spatial_assets.readers.registry import left_out, reader
from spatial_assets.scene.model import NO_INSTANCE, InputError
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.storage.instance_images import GREATEST_ID

FEW, MANY = 3, 500
NOTICED = 0.01
"""Of the scene's size, of an object's, of a focal length: what is off by more changes answers."""


class Subject:
    """A small scene on disk, read once as it is."""

    def __init__(self, root: Path, name: str) -> None:
        write_small(root, name)
        write_more(root, name)
        self.root, self.name = root, READ_AS.get(name, name)
        self.reader = reader(self.name)
        self.parameters = self.reader.Parameters(**PARAMETERS.get(name, {}))
        # Of a place that was scanned twice, the rescan.
        *_, self.ref = self.reader.find_scenes(root)
        self.files = self.reader.source_files(root, self.ref)
        self.roles = sorted({file.role for file in self.files})
        self.base = self.read()

    def read(self):
        self.reader.find_scenes(self.root)
        left_out(self.name, self.root)
        self.reader.source_files(self.root, self.ref)
        return self.reader.read_scene(self.root, self.ref, "v1", "terms", self.parameters)

    def damage(self, draw, role: str) -> str:
        """One file of a kind changed, and what became of the scene, in a word or two."""
        of_role = [file.path for file in self.files if file.role == role]
        path = self.root / draw(st.sampled_from(of_role))
        data = path.read_bytes()
        path.write_bytes(mutated(draw, path.suffix, data))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                scene = self.read()
                scene_rows({"dataset": "d", "release": "v1", "scene": "s"}, scene)
        except InputError as error:
            self.check_message(error)
            return "rejected"
        finally:
            path.write_bytes(data)
        check_scene(scene)
        return difference(self.base, scene)

    def check_message(self, error: InputError) -> None:
        line = str(error)
        assert line.isprintable(), line
        assert len(line) < 1000
        assert str(self.root) not in line
        listed = {file.path for file in self.files}
        folders = {str(parent) for path in listed for parent in Path(path).parents} - {"."}
        assert ImageFile.of(error.file).path in listed | folders, line


def check_scene(scene) -> None:
    """What is true of every scene that a reader lets through."""
    assert scene.frames or scene.instances
    for frame in scene.frames:
        pose = frame.camera_to_world
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)
        assert np.linalg.det(pose[:3, :3]) > 0 and (pose[3] == [0, 0, 0, 1]).all()
        assert np.abs(pose[:3, 3]).max() <= 4 * FARTHEST
        k = frame.camera.intrinsics
        assert np.isfinite(k).all() and k[0, 0] > 0 and k[1, 1] > 0
        assert 0 < k[0, 2] < frame.camera.width and 0 < k[1, 2] < frame.camera.height
    assert len({frame.name for frame in scene.frames}) == len(scene.frames)
    assert len({item.id for item in scene.instances}) == len(scene.instances)
    for item in scene.instances:
        assert 0 <= item.id <= GREATEST_ID
        assert isinstance(item.label, str) and item.label.strip() and item.category.strip()
        assert np.isfinite(item.box.center).all() and (item.box.size >= 0).all()
        assert item.box.size.max() <= 2 * LARGEST_SCENE
        np.testing.assert_allclose(item.box.rotation.T @ item.box.rotation, np.eye(3), atol=0.03)
    if scene.mesh is not None:
        assert np.isfinite(scene.mesh.vertices).all()
        assert np.ptp(scene.mesh.vertices, axis=0).max() <= 2 * LARGEST_SCENE
        assert scene.mesh.faces.min() >= 0
        assert scene.mesh.faces.max() < len(scene.mesh.vertices)
        assert scene.face_instance is None or scene.face_instance.min() >= NO_INSTANCE


def difference(base, scene) -> str:
    """The greatest that a scene that was let through differs by from the one that was written."""
    size = max((float(np.ptp(base.mesh.vertices, axis=0).max()) if base.mesh else 0), 1.0)
    poses = {frame.name: frame for frame in base.frames}
    for frame in scene.frames:
        was = poses.get(frame.name)
        if was is None:  # one that was marked as bad, where the mark is gone
            return "a frame more"
        if np.abs(frame.camera_to_world[:3, 3] - was.camera_to_world[:3, 3]).max() > NOTICED * size:
            return "a camera elsewhere"
        if np.abs(frame.camera_to_world[:3, :3] - was.camera_to_world[:3, :3]).max() > NOTICED:
            return "a camera turned"
        k = was.camera.intrinsics
        if np.abs(frame.camera.intrinsics / was.camera.width - k / was.camera.width).max() > NOTICED:
            return "other intrinsics"
    boxes = {item.id: item for item in base.instances}
    for item in scene.instances:
        other = boxes.get(item.id)
        if other is None or np.abs(item.box.center - other.box.center).max() > NOTICED * size:
            return "an object elsewhere"
        if np.abs(item.box.size - other.box.size).max() > NOTICED * max(other.box.size.max(), 0.1):
            return "an object of another size"
    if scene.room_size and abs(scene.room_size / base.room_size - 1) > NOTICED:
        return "another room size"
    if base.mesh is not None:
        now, was = (np.quantile(mesh.vertices, [0, 0.5, 1], axis=0) for mesh in (scene.mesh, base.mesh))
        if np.abs(now - was).max() > NOTICED * size:
            return "a mesh of another extent"
    if (len(scene.frames), len(scene.instances)) != (len(base.frames), len(base.instances)):
        return "fewer frames or objects"
    return "as written"


def outcomes_of(subject: Subject, role: str, examples: int) -> Counter[str]:
    """Of so many mutations of one kind of file."""
    found = Counter[str]()

    @settings(max_examples=examples, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def once(data):
        found[subject.damage(data.draw, role)] += 1

    once()
    assert found.total() >= examples // 2
    return found


def fuzz(subject: Subject, examples: int) -> dict[str, Counter[str]]:
    return {role: outcomes_of(subject, role, examples) for role in subject.roles}


@pytest.fixture(scope="module", params=LAYOUTS)
def subject(request, tmp_path_factory):
    return Subject(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.every(2)
def test_no_damage_crosses_a_reader(subject):
    told = fuzz(subject, FEW)
    assert sum(outcomes["rejected"] for outcomes in told.values()) > len(told)


@pytest.mark.prove
def test_no_damage_crosses_a_reader_prove(subject):
    for role, outcomes in fuzz(subject, MANY).items():
        named = ", ".join(f"{what} {count}" for what, count in sorted(outcomes.items()))
        print(f"{subject.name} {role}: {outcomes.total()} mutations: {named}")

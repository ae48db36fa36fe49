"""Full quality: it changes colors alone, the sun shines where it can, contact darkens, noise is as strong as stated."""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
import pytest

from spatial_assets.engine.workers import in_processes
from spatial_assets.geometry.rasterize import rasterize
from spatial_assets.scene.model import rigid_inverse
from spatial_assets.studio import photo, sunlight
from spatial_assets.studio.pattern_tools import SIZE as PATTERN
from spatial_assets.studio.photo_kernels import SPIRAL, _in_sun, contact, develop, expose
from spatial_assets.studio.render import render
from spatial_assets.studio.scene import make_scene, stream
from spatial_assets.studio.scenery import PAINTINGS, VIEWS
from spatial_assets.studio.sun import windows_of
from spatial_assets.studio.textures import atlas
from spatial_assets.studio.voxels import VOXEL
from spatial_assets.studio.write import write_scenes

SEED, SIZES = 5, {"faces": 4000, "frames": 3, "size": (64, 48)}
WIDTH, HEIGHT = 96, 72


def digest(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def scene():
    """One that the sun shines into."""
    return next(
        made
        for made in (make_scene(SEED, k, 20_000, 24, (WIDTH, HEIGHT)) for k in range(10))
        if made.sun is not None
    )


@pytest.fixture(scope="module")
def ready(scene):
    return photo.studio(scene, stream(SEED, 0, "sensor"))


@pytest.mark.prove
@pytest.mark.parametrize("layout", ["scannet", "posed_rgbd", "structured3d"])
def test_quality_changes_colors_alone_and_each_gives_the_same_bytes_again(tmp_path, layout):
    for name, quality in (("draft", "draft"), ("full", "full"), ("again", "full")):
        write_scenes(tmp_path / name, layout, 1, SEED, quality=quality, **SIZES)
    draft, full, again = (digest(tmp_path / name) for name in ("draft", "full", "again"))
    assert full == again
    assert draft.keys() == full.keys()
    changed = {path for path in draft if draft[path] != full[path]}
    assert changed == {
        path for path in draft if "/color/" in path or "/images/" in path or "rgb_rawlight" in path
    }


@pytest.mark.prove
def test_photographs_are_the_same_whoever_makes_them(tmp_path):
    for name, spread in (("one", None), ("many", partial(in_processes, 2))):
        write_scenes(tmp_path / name, "scannet", 2, SEED, quality="full", spread=spread, **SIZES)
    assert digest(tmp_path / "one") == digest(tmp_path / "many")


def test_an_unknown_quality_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="unknown quality 'best'; known: draft, full"):
        write_scenes(tmp_path, "scannet", 1, quality="best")


@pytest.mark.prove
def test_depth_and_faces_are_those_of_a_draft(scene, ready):
    for pose in scene.poses[::8]:
        image, depth, face = photo.photograph(
            ready, scene.intrinsics, pose, WIDTH, HEIGHT, np.random.default_rng(0)
        )
        color, expected_depth, expected_face = render(ready.shader, scene.intrinsics, pose, WIDTH, HEIGHT)
        np.testing.assert_array_equal(depth, expected_depth)
        np.testing.assert_array_equal(face, expected_face)
        assert np.abs(image.astype(int) - color).mean() > 2


def exposed(scene, ready, pose, looks):
    """Linear light without sun, gloss (unless `looks` say so) and contact shadows."""
    fine = scene.intrinsics.copy()
    fine[:2] *= 2
    faces, depth = rasterize(ready.shader.prepared, fine, rigid_inverse(pose), 2 * WIDTH, 2 * HEIGHT)
    base, w = ready.shader, ready.windows
    out = np.empty((HEIGHT, WIDTH, 3), np.float32)
    expose(
        faces, depth, np.ones((HEIGHT // 2, WIDTH // 2), np.float32), scene.intrinsics, pose, ready.vertices,
        ready.patch, base.affine, base.normals, base.faces, ready.attributes, base.texture, base.color, base.texels,
        looks, base.atlas.pixels, base.atlas.starts, PATTERN, ready.mean, ready.sun, photo.SUN, w.corner, w.along,
        w.inward, w.size, np.zeros_like(w.sunny), w.views, w.depths, ready.lamps, ready.lamp_colors, ready.origin,
        VOXEL, ready.solid, out,
    )  # fmt: skip
    return out


def test_without_sun_and_gloss_a_photograph_is_the_draft_inside_patches_and_between_at_their_edges(
    scene, ready
):
    matt = np.tile([0.0, 1.0, 0.0], (len(ready.looks), 1))
    inner = edges = 0
    for pose in scene.poses[::6]:
        color, _, face = render(ready.shader, scene.intrinsics, pose, WIDTH, HEIGHT)
        light = exposed(scene, ready, pose, matt)
        tones = ready.shader.tones
        seen = tones[np.minimum((light / 1.6 * (len(tones) - 1)).astype(int), len(tones) - 1)].astype(int)
        patch = np.where(face >= 0, ready.patch[face], -1)
        blocks = np.lib.stride_tricks.sliding_window_view(patch, (3, 3)).reshape(HEIGHT - 2, WIDTH - 2, 9)
        alike = (blocks == blocks[..., :1]).all(axis=2)
        apart = np.abs(seen - color)[1:-1, 1:-1].max(axis=2)
        assert np.quantile(apart[alike], 0.95) <= 4
        # At an edge a pixel mixes what meets there, so it differs from a draft's single sample.
        assert apart[~alike].mean() > 2 * apart[alike].mean()
        inner, edges = inner + int(alike.sum()), edges + int((~alike).sum())
    assert inner > 3000 and edges > 1000


def test_gloss_and_glow_only_add_light_at_grazing_angles_and_windows(scene, ready):
    matt = np.tile([0.0, 1.0, 0.0], (len(ready.looks), 1))
    glowing = matt.copy()
    glowing[:, 2] = 1.0
    pose = scene.poses[3]
    plain, bright = exposed(scene, ready, pose, matt), exposed(scene, ready, pose, glowing)
    assert (bright >= plain).all() and bright.mean() > plain.mean() + 0.05


def hits(origins, direction, triangles):
    """(N,) whether rays meet any triangle (F, 3, 3), after Moller and Trumbore, 1997."""
    a, e1, e2 = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    p = np.cross(direction, e2)
    det = (e1 * p).sum(1)
    ok = np.abs(det) > 1e-12
    out = np.zeros(len(origins), bool)
    for k, o in enumerate(origins):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = o - a
            u = (t * p).sum(1) / det
            q = np.cross(t, e1)
            v, far = (q @ direction) / det, (e2 * q).sum(1) / det
            out[k] = (ok & (u >= 0) & (v >= 0) & (u + v <= 1) & (far > 1e-3)).any()
    return out


@pytest.mark.prove
def test_sunlight_lies_where_rays_to_the_sun_pass_a_pane(scene, ready):
    w = ready.windows
    assert w.sunny.any() and scene.sun[2] > 0.3
    rng = np.random.default_rng(0)
    found = windows_of(scene.layout)
    agreed = tested = lit = 0
    for k in np.flatnonzero(w.sunny):
        window = scene.layout.placed[found[k]]
        body = scene.shell + found[k]
        blocking = scene.mesh.vertices[scene.mesh.faces[sunlight._blocking(scene, window, body)]]
        # Points that the sun would reach through the pane if nothing were in the way, and around them.
        u, v = (1.6 * rng.random((2, 150)) - 0.3) * w.size[k][:, None]
        pane = np.column_stack([w.corner[k][:2] + u[:, None] * w.along[k], w.corner[k][2] + v])
        points = pane - (0.2 + 2.5 * rng.random((150, 1))) * scene.sun
        points = points[points[:, 2] > 0.05]
        seen = np.array([
            _in_sun(*p, scene.sun, k, w.corner, w.along, w.inward, w.size, w.views, w.depths) for p in points
        ])  # fmt: skip
        t = ((points[:, :2] - w.corner[k][:2]) @ w.inward[k]) / -(scene.sun[:2] @ w.inward[k])
        at = points + t[:, None] * scene.sun
        a, b = (at[:, :2] - w.corner[k][:2]) @ w.along[k], at[:, 2] - w.corner[k][2]
        inside = (a > 0) & (a < w.size[k][0]) & (b > 0) & (b < w.size[k][1])
        expected = inside & ~hits(points, scene.sun, blocking)
        sure = (seen < 0.05) | (seen > 0.95)
        agreed += int(((seen > 0.5) == expected)[sure].sum())
        tested, lit = tested + int(sure.sum()), lit + int(expected.sum())
    assert tested > 60 and lit > 10
    assert agreed / tested > 0.95


def test_contact_darkens_an_inner_corner_and_no_plane():
    # A floor 1 m below the camera, and a wall 3 m ahead of it.
    size = (240, 180)
    camera = np.array([[100.0, 0, 120], [0, 100, 90], [0, 0, 1]])
    pose = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
    y = np.arange(size[1]) + 0.5
    ground = 1.0 / np.maximum((y - 90) / 100, 1e-9)
    depth = np.repeat(np.minimum(ground, 3.0)[:, None], size[0], axis=1).astype(np.float32)
    face = np.where(depth < 3.0, 0, 1).astype(np.int32)
    normals = np.array([[0, 0, 1.0], [0, -1.0, 0]], np.float32)
    shade = contact(depth, face, normals, camera, pose, SPIRAL)
    meeting = int(np.argmax(depth[:, 0] < 3.0)) // 2
    assert shade[: meeting - 15].min() > 0.98 and shade[meeting + 18 :].min() > 0.98
    assert shade[meeting - 1 : meeting + 2, 10:-10].mean() < 0.94


def test_noise_is_as_strong_as_stated():
    grain = np.clip(np.round(np.random.default_rng(0).standard_normal((128, 128, 3)) * 32), -127, 127).astype(
        np.int8
    )
    steps = np.arange(256).astype(np.uint8)
    for level in (0.1, 0.4):
        light = np.full((100, 100, 3), level, np.float32)
        dark = np.zeros((100, 100), np.float32)
        image = develop(light, dark, grain, np.array([5, 9]), 1.0, 0.004, 0.001, 0.0, steps, 1.0)
        expected = np.sqrt(0.004 * level + 0.001)
        assert image.std() / 255 == pytest.approx(expected, rel=0.1)
        assert image.mean() / 255 == pytest.approx(level, abs=0.01)


def test_exposure_evens_out_light():
    dark, bright = (np.full((48, 64, 3), level, np.float32) for level in (0.1, 0.8))
    assert 1.0 < photo._gain(dark) <= photo.GAINS[1]
    assert photo.GAINS[0] <= photo._gain(bright) < 1.0
    assert photo._gain(bright) * 0.8 > photo._gain(dark) * 0.1


@pytest.mark.prove
def test_views_and_pictures_are_twenty_each_and_differ():
    assert len(VIEWS) == len(PAINTINGS) == 20
    names = (*VIEWS, *PAINTINGS)
    pixels = atlas(names).pixels[:, : PATTERN * PATTERN].astype(int)
    for k in range(len(names)):
        others = np.delete(pixels, k, axis=0)
        assert np.abs(others - pixels[k]).mean(axis=(1, 2)).min() > 2

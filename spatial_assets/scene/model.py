"""The domain model: what a scene is, whatever dataset it came from.

Plain dataclasses over numpy arrays; no file formats, no Dagster. Conventions, everywhere in the
package: world in meters, right-handed, z up; cameras with OpenCV axes (x right, y down, z forward);
pixel centers at integer + 0.5, image origin top-left. Readers convert to these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
NO_INSTANCE = -1
"""The face-to-instance entry of a face that belongs to no instance."""


MADE_BY = "made_by"
"""The entry of a scene's conventions that holds the program its images say they were made by, where they do."""
LONGEST_MESSAGE = 600
"""Characters of either part of a message; what libraries say of damaged files can be the files themselves."""


def one_line(text: str) -> str:
    """A text as one line that any terminal and table can show, whatever bytes and breaks are in it."""
    if text.isprintable() and len(text) <= LONGEST_MESSAGE:
        return text
    shown = text.encode("utf-8", "backslashreplace").decode()[:LONGEST_MESSAGE]
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in shown
    )


class InputError(Exception):
    """An error of the input, never of ours: names the file (as the user knows it) and what is wrong with it."""

    def __init__(self, file: str | Path, what: str, reason: str = "bad_input") -> None:
        self.file, self.what = one_line(str(file)), one_line(what)
        super().__init__(f"{self.file}: {self.what}")
        self.reason = reason

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        # Exceptions cross process boundaries; the default would rebuild it from the joined message.
        return (InputError, (self.file, self.what, self.reason))


class Fact(StrEnum):
    """What a scene may know. A scene says which facts it has; a task says which it needs.

    A task needs the smallest set that makes its answer true and its question fair; which dataset gives it, and
    from what, is not its business.
    """

    IMAGES = "images"
    """Color images that a person or a model can be shown."""
    POSES = "poses"
    """The camera of each image: where it stood, and its intrinsics."""
    MESH = "mesh"
    """The surface of the whole scene, scanned, modeled or fused from depth images."""
    OBJECTS = "objects"
    """Objects with boxes and categories."""
    SURFACES = "surfaces"
    """Mesh faces are labeled with the object they belong to."""
    VISIBILITY = "visibility"
    """The objects' visible pixels of a frame are known: from a labeled mesh, or from shipped instance images."""
    AMODAL = "amodal"
    """What of each object is hidden by others or cut off by the image's border is known: from a labeled mesh."""
    OVERLAP = "overlap"
    """How much surface two frames share is known: from a mesh, labeled or not."""
    SEQUENCE = "sequence"
    """The frames follow each other as one camera moved, so that they can be shown as a video."""
    ROOM_SIZE = "room_size"
    """The source states the room's floor area."""
    OBJECT_COUNTS = "object_counts"
    """The source states how many objects of a category there are."""
    REGIONS = "regions"
    """The source states where the rooms of a home are, and what each is for."""
    VIEWPOINTS = "viewpoints"
    """Places somebody can stand at are known, and between which of them one can walk."""
    ROUTES = "routes"
    """Ways along viewpoints are known with the words that people found for whoever is to walk them."""
    PANORAMAS = "panoramas"
    """What is seen from viewpoints can be shown: without, what is asked about ways names views that have no image."""
    QUESTIONS = "questions"
    """Questions that people wrote about the scene are known, with their answers."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion."""

    intrinsics: Float
    """(3, 3), pixels; the principal point counts pixel centers at integer + 0.5."""
    width: int
    height: int


@dataclass(frozen=True)
class Frame:
    """One posed image of a scene."""

    name: str
    """The source's own name for it."""
    camera: Camera
    camera_to_world: Float
    """(4, 4), rigid, meters."""
    timestamp: float | None = None
    """Seconds, where the source has one."""
    image: str | None = None
    """Path of the color image, relative to the dataset's root, with forward slashes."""


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in world coordinates."""

    vertices: NDArray[np.float32]
    """(V, 3), meters."""
    faces: NDArray[np.int32]
    """(F, 3)."""
    colors: NDArray[np.uint8] | None = None
    """(V, 3), sRGB."""


@dataclass(frozen=True)
class Box:
    """An oriented box."""

    center: Float
    """(3,), meters."""
    size: Float
    """(3,), full edge lengths along the box's own axes, meters."""
    rotation: Float
    """(3, 3), columns are the box's axes in the world."""


@dataclass(frozen=True)
class Instance:
    """One object of a scene."""

    id: int
    """The source's own id, or the reader's number where it has none."""
    label: str
    """The source's own word."""
    category: str
    """The canonical category (see `categories`)."""
    box: Box
    name: str | None = None
    """The source's own name or id of it; None where the source gives none and the reader numbered `id`."""
    nyu40: str | None = None
    """Its class among the forty of NYUv2, which benchmarks use, where the source or its map of labels has one."""


@dataclass(frozen=True)
class Region:
    """One room or part of a home, as its source bounds it."""

    id: int
    """The source's own."""
    level: int | None
    """The floor of the house that it is on; None where the source puts it on none."""
    label: str
    """The source's own word or letter for its kind."""
    kind: str
    """What it is for, in words."""
    low: Float
    """(3,), least coordinates, meters."""
    high: Float
    outline: Float
    """(N, 2), corners of its floor in order, meters; empty where the source gives none."""
    instances: tuple[int, ...] = ()
    """Objects that the source puts in it and that stand in it."""
    doubt: str | None = None
    """What of it cannot be so, in words; None where nothing speaks against it."""


@dataclass(frozen=True)
class Viewpoint:
    """A place at eye height that one can stand at, or that a panorama was taken from."""

    name: str
    """The source's own."""
    position: Float
    """(3,), meters."""
    height: float | None = None
    """Meters above the floor, where the source states it."""
    region: int | None = None
    """The region that the source puts it in; None where it puts it in none, or in one that it does not stand in."""
    reachable: tuple[str, ...] = ()
    """Viewpoints that one can walk to directly."""
    visible: tuple[str, ...] = ()
    """Viewpoints that are in sight."""
    panorama: str | None = None
    """The first of the six images of what is seen from it, where the source has them (see `panoramas`)."""
    panorama_axes: Float | None = None
    """(3, 3), columns are the panorama's own axes in the world."""


@dataclass(frozen=True)
class Route:
    """A way along viewpoints, and one text that describes it to somebody who is to walk it."""

    collection: str
    """Of such ways, as `R2R`."""
    license: str
    """Terms of the collection, which hold beside the scene's own."""
    split: str
    path: str
    """The collection's own id of the way; several texts may describe one."""
    instruction_id: str
    """The text's own id, unique in the collection."""
    language: str
    instruction: str
    viewpoints: tuple[str, ...]
    """In order, two or more."""
    heading: float
    """Radians in which the walker looks at the start: 0 along +y, growing to the right."""
    headings: tuple[float, ...]
    """The same of each step from one viewpoint to the next."""
    elevations: tuple[float, ...]
    """Radians by which each step leads up."""
    lengths: tuple[float, ...]
    """Meters of each step."""
    views: tuple[int, ...]
    """Of the simulator's 36 views at the start of each step, the one that its end is nearest the middle of."""
    shortest: float
    """Meters of the shortest way from its start to its end."""
    stated: float | None = None
    """Meters that the source says that it is long."""


@dataclass(frozen=True)
class ObjectChange:
    """What became of one object between the reference scan of a place and a later scan of it."""

    reference: str
    """The scene that is the reference scan."""
    reference_instance: int
    """The object's id there."""
    instance: int | None
    """Its id in this scene; None where it is not among this scene's objects."""
    kind: str
    """`moved` where it stayed rigid, `reshaped` where it did not, `removed`."""
    evidence: str
    """`agrees` or `disagrees` where the objects of both scans were at hand to be compared, else `told`."""
    transform: Float | None = None
    """(4, 4), rigid: from where the object stood in the reference scan's world to where it stands in this scene's,
    meters. None unless it moved, or where the source tells none that can be read."""
    alignment: Float | None = None
    """(4, 4), rigid, from this scene's world to the reference scan's, in which what stayed has not moved; None where
    the source has none."""
    miss: float | None = None
    """Meters between the object's box center, moved by the transform, and that of its counterpart; None where they
    could not be compared."""
    symmetry: int | None = None
    """The source's own number for the object's symmetry."""


@dataclass(frozen=True)
class QuotedQuestion:
    """A question that somebody wrote about a scene, and the answers that people gave."""

    collection: str
    """Of such questions, as `ScanQA`."""
    license: str
    """Terms of the collection, which hold beside the scene's own."""
    split: str
    id: str
    """The collection's own, unique in it."""
    situation: str | None
    """Where whoever asks stands and what they do, in words; None where the collection has none."""
    question: str
    answers: tuple[str, ...]
    """All that the collection has, in its order, each once."""
    path: str
    """The file, relative to the dataset's root."""


@dataclass(frozen=True)
class Description:
    """Words that somebody wrote of one object."""

    collection: str
    """Where they come from."""
    license: str
    """Terms of the collection, which hold beside those of the source."""
    instance: int
    """The object's id."""
    id: str
    """The collection's own id of the words, among those for the object."""
    text: str


@dataclass(frozen=True)
class Scene:
    """Everything a source says of one scene, in our conventions."""

    dataset: str
    release: str
    name: str
    license: str
    facts: frozenset[Fact]
    frames: tuple[Frame, ...] = ()
    instances: tuple[Instance, ...] = ()
    mesh: Mesh | None = None
    face_instance: NDArray[np.int32] | None = None
    """(F,), the instance that owns each face, or NO_INSTANCE."""
    instance_images: Mapping[str, bytes] = field(default_factory=dict)
    """What a scene without a mesh says that its frames show: by frame, as `instance_images.to_png` makes them."""
    depth_images: Mapping[str, bytes] = field(default_factory=dict)
    """Depth along z that goes with them, where the source has it: as `depth_packing.depth_png` makes it."""
    split: str | None = None
    """Where the dataset's own lists put it: train, val or test; None where none names it."""
    visit: str | None = None
    """The dataset's own id of the visit at which it was taken, as others of the same rooms were; None where unknown."""
    room_size: float | None = None
    """Square meters."""
    object_counts: dict[str, int] = field(default_factory=dict)
    """Category to number of instances, where the source states it."""
    conventions: dict[str, str] = field(default_factory=dict)
    """What the reader found and converted: axes, units, pixel centers, alignment."""
    dropped_frames: dict[str, int] = field(default_factory=dict)
    """Reason to number of frames that the source lists but that cannot be used."""
    regions: tuple[Region, ...] = ()
    viewpoints: tuple[Viewpoint, ...] = ()
    routes: tuple[Route, ...] = ()
    dropped_routes: dict[str, int] = field(default_factory=dict)
    """The same of routes."""
    object_changes: tuple[ObjectChange, ...] = ()
    dropped_changes: dict[str, int] = field(default_factory=dict)
    """The same of these."""
    questions: tuple[QuotedQuestion, ...] = ()
    dropped_questions: dict[tuple[str, str], int] = field(default_factory=dict)
    """Of the files of questions, what became none about this scene: by reason and detail, which names the file."""
    descriptions: tuple[Description, ...] = ()
    dropped_descriptions: dict[str, int] = field(default_factory=dict)
    """The same of these."""


def rigid_inverse(pose: Float) -> Float:
    """Inverse of one or many rigid transforms.

    Parameters
    ----------
    pose : (..., 4, 4)

    Returns
    -------
    (..., 4, 4) : translations in the unit that they were in.
    """
    out = np.zeros_like(pose)
    rotation = np.swapaxes(pose[..., :3, :3], -1, -2)
    out[..., :3, :3] = rotation
    out[..., :3, 3] = -np.einsum("...ij,...j->...i", rotation, pose[..., :3, 3])
    out[..., 3, 3] = 1.0
    return out

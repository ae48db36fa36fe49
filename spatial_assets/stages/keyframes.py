"""The selections of a scene's frames: keyframes by the redundancy filter, 32 uniform frames, a dense video."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.geometry.keyframes import dense_indices, keyframe_indices, uniform_indices
from spatial_assets.readers.registry import keyframes_of
from spatial_assets.scene import parameters as base
from spatial_assets.scene import tables
from spatial_assets.scene.frames import DENSE, KEYFRAMES, VIDEO, VIDEO_FRAMES
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.stages.stage import Stage

NAME = "keyframes"


class Parameters(base.Parameters):
    """When a frame is redundant. The defaults are for hand-held video; readers say what else holds for a dataset."""

    filter: bool = Field(True, description="whether redundant frames go; sets of chosen views keep all")
    # Neighboring frames of such a video show the same: SPAR drops about nine in ten, and publishes no thresholds.
    translation: float = Field(0.2, gt=0, description="meters between camera positions")
    rotation: float = Field(
        12.0, gt=0, description="degrees between orientations; pairs 14 apart are in SPAR"
    )
    dense_per_second: float = Field(3.0, gt=0, description="frames a second of the dense video")
    dense_stride: int = Field(10, gt=0, description="its stride where frames have no timestamps")


def defaults(dataset: str) -> Parameters:
    """What holds for a dataset unless a home's settings say otherwise.

    Readers are in no code version of this stage: what one says reaches its scenes' input hashes as parameters, and
    changes nothing for another dataset.
    """
    return Parameters(**keyframes_of(dataset))


def choose_frames(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    frames = inputs.table(tables.FRAMES)
    count = len(frames)
    if count == 0:
        return SceneOutputs(tallies=[Tally("frames", 0, 0)])
    poses = np.array(frames["camera_to_world"].to_list()).reshape(count, 4, 4)
    stamps = None if frames["timestamp"].null_count() else frames["timestamp"].to_numpy()
    chosen = {
        KEYFRAMES: keyframe_indices(poses, parameters.translation, parameters.rotation)
        if parameters.filter
        else np.arange(count),
        VIDEO: uniform_indices(count, VIDEO_FRAMES),
        DENSE: dense_indices(stamps, count, parameters.dense_per_second, parameters.dense_stride),
    }
    names = frames["frame"].to_list()
    rows = [
        {**inputs.which, "set": name, "position": position, "frame": names[index]}
        for name, indices in chosen.items()
        for position, index in enumerate(indices.tolist())
    ]
    kept = len(chosen[KEYFRAMES])
    rejects = [Reject("redundant", "near an earlier keyframe in place and direction", count - kept, "frames")]
    return SceneOutputs(
        {tables.KEYFRAMES.name: rows},
        rejects=[item for item in rejects if item.count],
        tallies=[Tally("frames", count, kept)],
    )


STAGE = Stage(
    name=NAME,
    reads=(tables.FRAMES,),
    writes=(tables.KEYFRAMES,),
    parameters=defaults,
    compute=choose_frames,
    modules=lambda dataset: (__name__,),
)

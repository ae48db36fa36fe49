"""Plain maths over numpy arrays and the numba kernels behind it: no files, no tables, no Dagster.

The names below are the package's geometric vocabulary. `prepare_mesh` and `rasterize` are stable
interfaces: outside checks call them.
"""

from spatial_assets.geometry.instances import PreparedInstances, prepare_instances
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.points import point_visibility
from spatial_assets.geometry.rasterize import PreparedMesh, face_areas, prepare_mesh, rasterize
from spatial_assets.geometry.visibility import FrameVisibility, frame_visibility, image_visibility

__all__ = [
    "FrameVisibility",
    "PreparedInstances",
    "PreparedMesh",
    "face_areas",
    "frame_visibility",
    "image_visibility",
    "overlap_matrices",
    "point_visibility",
    "prepare_instances",
    "prepare_mesh",
    "rasterize",
]

"""Plain maths over numpy arrays and the numba kernels behind it.

Here belongs what takes arrays (or a camera, a box) and returns arrays; a published rule stands here as a function of
arrays that is named after it. Here belongs nothing that opens a file, knows a table or a dataset's names.

The three names below are a stable interface that outside checks call; nothing inside the package imports them from
here, so that a module's imports say what it uses.
"""

from spatial_assets.geometry.rasterize import PreparedMesh, prepare_mesh, rasterize

__all__ = ["PreparedMesh", "prepare_mesh", "rasterize"]

"""The numba kernels of the rasterizer, the visibility table, PNG files and fused distance fields, and the decorators
of every kernel of the package.

Kernels check no arguments and touch no Python objects; what checks and calls them (`rasterize`, `visibility`) stands
not here but beside this folder. All pixel coordinates in here count from the center of the first pixel: centers are
integers. Kernels that run once per face or row take single numbers: each array that crosses a call is counted as a
reference, atomically, which would cost more than the work. They count unsigned where they can: a signed index is looked
at for being negative each time.
"""

"""SpatialMosaic's two layouts with one tree of images, their checks, and in `*bench*` a benchmark as it is published.

How its answers are scored is not here (see `scoring`), nor its tasks (see `tasks/spatialmosaic`).
"""

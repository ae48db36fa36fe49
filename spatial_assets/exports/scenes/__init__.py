"""Formats of scenes and frames, not of questions: what is seen behind a release's rows (`behind.py`).

Nothing here measures a scene: boxes, pixels and meshes are those of the lake.
"""

"""Spatial-reasoning question-answer datasets from 3D indoor scenes, as Dagster assets."""

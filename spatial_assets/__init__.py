"""Spatial-reasoning question-answer datasets from 3D indoor scenes, as Dagster assets.

Loose modules here are what Dagster loads and people type; no other module belongs beside the folders.
"""

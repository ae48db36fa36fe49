"""A release as trainers, evaluators and viewers read it: one module a format, in the folder of its family.

    core/            what formats are given and share: rows, images, coordinates, licenses, truths
    conversations/   for fine-tuning and reinforcement learning: lines of JSON with turns, tags and paths of images
    libraries/       for Hugging Face `datasets` and WebDataset: all columns, images inside
    evaluators/      for lmms-eval and VLMEvalKit: scored questions with their truths
    scenes/          COCO, ScanRefer, PLY, rerun: what is seen behind the questions
    spar/            SPAR-7M's own folders
    spar_bench/      a benchmark as SPAR-Bench is published
    spatialmosaic/   SpatialMosaic's two layouts, and a benchmark as SpatialMosaic-Bench is published
    registry.py      which formats there are
    run.py           the one call that makes an export
    kept.py          the exports that a home keeps, and one that takes the place of another

A format is a module that defines `read_back`; its name, with `-` for `_`, is the format's, and nothing lists it. It
writes a release, reads it back, and validates it. Here belongs nothing that makes or chooses questions (see `tasks`,
`releases`) or that scores answers (see `scoring`).
"""

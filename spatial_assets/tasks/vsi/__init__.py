"""VSI-style questions about a 32-frame video: VSI-Bench's eight tasks, one module per family.

The tasks, their official wording and their rules are those of VSI-Bench (Yang et al., Thinking in Space,
2025); every threshold has a margin on both sides, and only what the frames show is asked about. Modules that several
families share stand beside them. Scenes of the benchmark itself must not reach a training split:
`releases/benchmark_scenes.json` lists them (the 50 of ScanNet++ are missing there), and releases leave them out, not
these tasks.
What the benchmark published is not recomputed here (see `conformance`), nor are answers scored (see `scoring`).
"""

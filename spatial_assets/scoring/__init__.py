"""Scores of model predictions on spatial benchmarks, one module per benchmark, equal to the released evaluators.

Here belongs what turns an answer and its truth into a number, and numbers into a benchmark's summary. A benchmark is a
module that defines `PROFILES`; nothing lists them. Nothing here keeps runs (see `evaluation`) or knows how questions
are made (see `tasks`).

profile.py          what a scoring profile is, and what a benchmark's module offers
metrics.py          the maths that benchmarks share
reading.py          how the strict profiles read an answer out of a response
quantities.py       the one number that a text states, in the unit that was asked for
sparbench.py  vsibench.py  vstibench.py  spatialmosaic.py  vlmevalkit.py  lmms_eval.py
kinds.py            any task's answer by its kind, with these benchmarks' scorers
release.py          a release's own benchmark, of all its tasks
totals.py           scores of rows into a summary
registry.py         benchmarks and their profiles, found in this folder
chance.py           what an answerer without eyes would score
bootstrap.py        confidence intervals
run.py              a file of predictions in, scored rows and a summary out
duplicates.py       one question answered twice
logs.py             predictions out of the logs of lmms-eval, VLMEvalKit and Spatial-MLLM
log_tables.py       tables as records: TSV, spreadsheets, JSON
"""

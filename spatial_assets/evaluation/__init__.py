"""Model runs on benchmarks: predictions kept by their bytes, scored into tables, and compared on one page.

reading.py      a predictions file in one of its formats, as rows with their ground truths
formats.py      the names of these formats, and how their files end
model_runs.py   what a model run is, and where its files are kept
schemas.py      the three tables of a scored run
scored.py       rows in, those tables out: scores, confidence intervals, chance levels
results.py      a run's tables brought up to date, only if something they depend on has changed
run_quality.py  what cannot be right in them
comparison.py   runs side by side, those on the same questions together
page.py         the comparison as one HTML file, from the templates in templates/
picture.py      a run's small plot
placements.py   boxes and layouts, read out of answers in words
grounding.py    boxes against the true ones: accuracies, refinement by proposals
bev.py          layouts against the true ones: errors of positions, what is missing or added
placed_truths.py  the truth of both as a home has it; proposals and ScanRefer's results from files
names.py        how benchmarks and tasks are called and grouped for readers

Here belongs what is done with whole runs of models. How one answer is scored is in `scoring`; nothing here knows
Dagster, which `assets/evaluation.py` does.
"""

"""Model runs on benchmarks: predictions kept by their bytes, scored into tables, and compared on one page.

Here belongs what is done with whole runs of models: their files and tables, brought up to date only if something that
they depend on has changed, the checks of these, the page. So does what holds boxes and layouts in answers against the
truth that a home has of them. How any other answer is scored is not here (see `scoring`); nothing here knows Dagster,
which `assets/evaluation.py` does.
"""

"""What export formats are given and what several families share: rows, images, coordinates, licenses, truths.

    base.py          what a format's module offers, and what it is given
    source.py        a release's questions, with where their images are
    scene_truth.py   what the lake knows of a scene, for checks of its questions
    export_images.py  images put beside the files: linked, copied or with marks drawn
    image_store.py   the folder that keeps them once for many exports
    files.py         files that several formats write alike
    image_checks.py  why an image cannot be opened
    columns.py       questions as columns on their way into a file
    ids.py           the table of where lines come from
    printed_coordinates.py  image coordinates printed in a reader's convention
    truths.py        what answers are scored by
    origins.py       where the records of a layout with fixed fields come from
    licenses.py      whose data an export holds, and under which terms
    bench_*.py       how both benchmarks are drawn from held-out scenes and told of

No format stands here, nothing that one family alone needs, and nothing here imports from a family.
"""

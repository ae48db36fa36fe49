"""One module per output format: writes a release as a trainer or evaluator reads it, reads it back, validates it.

    base.py      what a format's module offers, and what it is given
    source.py    a release's questions, with where their images are
    images.py    their images put beside the files: linked, copied or with marks drawn
    image_store.py  the folder that keeps them once for many exports
    licenses.py  whose data an export holds, and under which terms
    files.py     files that several formats write alike
    coordinates.py  image coordinates printed in a reader's convention
    conversations.py, conversation_checks.py  what formats of conversations share
    truths.py, scored_rows.py  what answers are scored by, and questions that are
    behind.py    the scenes and frames behind a release, for formats of these
    run.py       the one call that makes an export

A format is a module that defines `read_back`; its name, with `-` for `_`, is the format's, and nothing lists it. Here
belongs nothing that makes or chooses questions (see `tasks`, `releases`) or that scores answers (see `scoring`).
"""

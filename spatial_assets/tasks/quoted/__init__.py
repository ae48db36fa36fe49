"""Questions that people wrote about scenes, quoted from the files of collections: their words, our scenes' frames.

Nothing here words a question or decides an answer; the files are read elsewhere (see `readers.question_files`).
"""

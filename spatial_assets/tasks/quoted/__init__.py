"""Questions that people wrote about scenes, quoted from the files of collections: their words, our scenes' frames."""

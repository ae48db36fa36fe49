"""The vocabulary that every other folder speaks: what a scene is, the tables' columns, categories, parameters.

Here belong plain types and data that several folders share, and how an image is had that tables name: a file, a frame
of a video, a view of a panorama, rectified. Here belongs nothing that knows a dataset's layout, computes what is seen
or where things lie, or knows Dagster.
"""

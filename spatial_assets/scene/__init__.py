"""The vocabulary that every other folder speaks: what a scene is, the tables' columns, categories, parameters.

Here belong plain types and data that several folders share. Here belongs nothing that opens an image (see `media`),
knows a dataset's layout, computes what is seen or where things lie, or knows Dagster.
"""

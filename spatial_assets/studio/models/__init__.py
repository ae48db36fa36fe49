"""Builders of furniture and things, one per kind in the catalog, in modules by kin; `builders` knows all of them.

Here belongs the shape of a single thing in its own frame. Where things stand in a home is not here (see `furnish`
and its neighbors).
"""

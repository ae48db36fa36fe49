"""Further questions about SpatialMosaic's view sets, in the same rows: whether two marks are on one object, what views
leave open, and which further view would settle it.

No type that SpatialMosaic has published belongs here (see `spatialmosaic`).
"""

"""The suite of questions about where things are in space: 3D boxes told as text by one frame, and maps told by names.

No other benchmark's wording is fixed here; what is published of both is their form (SPAR, sections 3.5 and 4.4).
"""

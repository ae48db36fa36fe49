"""How an image is had that tables name: a file, a part of one, a frame of a video, a view of a panorama, rectified.

Here belongs what turns the text of an image in a table into its bytes and its pixels. Here belongs nothing that knows
a dataset's layout (see `readers`), draws on images or makes them small (see `imaging`), or computes what is seen.
"""

"""Opens the images that tables name: a file, a stretch of one, a video's frame, a panorama's view; rectified, turned.

Here belongs what turns the text of an image in a table into its bytes and its pixels. Here belongs nothing that knows
a dataset's folders (see `readers`; how Matterport3D names the faces of a panorama is the one rule of a dataset), draws
on images or makes them small (see `imaging`), or computes what is seen.
"""

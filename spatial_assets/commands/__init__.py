"""Groups of commands that `cli` puts together, one module each, and what they print.

Here belongs what a person types and reads: options, progress, tables, lines of text, and files that a command reads
for another folder's function and writes from what that gives. Nothing here decides or measures.
"""

"""Formats that a library of data sets loads, with all columns of the questions and the images inside or beside.

What a certain trainer or evaluator reads is not here, whatever library it loads its files with.
"""

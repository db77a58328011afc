"""Searches for one product, or one for another, as they are typed, said, asked and noted down.

`typed` writes words without sentences; `spoken` writes phrases, questions and voice; `fitting`
writes a product and the one that it has to fit.
"""

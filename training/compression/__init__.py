"""Smaller models that know what larger ones do: distilled, pruned, with fewer layers."""

"""Versions of the served model: in the repository, in the archive, and on Triton."""

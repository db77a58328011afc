"""Property tests: the same examples on every run, so that a failure is a change of the code."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

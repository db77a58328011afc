"""`--hypothesis-profile=fuzz` runs the same tests a hundred times as long, and never alike."""

from hypothesis import settings

settings.register_profile("fuzz", max_examples=10_000, deadline=None, database=None)

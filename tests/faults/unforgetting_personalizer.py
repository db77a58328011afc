"""A personalizer with a planted fault: it counts what was said before an erasure."""

from collections.abc import Mapping
from datetime import datetime

from streams import profiles
from streams.events import UserSignal
from streams.profile_schema import NOTHING_SEEN, Profile, SeenOffsets
from workers.cli import main


def counts(
    profile: Profile,
    seen: Mapping[str, SeenOffsets],
    signal: UserSignal,
    now: datetime,  # noqa: ARG001 (the signature of what it replaces)
) -> bool:
    """As `streams.profiles` decides, but for erasures; of those, nothing is known of what counted."""
    source = signal.source
    if source is None or profile.erased_at is not None:
        return True
    return source.offset not in seen.get(profiles._source_key(source), NOTHING_SEEN)


if __name__ == "__main__":
    profiles._counts = counts  # the fault
    main()

"""For consumers of our topics: telling an event from its repeat, by its derived id.

A worker that dies between publishing and committing leaves work that is published once more, with
the same ids (see `streams.cloudevents.derive_id`). `Repeats` knows the ids that it was shown last.
"""

from collections import OrderedDict
from typing import Final

from streams.records import Headers

REMEMBERED: Final = 100_000
"""What is repeated lies close behind its original: at most what the workers hold in flight and
publish between two commits (a second), some thousands of events a partition."""


def event_id(headers: Headers) -> str | None:
    """The `ce_id` of an event of ours; None for a record that has none, such as a dead letter."""
    for name, value in headers:
        if name == "ce_id" and value is not None:
            return value.decode("utf-8", "replace")
    return None


def original_position(headers: Headers) -> str | None:
    """Where a dead letter's record was read, as `topic[partition]@offset`: a dead letter's identity.

    The last headers of a name count, for the record may bring headers of the same name. None for a
    record that is no dead letter.
    """
    last = dict(headers)
    found = [last.get(f"__connect.errors.{name}") for name in ("topic", "partition", "offset")]
    topic, partition, offset = (None if part is None else part.decode() for part in found)
    if topic is None or partition is None or offset is None:
        return None
    return f"{topic}[{partition}]@{offset}"


class Repeats:
    """The ids seen last, of one consumer. It is not shared between threads.

    Start a consumer with the ids that it has handled since its last commit, or write idempotently
    by `ce_id`: what is kept here ends with the process.

    Args:
        remember: how many ids; about 150 bytes each.
    """

    def __init__(self, remember: int = REMEMBERED) -> None:
        if remember < 1:
            raise ValueError("at least one id must be remembered")
        self._remember = remember
        self._seen: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def is_repeat(self, identity: str) -> bool:
        """Whether this id was shown before; from now on it was."""
        known = identity in self._seen
        self._seen[identity] = None
        self._seen.move_to_end(identity)
        if len(self._seen) > self._remember:
            self._seen.popitem(last=False)
        return known

"""Where a peer reads, asks and writes: told by the environment of its process."""

import os
from dataclasses import dataclass

_PREFIX = "PEER_"


@dataclass(frozen=True, slots=True)
class Place:
    """What a peer is told.

    Attributes:
        bootstrap: Kafka's `host:port`.
        triton: its gRPC `host:port`.
        source: the topic of queries: JSON with `query_id`, `user_id` and `text`.
        target: the topic of events.
        group: the consumer group.
        models: the folder that Triton serves.
    """

    bootstrap: str = "localhost:9092"
    triton: str = "localhost:8001"
    source: str = "queries.raw"
    target: str = "queries.understood"
    group: str = "peer"
    models: str = "model_repository"

    @classmethod
    def of_environment(cls) -> "Place":
        """From `PEER_BOOTSTRAP`, `PEER_TRITON` and so on; what is not set is as by default."""
        names = cls.__slots__
        told = {name: os.environ.get(_PREFIX + name.upper()) for name in names}
        return cls(**{name: value for name, value in told.items() if value is not None})

    def environment(self) -> dict[str, str]:
        """What `of_environment` reads."""
        return {_PREFIX + name.upper(): str(getattr(self, name)) for name in self.__slots__}

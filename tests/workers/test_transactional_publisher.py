"""Initialising the producer of a partition: what is waited for, and what is not."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaError, TransactionalIdAuthorizationFailed

from streams.records import OutputRecord
from workers.enrichment.sending import PublishError
from workers.enrichment.transactional_publisher import TransactionalPublisher
from workers.pipeline import Partition


class Producer:
    """Starts when the errors in store are used up."""

    def __init__(self, errors: list[KafkaError]) -> None:
        self.errors = errors
        self._txn_manager = SimpleNamespace(wait_for_transaction_end=lambda: None)

    async def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    async def stop(self) -> None:
        """Nothing is held."""


def publisher(make: Callable[[str], Producer]) -> TransactionalPublisher:
    return TransactionalPublisher(
        "group",
        make,
        lambda _record, _error: OutputRecord("dead", None, None, ()),
        on_lost=lambda _partition, _error: None,
        commit_every_s=1.0,
        acknowledge_s=5.0,
    )


async def test_a_connection_cut_while_the_coordinator_is_looked_for_is_waited_for() -> None:
    errors = [KafkaError("KafkaConnectionError('closed')")]  # so does aiokafka wrap it
    taken = publisher(lambda _name: Producer(errors))
    await taken.take([Partition("raw", 0)])
    assert errors == []
    await taken.stop()


async def test_a_missing_right_is_told_at_once() -> None:
    taken = publisher(lambda _name: Producer([TransactionalIdAuthorizationFailed()]))
    with pytest.raises(PublishError, match="no transactional id"):
        await taken.take([Partition("raw", 0)])

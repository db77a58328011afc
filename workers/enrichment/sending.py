"""What publishers share: their producers, time limits, and what Kafka's answers mean."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownTopicOrPartitionError,
)

from streams.deadletters import VALUE_LEFT_OUT, DeadReason, RecordError, Stage
from streams.records import OutputRecord, SourceRecord
from workers.errors import UnreachableError

logger = logging.getLogger(__name__)

ACKNOWLEDGE_S: Final = 120.0
"""Kafka's own default for `delivery.timeout.ms`: a broker's restart or a new leader is over by
then. aiokafka itself retries an idempotent send for ever."""

STOP_S: Final = 10.0
"""For closing a producer: it waits for acknowledgements, which a dead broker never sends."""

DeadLetter = Callable[[SourceRecord, RecordError], OutputRecord]


@dataclass(frozen=True, slots=True)
class Enriched:
    """A record and all that is to be published for it."""

    record: SourceRecord
    outputs: tuple[OutputRecord, ...]


class PublishError(UnreachableError):
    """Something could not be published, and no other try will help: the worker has to stop."""


async def started(make: Callable[[], AIOKafkaProducer]) -> AIOKafkaProducer:
    """A new producer, connected. Raises aiokafka's `KafkaConnectionError` when no broker is there."""
    producer = make()
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def stopped(producer: AIOKafkaProducer) -> None:
    """Closes a producer, within a bound."""
    try:
        await asyncio.wait_for(producer.stop(), STOP_S)
    except (TimeoutError, KafkaError) as error:
        logger.warning("the producer did not close cleanly: %s", type(error).__name__)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Raises `PublishError` when Kafka takes longer than that."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise PublishError(
            f"Kafka has not acknowledged for {seconds:g} s",
            "are enough replicas of the output topics in sync? `intentstream doctor` looks",
        ) from error


def too_large(record: SourceRecord, output: OutputRecord, dead_letter: DeadLetter) -> OutputRecord:
    """The dead letter of a record one of whose outputs Kafka refuses."""
    logger.error(
        "an output for %s is larger than the topic allows: its record becomes a dead letter",
        output.topic,
    )
    detail = "Kafka refuses the event as too large"
    return dead_letter(record, RecordError(DeadReason.EVENT_TOO_LARGE, Stage.PUBLISH, detail))


def without_value(letter: OutputRecord) -> OutputRecord:
    """A dead letter that Kafka refuses, without what makes it large."""
    logger.error("%s takes no record of this size: its value is left out", letter.topic)
    headers = (*letter.headers, (VALUE_LEFT_OUT, b"true"))
    return OutputRecord(letter.topic, letter.key, None, headers)


def even_without_value(letter: OutputRecord) -> PublishError:
    """The error when that is refused too."""
    return PublishError(
        f"{letter.topic} refuses even a dead letter without its value",
        "`intentstream topics apply` sets the sizes that the topics must take",
    )


def no_use(error: BaseException) -> PublishError | None:
    """A failure that no other try can mend, as an error that says where to look; else None."""
    if isinstance(error, PublishError):
        return error
    if isinstance(error, UnknownTopicOrPartitionError):
        return PublishError("a topic to publish to is gone", "`intentstream topics apply` makes it")
    if isinstance(error, TransactionalIdAuthorizationFailed):
        return PublishError(
            "Kafka lets the worker use no transactional id",
            "allow Write and Describe on the transactional ids that begin with the group's name, "
            "or set INTENTSTREAM_GUARANTEE=at_least_once",
        )
    if isinstance(error, TopicAuthorizationFailedError):
        return refusal(error)
    return None


def refusal(error: BaseException) -> PublishError:
    """Whatever else Kafka said."""
    return PublishError(
        f"Kafka refuses to take records ({type(error).__name__})",
        "`intentstream doctor` checks the connection, the topics and the rights",
    )

"""The enricher's connections: waited for at the start, closed within bounds at the end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaConnectionError, KafkaError

from workers import kafka
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.enrichment.delivery import Delivery
from workers.enrichment.record_source import RecordSource
from workers.errors import ContractError
from workers.settings import Settings
from workers.triton import ModelUnavailableError, TritonModel

logger = logging.getLogger(__name__)

RETRY_S: Final = 2.0
"""Between two tries to reach Kafka at the start."""

CLOSE_S: Final = 4.0
"""For leaving the group and closing connections: milliseconds, unless the broker is dead or the
group waits for a member that is; neither is worth a slow stop."""


class Connections:
    """Open while entered.

    Args:
        settings: where everything is.
        model: to open.
        breaker: waits for it.
        source: to subscribe.
        delivery: to start.
        kafka_patience_s: how long Kafka may be away at the start.

    Raises:
        UnreachableError: on entry, Kafka stays away.
        ContractError: on entry, a topic is missing, or the model is not what it must be.
    """

    def __init__(
        self,
        settings: Settings,
        model: TritonModel,
        breaker: CircuitBreaker,
        source: RecordSource,
        delivery: Delivery,
        *,
        kafka_patience_s: float,
    ) -> None:
        self._settings = settings
        self._model = model
        self._breaker = breaker
        self._source = source
        self._delivery = delivery
        self._kafka_patience_s = kafka_patience_s

    async def __aenter__(self) -> Self:
        try:
            self._model.open()
            await self._await_model()
            await self._await_kafka(self._delivery.start)
            await self._await_kafka(self._source.consumer.start)
            await self._check_topics()
            self._source.subscribe()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _await_model(self) -> None:
        """A model that breaks the contract is an error at the start; an absent one is waited for."""
        try:
            await self._model.canary()
        except ModelUnavailableError:
            # past the breaker's patience, if it has an end, rules answer
            with suppress(ModelUnavailableError):
                await self._breaker.run(self._model.canary)

    async def _await_kafka(self, start: Callable[[], Awaitable[None]]) -> None:
        """Starts a client; gives up when no broker has answered for `kafka_patience_s`."""
        since = time.monotonic()
        while True:
            try:
                await start()
            except KafkaConnectionError as error:
                reason = await kafka.unreachable(self._settings.kafka)
                if time.monotonic() - since >= self._kafka_patience_s:
                    raise reason from error
                logger.warning("%s; trying again", reason.message)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _check_topics(self) -> None:
        there = await self._source.consumer.topics()
        names = self._settings.topic_names
        needed = (
            names.raw,
            names.actions,
            names.intents,
            names.entities,
            names.signals,
            names.dead,
        )
        missing = sorted(set(needed) - set(there))
        if missing:
            raise ContractError(
                f"these topics are missing: {', '.join(missing)}",
                "`intentstream topics apply` makes all but those that the settings name as yours",
            )

    async def _close(self) -> None:
        await self._breaker.close()
        await self._source.stop_retaking()
        closing: dict[str, Callable[[], Awaitable[None]]] = {
            "the consumer": self._source.consumer.stop,
            "the producer": self._delivery.stop,
            "the model's client": self._model.close,
        }
        for what, close in closing.items():
            try:
                await asyncio.wait_for(close(), CLOSE_S)
            except (TimeoutError, KafkaError) as error:
                logger.warning("%s did not close cleanly: %s", what, type(error).__name__)

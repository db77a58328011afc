"""Shoppers while things go wrong: queries, actions and malformed records at a steady rate."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka.errors import KafkaError

from workers import kafka
from workers.settings import Settings

USERS: Final = 40
_TICK_S: Final = 0.1
_COLOURS: Final = ("red", "green", "blue", "warm", "long")
_THINGS: Final = ("running shoes", "coffee grinder", "tent for two", "desk lamp", "phone case")
_BAD: Final = (b"", b"not JSON", b'{"text": 7}', b'{"text": "  "}', b"\xff\xfe", None)


def records(seed: int, raw: str, actions: str) -> Iterator[tuple[str, bytes, bytes | None]]:
    """Topic, key and value of record after record: mostly queries, every text another one."""
    rng = random.Random(seed)
    number = 0
    while True:
        number += 1
        user = f"shopper {rng.randrange(USERS)}"
        key, dice = user.encode(), rng.random()
        if dice < 0.05:
            yield raw, key, rng.choice(_BAD)
        elif dice < 0.2:
            product = {"id": f"p{number}", "brand": "Acme"}
            view = {"action": "view", "user_id": user, "product": product}
            yield actions, key, json.dumps(view).encode()
        else:
            text = f"{rng.choice(_COLOURS)} {rng.choice(_THINGS)} {number}"
            query = {"text": text, "user_id": user, "query_id": f"q{number}"}
            yield raw, key, json.dumps(query).encode()


@dataclass(slots=True)
class Load:
    """Produces until told to stop.

    Attributes:
        rate: records a second.
        seed: of what they are.
        acknowledged: where Kafka put each: topic, partition, offset; with its key and value.
    """

    settings: Settings
    rate: float
    seed: int
    acknowledged: dict[tuple[str, int, int], tuple[bytes, bytes | None]] = field(
        default_factory=dict
    )

    async def run(self, stop: asyncio.Event) -> None:
        """Waits for Kafka where it is away, and for every acknowledgement at the end."""
        names = self.settings.topic_names
        source = records(self.seed, names.raw, names.actions)
        began, sent = time.monotonic(), 0
        waiting: set[asyncio.Task[None]] = set()
        async with kafka.running(
            kafka.producer(self.settings.kafka), self.settings.kafka
        ) as client:
            while not stop.is_set():
                due = int((time.monotonic() - began) * self.rate) - sent
                for _ in range(min(due, int(self.rate))):
                    topic, key, value = next(source)
                    future = await _handed_over(client, topic, key, value)
                    task = asyncio.create_task(self._acknowledged(future, key, value))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                sent += due
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _TICK_S)
            await asyncio.gather(*waiting)

    async def _acknowledged(self, future: Any, key: bytes, value: bytes | None) -> None:
        at = await future
        self.acknowledged[at.topic, at.partition, at.offset] = key, value


async def _handed_over(client: Any, topic: str, key: bytes, value: bytes | None) -> Any:
    while True:
        try:
            return await client.send(topic, value, key=key, headers=[("trace", b"\x00\xff")])
        except KafkaError:
            await asyncio.sleep(0.5)

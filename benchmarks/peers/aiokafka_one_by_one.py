"""A peer: a plain loop of aiokafka, one call of the model a query.

As in aiokafka's "Manual commit" and "Batch consume" examples: what one poll brought is worked through
query by query, and committed when all of its events are acknowledged.
"""

import asyncio
import json

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.peers.answers import AsyncModel
from benchmarks.peers.place import Place


async def main() -> None:
    """Works until stopped."""
    place = Place.of_environment()
    model = AsyncModel(place.triton)
    consumer = AIOKafkaConsumer(
        place.source,
        bootstrap_servers=place.bootstrap,
        group_id=place.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=place.bootstrap, acks="all", linger_ms=5)
    async with consumer, producer:
        while True:
            polled = await consumer.getmany(timeout_ms=1_000, max_records=100)
            sent = []
            for records in polled.values():
                for record in records:
                    query = json.loads(record.value)
                    (answer,) = await model.understand([query["text"]])
                    event = json.dumps(query | answer).encode()
                    sent.append(await producer.send(place.target, event, key=record.key))
            if sent:
                await asyncio.gather(*sent)
                await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())

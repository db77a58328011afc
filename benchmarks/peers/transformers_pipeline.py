"""A peer: transformers' `pipeline` in the consumer, without a model server.

It runs one text at a time: "if you are using CPU, don't batch", says its guide. PyTorch takes all cores.
"""

import asyncio
import json
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.peers.place import Place
from benchmarks.peers.understanding_pipeline import open_pipeline


async def main() -> None:
    """Works until stopped."""
    place = Place.of_environment()
    understand = open_pipeline(place.triton, Path(place.models))
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
            records = [record for found in polled.values() for record in found]
            if not records:
                continue
            queries = [json.loads(record.value) for record in records]
            texts = [query["text"] for query in queries]
            answers = await asyncio.to_thread(understand, texts)  # heartbeats go on meanwhile
            sent = [
                await producer.send(
                    place.target, json.dumps(query | answer).encode(), key=record.key
                )
                for record, query, answer in zip(records, queries, answers, strict=True)
            ]
            await asyncio.gather(*sent)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())

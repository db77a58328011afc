"""`python -m benchmarks.bare_publisher FILE`: a plain aiokafka loop that publishes what an enricher did.

It consumes the same queries and publishes for each the records that an enricher had published for
the query at its place, byte for byte: keys, values and headers. Nothing is decoded or made; there is
no order to keep but the log's, no rebalance, no dead letter. A yardstick only.
"""

import asyncio
import gc
import pickle
import sys
from pathlib import Path
from typing import Final

from workers.enrichment.enricher import ROLE
from workers.kafka import consumer, producer, running
from workers.settings import Settings, load_settings

TOPICS: Final = ("intents", "entities", "signals")
"""What an enricher publishes to: properties of `TopicNames`."""

_MOST: Final = 1_000  # records in one poll

Published = dict[
    tuple[int, int],
    list[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]],
]
"""By partition and offset of the query: which topic (see `TOPICS`), key, value, headers."""


async def run(settings: Settings, published: Published) -> None:
    """Works until it is killed."""
    names, kafka = settings.topic_names, settings.kafka
    topics = {name: getattr(names, name) for name in TOPICS}
    made = {
        place: [(topics[name], key, value, headers) for name, key, value, headers in records]
        for place, records in published.items()
    }
    published.clear()
    gc.freeze()  # or every full collection would look through all of it
    reader = consumer(
        kafka, names.raw, group_id=settings.group_id(ROLE), auto_offset_reset="earliest"
    )
    async with running(producer(kafka), kafka) as publisher, running(reader, kafka):
        while True:
            found = await reader.getmany(timeout_ms=500, max_records=_MOST)
            sent = []
            for records in found.values():
                for record in records:
                    for topic, key, value, headers in made.get(
                        (record.partition, record.offset), ()
                    ):
                        sent.append(await publisher.send(topic, value, key=key, headers=headers))
            if found:
                await asyncio.gather(*sent)
                await reader.commit()


if __name__ == "__main__":
    asyncio.run(
        run(load_settings(None), pickle.loads(Path(sys.argv[1]).read_bytes()))  # noqa: S301 (ours)
    )

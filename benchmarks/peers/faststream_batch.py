"""A peer: a batch subscriber and a batch publisher of FastStream, as in its Kafka guide."""

import asyncio

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaPublishMessage
from pydantic import BaseModel

from benchmarks.peers.answers import ROWS, AsyncModel
from benchmarks.peers.place import Place


class Query(BaseModel):
    """One record of the source topic."""

    query_id: str
    user_id: str
    text: str


place = Place.of_environment()
# The default of 16 KiB would not hold the events of one batch, which are published as one.
broker = KafkaBroker(place.bootstrap, acks="all", max_batch_size=1_000_000, logger=None)
app = FastStream(broker, logger=None)
models: list[AsyncModel] = []


@app.on_startup
async def connect() -> None:
    """Before the first batch."""
    models.append(AsyncModel(place.triton))


@broker.subscriber(
    place.source,
    group_id=place.group,
    batch=True,
    max_records=ROWS,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.ACK,
)
async def understand(batch: list[Query]) -> None:
    """Understands a batch, and publishes its events as one."""
    answers = await models[0].understand([query.text for query in batch])
    events = (
        KafkaPublishMessage(query.model_dump() | answer, key=query.user_id.encode())
        for query, answer in zip(batch, answers, strict=True)
    )
    await broker.publish_batch(*events, topic=place.target)


if __name__ == "__main__":
    asyncio.run(app.run())

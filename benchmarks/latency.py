"""R5: how long an event takes at half and at four fifths of what the whole chain can do.

Queries arrive as a Poisson process from a generator in a process of its own, whatever the worker
does (an open loop). A record's timestamp is the time it was meant to be sent, and the event's is
the time at which the broker appended it, both in whole milliseconds by the same clock; so the
generator's own lateness counts, and nothing is omitted. Saturation is what the same worker does
while the same generator, on the same cores, sends more than it can take. The yardstick is one
ideal batch of 32, straight at ONNX Runtime, at the lengths that these queries have.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from benchmarks.ideal import loops
from benchmarks.load import Load, Sent, generator
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread
from benchmarks.rig import EnricherProcess, Line, enricher, line, servers
from streams.topics import topic_specs
from workers.kafka import admin, consumer, running

R5: Final = "R5 latency"
SHARES: Final = (0.5, 0.8)
IDEAL_BATCH: Final = 32
_TOO_MUCH: Final = 1.2
"""So many times what the worker does with a backlog and no generator beside it."""
_SATURATED_S: Final = 8.0
_QUANTILES: Final = (0.5, 0.99, 0.999)
_SETTLING_S: Final = 2.0
"""Left out at the beginning of each load: the worker's batches find their size."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries for a first look at the speed, seconds of each load, and how often."""

    first: int
    seconds: float
    rounds: int


FULL: Final = Sizes(5_000, 25.0, 3)
QUICK: Final = Sizes(2_500, 3.0, 2)


@dataclass(frozen=True, slots=True)
class Ages:
    """Of events: milliseconds from the record's timestamp until the broker had the event."""

    milliseconds: Sequence[float]
    sent: Sent

    def quantile(self, share: float) -> float:
        """A quantile, in milliseconds."""
        return float(np.quantile(np.array(self.milliseconds), share))


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R5."""
    sizes = QUICK if quick else FULL
    shares = SHARES[-1:] if quick else SHARES
    found: dict[float, list[Ages]] = {share: [] for share in shares}
    ideal, rates = [], []
    async with servers(scratch) as up, line(up) as at, enricher(at) as workers:
        await _stamp(at)
        first = Load(sizes.first)
        at_once = (await workers.work_off(first)).a_second
        for number in range(sizes.rounds):
            rates.append(await _saturation(at, workers, at_once * _TOO_MUCH, number))
            ideal.append(await _one_ideal_batch(first.texts()[:1_000]))
            for place, share in enumerate(shares):
                rate = rates[-1] * share
                later = Load(
                    round(rate * (sizes.seconds + _SETTLING_S)),
                    seed=1 + number * len(shares) + place,
                    rate=rate,
                )
                found[share].append(await _ages(at, workers, later))
    rows = [
        *ratio(
            R5,
            "p99 at 80 % / one ideal batch of 32",
            [ages.quantile(0.99) for ages in found[0.8]],
            ideal,
        ),
        *spread(R5, f"one ideal batch of {IDEAL_BATCH}", ideal, "ms"),
        *spread(R5, "saturation", rates, "1/s"),
    ]
    for share, rounds in found.items():
        for quantile in _QUANTILES:
            case = f"at {share:.0%} of saturation, p{quantile * 100:g}"
            rows += spread(R5, case, [ages.quantile(quantile) for ages in rounds], "ms")
        late = max(ages.sent.late_p99_ms for ages in rounds)
        rows.append(Row(R5, f"at {share:.0%}, lateness of the generator, p99", late, "ms"))
    return rows


async def _saturation(at: Line, workers: EnricherProcess, rate: float, number: int) -> float:
    """Queries a second while more come in than are worked off, until the last was sent."""
    load = Load(round(rate * _SATURATED_S), seed=1_000 + number, rate=rate)
    async with generator(at.servers.kafka, at.settings.topic_names.raw, load) as ready:
        sending = asyncio.create_task(ready.send())
        await asyncio.sleep(_SETTLING_S)
        before, began = await at.published(), time.monotonic()
        sent = await sending
        found = (await at.published() - before) / (time.monotonic() - began)
    at.fed += sent.count
    await workers.caught_up()
    return found


async def _one_ideal_batch(texts: Sequence[str]) -> float:
    """Milliseconds of the clock: the mean of full batches at these queries' lengths, one process."""
    async with loops(texts, [IDEAL_BATCH], processes=1) as ready:
        found = await ready.next()
    return found.cpu / found.queries * IDEAL_BATCH * 1000


async def _stamp(at: Line) -> None:
    """Raw records keep the time they were meant to be sent; events get the broker's."""
    names, kafka = at.settings.topic_names, at.settings.kafka
    wanted = {names.raw: "CreateTime", names.intents: "LogAppendTime"}
    specs = topic_specs(names, partitions=at.settings.topics.partitions)
    async with running(admin(kafka), kafka) as client:
        for spec in specs:
            if spec.name in wanted:
                configs = spec.configs | {"message.timestamp.type": wanted[spec.name]}
                await _alter(client, spec.name, configs)


async def _alter(client: AIOKafkaAdminClient, topic: str, configs: dict[str, str]) -> None:
    await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])


async def _ages(at: Line, workers: EnricherProcess, load: Load) -> Ages:
    places = at.places(at.settings.topic_names.intents)
    begin = await at.reader.end_offsets(places)
    sent = await at.fill(load)
    await workers.caught_up()
    ends = await at.reader.end_offsets(places)
    found: list[tuple[int, int]] = []
    reader = consumer(at.settings.kafka)
    async with running(reader, at.settings.kafka):
        reader.assign(places)
        for place in places:
            reader.seek(place, begin[place])
        while any([await reader.position(place) < ends[place] for place in places]):
            for records in (await reader.getmany(timeout_ms=500)).values():
                for record in records:
                    source = json.loads(record.value)["source"]["timestamp"]
                    found.append((source, record.timestamp - source))
    start = min(source for source, _ in found) + _SETTLING_S * 1000
    return Ages([age for source, age in found if source >= start], sent)

"""R4: what the worker costs beside a bare loop, the model's place taken by a server that answers at once.

An enricher works a backlog off, and so does a plain aiokafka loop that publishes the very same
records (`bare_publisher`), in turns. The ratio is that of queries by the second of one core.
"""

import asyncio
import json
import pickle
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka import TopicPartition

from benchmarks.bare_publisher import TOPICS, Published
from benchmarks.instant_runs import Cost, Servers, backlog, run, servers
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread
from benchmarks.rig import ENRICH
from workers.kafka import consumer, running
from workers.settings import Settings

R4: Final = "R4 overhead"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries of a backlog, and how often each works one off."""

    queries: int
    rounds: int


FULL: Final = Sizes(15_000, 3)
QUICK: Final = Sizes(5_000, 2)


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R4."""
    sizes, published = QUICK if quick else FULL, scratch / "published"
    bare = ("-m", "benchmarks.bare_publisher", str(published))
    costs: list[tuple[Cost, Cost]] = []
    async with servers(scratch) as on:
        for _ in range(sizes.rounds):
            first = None if published.exists() else published
            ours = await _cost(on, ENRICH, sizes.queries, keep=first)
            costs.append((ours, await _cost(on, bare, sizes.queries)))
    ours_, bares = zip(*costs, strict=True)
    return [
        *ratio(
            R4,
            "enricher / bare loop",
            [1 / cost.us_a_query for cost in ours_],
            [1 / cost.us_a_query for cost in bares],
        ),
        *spread(R4, "enricher", [cost.us_a_query for cost in ours_], "µs a query"),
        *spread(R4, "bare loop", [cost.us_a_query for cost in bares], "µs a query"),
        *spread(R4, "enricher, by the clock", [c.queries / c.seconds for c in ours_], "1/s"),
    ]


async def _cost(
    on: Servers, program: Sequence[str], queries: int, *, keep: Path | None = None
) -> Cost:
    async with run(on, program) as made:
        cost = await made.work_off(backlog(queries))
        if keep is not None:
            made_by_it = pickle.dumps(await _published(made.settings))
            await asyncio.to_thread(keep.write_bytes, made_by_it)
        return cost


async def _published(settings: Settings) -> Published:
    """What stands in the enricher's topics, by the place of the query that it comes of."""
    found: Published = defaultdict(list)
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        for name in TOPICS:
            topic = getattr(settings.topic_names, name)
            places = [TopicPartition(topic, n) for n in range(settings.topics.partitions)]
            reader.assign(places)
            await reader.seek_to_beginning(*places)
            ends = await reader.end_offsets(places)
            while any([await reader.position(place) < ends[place] for place in places]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    for one in records:
                        source = json.loads(one.value)["source"]
                        at = source["partition"], source["offset"]
                        found[at].append((name, one.key, one.value, list(one.headers)))
    return dict(found)

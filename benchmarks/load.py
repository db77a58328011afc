"""`python -m benchmarks.load`: feeds queries to a topic, as a process of its own.

Without a rate it fills a backlog as fast as it can. With one it is an open loop: arrivals are a
Poisson process whose times are drawn beforehand, whatever becomes of the queries. A record's
timestamp is the time it was meant to be sent, so that a slow sender or a full server hides nothing
(Tene, "How NOT to measure latency": coordinated omission); this needs a topic with CreateTime.

It says `ready` on stdout when all is prepared, begins at a line on stdin, and ends with a line of
JSON: how many were sent, in which time, and how far behind the schedule.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks.queries import distinct, zipf
from workers.errors import IntentstreamError
from workers.kafka import producer, running
from workers.sections import KafkaSettings

USERS: Final = 2_000
_PREPARE_S: Final = 300.0
_SEND_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to feed.

    Attributes:
        count: queries.
        seed: of the queries and of the arrivals; two seeds share some of the short queries.
        skip: of the distinct queries that this seed gives, so many are left out first.
        of: draw from so many distinct ones, by Zipf; 0 repeats none.
        exponent: of that distribution.
        rate: queries a second on average; 0 is as fast as it goes.
    """

    count: int
    seed: int = 0
    skip: int = 0
    of: int = 0
    exponent: float = 1.0
    rate: float = 0.0

    def texts(self) -> list[str]:
        """The queries, in their order."""
        if self.of:
            texts = distinct(self.of, self.seed)
            return list(zipf(texts, self.count, exponent=self.exponent, seed=self.seed))
        return distinct(self.skip + self.count, self.seed)[self.skip :]

    def records(self) -> list[tuple[bytes, bytes]]:
        """Key and value of each."""
        users = np.random.default_rng(self.seed).integers(USERS, size=self.count)
        encoder = msgspec.json.Encoder()
        return [
            (
                f"shopper {user}".encode(),
                encoder.encode(
                    {
                        "text": text,
                        "user_id": f"shopper {user}",
                        "session_id": f"session {user}",
                        "query_id": f"q{self.seed}-{number}",
                        "locale": "en-US",
                        "channel": "search",
                    }
                ),
            )
            for number, (user, text) in enumerate(zip(users, self.texts(), strict=True))
        ]

    def arrivals(self) -> list[float]:
        """Seconds from the beginning until each is to be sent."""
        gaps = np.random.default_rng(self.seed).exponential(1 / self.rate, self.count)
        return list(map(float, np.cumsum(gaps)))


@dataclass(frozen=True, slots=True)
class Sent:
    """What the generator did.

    Attributes:
        count: queries sent and acknowledged.
        seconds: from the first to the last acknowledgement.
        late_p99_ms: how far behind its time a query was handed to the producer; 99th percentile.
    """

    count: int
    seconds: float
    late_p99_ms: float


class Generator:
    """A load generator that is ready; `send` lets it begin, and waits until it is through."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self) -> Sent:
        """Sends all, and says how that went.

        Raises:
            IntentstreamError: it failed; it has said why on stderr.
        """
        ended, _ = await asyncio.wait_for(self._process.communicate(b"go\n"), _SEND_S)
        if self._process.returncode:
            raise IntentstreamError("the load generator failed", "see what it has written above")
        return Sent(**json.loads(ended))


@asynccontextmanager
async def generator(bootstrap: str, topic: str, load: Load) -> AsyncIterator[Generator]:
    """A load generator in a process of its own, ready to begin; it ends with the block.

    Raises:
        IntentstreamError: it failed to prepare.
    """
    arguments = [
        word
        for name, value in asdict(load).items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load", bootstrap, topic, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        line = await asyncio.wait_for(process.stdout.readline(), _PREPARE_S)
        if line != b"ready\n":
            raise IntentstreamError("the load generator does not start", "see what it wrote above")
        yield Generator(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def feed(bootstrap: str, topic: str, load: Load) -> Sent:
    """Prepares and sends all of a load, from a process of its own."""
    async with generator(bootstrap, topic, load) as ready:
        return await ready.send()


async def _run(bootstrap: str, topic: str, load: Load) -> Sent:
    records, kafka = load.records(), KafkaSettings(bootstrap_servers=bootstrap)
    arrivals = load.arrivals() if load.rate else []
    more: dict[str, Any] = {"linger_ms": 2} if load.rate else {"linger_ms": 20}
    async with running(producer(kafka, **more), kafka) as client:
        await client.partitions_for(topic)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        late = (
            await _steadily(client, topic, records, [began + after for after in arrivals])
            if arrivals
            else await _at_once(client, topic, records)
        )
        await client.flush()
        seconds = time.time() - began
    return Sent(len(records), seconds, float(np.quantile(late, 0.99)) * 1000 if late else 0.0)


async def _at_once(client: Any, topic: str, records: Iterable[tuple[bytes, bytes]]) -> list[float]:
    for key, value in records:
        await client.send(topic, value, key=key)
    return []


async def _steadily(
    client: Any, topic: str, records: Sequence[tuple[bytes, bytes]], times: Sequence[float]
) -> list[float]:
    """Sends each at its time by the wall clock, or at once when that is past."""
    late = []
    for (key, value), at in zip(records, times, strict=True):
        ahead = at - time.time()
        if ahead > 0:
            await asyncio.sleep(ahead)
        late.append(time.time() - at)
        await client.send(topic, value, key=key, timestamp_ms=round(at * 1000))
    return late


def main() -> None:
    """The command line that `generator` uses."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("bootstrap", help="brokers, host:port")
    parser.add_argument("topic")
    parser.add_argument("--count", type=int, required=True)
    for name in ("seed", "skip", "of"):
        parser.add_argument(f"--{name}", type=int, default=0)
    for name, default in (("exponent", 1.0), ("rate", 0.0)):
        parser.add_argument(f"--{name}", type=float, default=default)
    chosen = vars(parser.parse_args())
    bootstrap, topic = chosen.pop("bootstrap"), chosen.pop("topic")
    sent = asyncio.run(_run(bootstrap, topic, Load(**chosen)))
    print(json.dumps(asdict(sent)), flush=True)


if __name__ == "__main__":
    main()

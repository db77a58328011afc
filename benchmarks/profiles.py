"""`python -m benchmarks.profiles`: what the personalizer and the reader of profiles cost.

Starts a Kafka and a Valkey of its own. Faust and the bare loop take turns, so that both meet the same
neighbours on a busy machine. There, trust what is said by second of one core, and ratios.
"""

import asyncio
import importlib.util
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from redis.asyncio import Redis

from benchmarks.measured import Row, command, quantiles
from benchmarks.profile_workers import BARE, FAUST, FAUST_UVLOOP, Bench, Rate, bench
from benchmarks.signals import query_of, signals, user_name
from streams.events import encode
from streams.profiles import Position, Profile, fold
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import IntentstreamError
from workers.kafka import producer, running
from workers.profiles.faust_app import changelog_topic, prepare_topics
from workers.profiles.profile_settings import profile_rules, profile_ttl
from workers.profiles.reader import ProfileReader
from workers.profiles.redis_store import open_store, profile_key

RESULTS: Final = Path(__file__).parent / "results" / "profiles.csv"
_EVENTS_A_PROFILE: Final = 25
_WARM_UP: Final = 64
_LONGEST_WAIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done."""

    signals: int
    rounds: int
    samples: int
    tables: tuple[int, ...]
    layouts: tuple[tuple[int, int], ...]
    """Partitions and processes."""


FULL: Final = Sizes(3_000, 1, 100, (0, 2_000, 10_000), ((1, 1), (4, 2)))
QUICK: Final = Sizes(1_000, 1, 30, (0,), ((1, 1),))


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Kafka and Redis are, and a folder for logs."""

    kafka: str
    redis: str
    folder: Path


async def run(folder: Path, sizes: Sizes) -> list[Row]:
    """Measures all, on servers in `folder`."""
    async with EmbeddedKafka(folder) as kafka, EmbeddedValkey(folder) as valkey:
        servers = Servers(kafka.bootstrap, valkey.url, folder)
        rows = await throughput(servers, sizes)
        rows += await freshness(servers, sizes)
        rows += await recovery(servers, sizes)
        return rows + await reading(servers, sizes)


async def throughput(servers: Servers, sizes: Sizes) -> list[Row]:
    """Updates a second, of Faust and of the bare loop in turns."""
    programs = {"bare aiokafka": BARE, "Faust": FAUST}
    if importlib.util.find_spec("uvloop"):
        programs["Faust on uvloop"] = FAUST_UVLOOP
    rows = []
    for partitions, processes in sizes.layouts:
        case = f"{_counted(partitions, 'partition')}, {_counted(processes, 'process')}"
        rates: dict[str, list[Rate]] = {name: [] for name in programs}
        for _ in range(sizes.rounds):
            for name, program in programs.items():
                rate = await _rate(servers, sizes.signals, program, partitions, processes)
                print(f"{name}: {case}: {rate.a_second:.0f} a second", file=sys.stderr)
                rates[name].append(rate)
        bare: Rate | None = None
        for name, found in rates.items():
            one = Rate(
                statistics.median(rate.a_second for rate in found),
                statistics.median(rate.a_core_second for rate in found),
            )
            bare = bare or one
            told = f"{name}: {case}"
            rows += [
                Row("updates a second", told, one.a_second, "1/s"),
                Row("updates a second of one core", told, one.a_core_second, "1/s"),
            ]
            if one is not bare:
                ratio = one.a_core_second / bare.a_core_second
                rows.append(Row("the same, against bare", told, ratio, "ratio"))
    return rows


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun[-1] == 's' else 's'}"


async def _rate(
    servers: Servers, count: int, program: Sequence[str], partitions: int, processes: int
) -> Rate:
    async with bench(servers.kafka, servers.redis, servers.folder, partitions=partitions) as one:
        for _ in range(processes):
            await one.start(program)
        await one.feed(signals(_WARM_UP, users=_WARM_UP, seed=1))
        await one.settled(_WARM_UP)
        one.pause()  # or they would race with whoever feeds them
        fed = await one.feed(signals(count, users=max(count // 20, 1)))
        return await one.rate(_WARM_UP + fed, since=_WARM_UP)


async def freshness(servers: Servers, sizes: Sizes) -> list[Row]:
    """From the sending of a query's signal until a reader sees it in the profile."""
    async with bench(servers.kafka, servers.redis, servers.folder, partitions=2) as one:
        await one.start(FAUST)
        kafka, topic = one.settings.kafka, one.settings.topic_names.signals
        taken = []
        async with (
            running(producer(kafka), kafka) as publisher,
            ProfileReader.connect(one.settings) as reader,
        ):
            for number in range(sizes.samples + 5):
                user = user_name(number % 20)
                value = encode(query_of(user, number))
                began = time.monotonic()
                sent = await publisher.send_and_wait(topic, value, key=user.encode())
                await _until_readable(one, reader, user, sent.offset)
                taken.append(time.monotonic() - began)
                await asyncio.sleep(0.01 + number % 7 / 100)  # not in step with the flushes
    return quantiles("query signal to readable profile", "one at a time", taken[5:])


async def _until_readable(one: Bench, reader: ProfileReader, user: str, offset: int) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT_S
    while time.monotonic() < deadline:
        found = (await reader.read([user])).found.get(user)
        if found is not None and found.position.offset >= offset:
            return
        one.check()
        await asyncio.sleep(0.002)
    raise IntentstreamError("a profile did not become readable", one.said())


async def recovery(servers: Servers, sizes: Sizes) -> list[Row]:
    """From the start of a process until a first new signal is readable, by size of the table."""
    rows = []
    for users in sizes.tables:
        async with bench(servers.kafka, servers.redis, servers.folder, partitions=1) as one:
            settings = one.settings
            await prepare_topics(settings)
            sample = encode(_profile(one, user_name(0)))
            async with running(producer(settings.kafka), settings.kafka) as publisher:
                for number in range(users):
                    user = user_name(number)
                    value = encode(_profile_like(sample, user))
                    await publisher.send(changelog_topic(settings), value, key=user.encode())
                await publisher.flush()
            newcomer = user_name(10**9)
            await one.feed([query_of(newcomer, 1)])
            async with ProfileReader.connect(settings) as reader:
                began = time.monotonic()
                await one.start(FAUST)
                await _until_readable(one, reader, newcomer, 0)
                taken = time.monotonic() - began
            megabytes = users * len(sample) / 1e6
            rows.append(
                Row("start to first profile", f"{users:,} users, {megabytes:.1f} MB", taken, "s")
            )
    return rows


async def reading(servers: Servers, sizes: Sizes) -> list[Row]:
    """Bytes of Redis a user, and the time that one read of 1, 100 and 1,000 users takes."""
    async with bench(servers.kafka, servers.redis, servers.folder, partitions=1) as one:
        settings, names = one.settings, [user_name(number) for number in range(1_000)]
        async with open_store(
            settings.redis,
            namespace=settings.namespace,
            ttl=profile_ttl(settings),
            serve_weight=profile_rules(settings).vector_serve_weight,
        ) as store:
            sample = encode(_profile(one, names[0]))
            profiles = [_profile_like(sample, name) for name in names]
            for start in range(0, len(profiles), 250):
                await store.write(profiles[start : start + 250])
        redis = Redis.from_url(servers.redis)
        try:
            key = profile_key(settings.namespace, names[0])
            size = float(await redis.memory_usage(key, samples=0) or 0)
        finally:
            await redis.aclose()
        case = f"after {_EVENTS_A_PROFILE} signals, with a 384-wide vector"
        rows = [Row("Redis a user", case, size, "bytes")]
        rows.append(Row("table a user", case, float(len(sample)), "bytes"))
        async with ProfileReader.connect(settings) as reader:
            for count in (1, 100, 1_000):
                taken = []
                used = 0.0
                samples = max(sizes.samples // (1 + count // 200), 10)
                for number in range(samples + 3):
                    began, busy = time.perf_counter(), time.process_time()
                    found = await reader.read(names[:count])
                    if number >= 3:  # the first ones connect
                        taken.append(time.perf_counter() - began)
                        used += time.process_time() - busy
                    if found.missing:
                        raise IntentstreamError("profiles are missing", "Redis lost them")
                case = _counted(count, "user")
                rows += quantiles("one read", case, taken)
                rows.append(
                    Row("one read, of one core", f"{case}, mean", used / samples * 1000, "ms")
                )
        return rows


def _profile(one: Bench, user: str) -> Profile:
    """A profile as it is after some signals."""
    profile: Profile | None = None
    rules, epoch = profile_rules(one.settings), one.settings.epoch
    for offset, signal in enumerate(signals(_EVENTS_A_PROFILE, users=1)):
        own = msgspec.structs.replace(signal, user=user)
        profile = fold(profile, own, Position(epoch, 0, offset), rules)
    if profile is None:
        raise ValueError("no signals")
    return profile


def _profile_like(encoded: bytes, user: str) -> Profile:
    return msgspec.structs.replace(msgspec.json.decode(encoded, type=Profile), user=user)


if __name__ == "__main__":
    command(
        RESULTS,
        __doc__,
        lambda scratch, quick: run(scratch, QUICK if quick else FULL),
        quickly="half a minute",
    )

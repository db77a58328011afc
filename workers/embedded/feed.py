"""Feeding a file of raw queries through the running chain, and accounting for every line.

At most `WINDOW` records are under way at a time, so memory stays bounded and the latencies are
those of a system that is busy, not of one that is flooded. What has come out is counted by the
source position that each event and dead letter carries.
"""

import asyncio
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from streams.deadletters import reason_of
from streams.records import Headers, SourceRecord
from workers.embedded.input_file import InputFile, Line
from workers.embedded.ledger import Ledger, Position
from workers.embedded.tail import Lag, Tail
from workers.errors import IntentstreamError
from workers.kafka import producer, running
from workers.profiles.reader import ProfileReader
from workers.settings import Settings

WINDOW = 1_024
"""Records under way at a time."""
STALL_S = 300.0
"""With nothing coming out for this long, the feed gives up."""


class _Source(msgspec.Struct):
    topic: str
    partition: int
    offset: int


class _Event(msgspec.Struct):
    """The part of an event that the accounts need."""

    source: _Source | None = None
    user: str | None = None
    entities: list[msgspec.Raw] = []


_PERSONALIZER = "personalizer"
_USERS_AT_A_TIME = 500

_event = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file.

    `seconds` from the first record sent to the last event seen; the latencies from a record's
    send to its event or dead letter, as a consumer sees it, with `WINDOW` records under way.
    `profiles` counts the file's users whose profile is in Redis.
    """

    read: int
    enriched: int
    entities: int
    dead: int
    dead_reasons: dict[str, int]
    profiles: int
    seconds: float
    queries_per_second: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None

    @property
    def complete(self) -> bool:
        """Whether every line has come out, enriched or as a dead letter."""
        return self.read == self.enriched + self.dead

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self)


class _Stall:
    """Raises when a number has not changed for too long."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._since = time.monotonic()

    def check(self, count: int, what: str) -> None:
        now = time.monotonic()
        if count != self._last:
            self._last, self._since = count, now
        elif now - self._since > STALL_S:
            raise IntentstreamError(
                f"Nothing has moved for {STALL_S:.0f} s: {what}.",
                "See what the workers say in their logs, and try `intentstream doctor`.",
            )


class Feed:
    """One file on its way through the chain. `run` it once; the counts may be read meanwhile."""

    def __init__(self, settings: Settings, file: InputFile) -> None:
        self._settings = settings
        self._file = file
        self._topics = settings.topic_names
        self._ledger = Ledger({})
        self._moved = asyncio.Event()
        self._failure: KafkaError | None = None
        self.read = 0
        """Lines read so far."""
        self.signals_behind = 0
        """Once all lines are out: signals that have not reached the profiles."""
        self.refused: list[int] = []
        """Numbers of lines that Kafka cannot take: they are in no topic."""

    @property
    def settled(self) -> int:
        """Lines that have come out completely."""
        return self._ledger.settled

    @property
    def dead(self) -> int:
        """Lines that have become dead letters."""
        return self._ledger.dead.total()

    @property
    def fed_share(self) -> float | None:
        """How much of the file has been read, in [0, 1]; None where its size is not known."""
        size = self._file.size
        return None if size is None else self._file.read_bytes / max(1, size)

    async def run(self) -> Summary:
        """Feeds the whole file, and waits until all of it is out and all profiles are made.

        Raises `IntentstreamError` when nothing moves for `STALL_S`, or Kafka refuses a record.
        """
        topics, kafka = self._topics, self._settings.kafka
        outputs = (topics.intents, topics.entities, topics.signals, topics.dead)
        loop = asyncio.get_running_loop()
        personalizer = self._settings.group_id("personalizer")
        async with (
            Tail.of(kafka, outputs) as tail,
            Lag.of(kafka, {_PERSONALIZER: (personalizer, (topics.signals,))}) as lag,
            running(producer(kafka), kafka) as sender,
        ):
            raw_ends = await lag.ends(topics.raw)
            self._ledger = Ledger({part.partition: end for part, end in raw_ends.items()})
            started = loop.time()
            await self._until_settled(tail, sender)
            seconds = loop.time() - started
            await self._until_personalized(lag, await lag.ends(topics.signals))
        return self._summary(seconds, await self._profiles())

    async def _until_personalized(self, lag: Lag, ends: dict[TopicPartition, int]) -> None:
        """Returns when the personalizer has committed all signals up to `ends`."""
        stall = _Stall()
        while behind := await lag.behind(_PERSONALIZER, ends):
            self.signals_behind = behind
            stall.check(behind, f"{behind} signals are not in the profiles")
            await asyncio.sleep(0.1)
        self.signals_behind = 0

    async def _profiles(self) -> int:
        """How many of the users have a profile in Redis."""
        users, found = list(self._ledger.users), 0
        async with ProfileReader.connect(self._settings) as reader:
            for start in range(0, len(users), _USERS_AT_A_TIME):
                profiles = await reader.read(users[start : start + _USERS_AT_A_TIME])
                found += len(profiles.found)
        return found

    def _summary(self, seconds: float, profiles: int) -> Summary:
        ledger = self._ledger

        def milliseconds(share: float) -> float | None:
            quantile = ledger.latencies.quantile(share)
            return None if quantile is None else round(quantile * 1000, 1)

        return Summary(
            read=self.read,
            enriched=ledger.enriched,
            entities=ledger.entities,
            dead=ledger.dead.total(),
            dead_reasons=dict(ledger.dead.most_common()),
            profiles=profiles,
            seconds=round(seconds, 3),
            queries_per_second=round(ledger.settled / seconds, 1) if seconds else 0.0,
            latency_p50_ms=milliseconds(0.5),
            latency_p99_ms=milliseconds(0.99),
        )

    async def _until_settled(self, tail: Tail, sender: AIOKafkaProducer) -> None:
        """Sends everything, and returns when all of it is out."""
        sending = asyncio.create_task(self._send_all(sender))
        loop = asyncio.get_running_loop()
        stall = _Stall()
        try:
            while not (sending.done() and self._under_way == 0):
                for record in await tail.batch(wait_ms=100):
                    self._account(record, loop.time())
                self._moved.set()
                if self._failure is not None:
                    raise IntentstreamError(
                        f"Kafka does not take the records: {self._failure}",
                        "Try `intentstream doctor`.",
                    ) from self._failure
                if sending.done() and sending.exception():
                    break
                stall.check(self._ledger.settled, f"{self._under_way} records are under way")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        sending.result()

    @property
    def _due(self) -> int:
        return self.read - len(self.refused)

    @property
    def _under_way(self) -> int:
        return self._due - self._ledger.settled

    async def _send_all(self, sender: AIOKafkaProducer) -> None:
        loop = asyncio.get_running_loop()
        for line in self._file:
            self.read += 1
            if line.value is None:
                self.refused.append(line.number)
                continue
            while self._under_way > WINDOW:
                self._moved.clear()
                await self._moved.wait()
            sent_at = loop.time()
            try:
                future = await sender.send(self._topics.raw, value=line.value, key=line.key)
            except MessageSizeTooLargeError:
                self.refused.append(line.number)
                continue
            future.add_done_callback(partial(self._acknowledge, line, sent_at))

    def _acknowledge(self, line: Line, sent_at: float, future: "asyncio.Future[Any]") -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, MessageSizeTooLargeError):
            self.refused.append(line.number)
        elif isinstance(error, KafkaError):
            self._failure = error
        elif not future.cancelled():
            metadata = future.result()
            now = asyncio.get_running_loop().time()
            self._ledger.acknowledged((metadata.partition, metadata.offset), sent_at, now)

    def _account(self, record: SourceRecord, now: float) -> None:
        topics, ledger = self._topics, self._ledger
        if record.topic == topics.dead:
            position = _dead_position(record.headers, topics.raw)
            if position is not None:
                reason = reason_of(record.headers)
                ledger.died(position, reason.value if reason else "unnamed", now=now)
            return
        if record.value is None:
            return
        event = _event.decode(record.value)
        if event.source is None or event.source.topic != topics.raw:
            return
        position = (event.source.partition, event.source.offset)
        if record.topic == topics.intents:
            ledger.answered(position, entities=len(event.entities), user=event.user, now=now)
        elif record.topic == topics.entities:
            ledger.mentioned(position, _last(record.headers, "ce_id") or "")
        elif record.topic == topics.signals:
            ledger.signalled(position)


def _dead_position(headers: Headers, raw_topic: str) -> Position | None:
    """Where a dead letter comes from; None when it is not from the raw queries."""
    if _last(headers, "__connect.errors.topic") != raw_topic:
        return None
    partition = _last(headers, "__connect.errors.partition")
    offset = _last(headers, "__connect.errors.offset")
    if not (partition and offset and partition.isdecimal() and offset.isdecimal()):
        return None
    return (int(partition), int(offset))


def _last(headers: Headers, name: str) -> str | None:
    """The last header of a name: ours come after those that a record brings along."""
    for found, value in reversed(headers):
        if found == name and value is not None:
            return value.decode("utf-8", "replace")
    return None

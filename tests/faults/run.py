"""One run: load on the real chain, a schedule of faults, and the oracle's verdict at the end."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from streams.records import SourceRecord
from tests.faults.chain import Chain, ServedModel, chain
from tests.faults.erasures import Erasures, came_back, hashes
from tests.faults.injection import heal, inject
from tests.faults.load import Load
from tests.faults.observer import Observer, Recovery
from tests.faults.replayed import Replayed, replayed
from tests.faults.schedule import Fault, Guarantee
from tests.faults.verifier import Expected, Verdict, verify
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.profiles.parity import Parity, check
from workers.settings import Settings
from workers.triton import TritonModel

_WARM_S: Final = 90.0  # until all workers have joined and done the first records
_DRAIN_S: Final = 240.0  # for what is left when the last fault is over
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `rate` is records a second; the last two are the modules that workers run."""

    seed: int
    faults: Sequence[Fault]
    rate: float
    model: ServedModel
    guarantee: Guarantee = "at_least_once"
    enricher: str = "workers.cli"
    personalizer: str = "workers.cli"


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        plan: what was done.
        verdict: the oracle's.
        parity: profiles served against the offline fold.
        came_back: erased users of whom something is served that they had said before.
        erasures: how many users asked to be forgotten.
        repeated: signals of theirs that were sent again behind that.
        recoveries: per fault.
        replayed: what `replay` says of the whole of it afterwards.
        missing: records that were acknowledged to the producer, and are not in the log as sent.
        restarts: workers that ended by themselves; bad_ends: or not in order when asked to.
        seconds: how long the whole of it took.
    """

    plan: Plan
    verdict: Verdict
    parity: Parity
    came_back: Sequence[str]
    erasures: int
    repeated: int
    recoveries: Sequence[Recovery]
    replayed: Replayed = field(default_factory=Replayed)
    missing: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    bad_ends: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def repeats(self) -> int:
        """Outputs that the workers published more than once."""
        return self.verdict.repeats - self.repeated

    @property
    def problems(self) -> list[str]:
        """Everything that breaks the promise, a line each."""
        found = [
            f"{kind}: {line}" for kind, lines in self.verdict.findings.items() for line in lines
        ]
        if self.plan.guarantee == "exactly_once" and self.repeats:
            found.append(f"repeats: {self.repeats}, though transactions allow none")
        found += [f"the log: {line}" for line in self.missing]
        found += [f"replay: {line}" for line in self.replayed.different]
        if not self.replayed.identical:
            found.append("replay: nothing was compared")
        found += [f"profile {user}: {where}" for user, where in self.parity.different.items()]
        found += [f"erased, and back: {line}" for line in self.came_back]
        if self.parity.equal != self.parity.users or not self.parity.users:
            found.append(f"profiles: {self.parity.equal} of {self.parity.users} were compared")
        found += [
            f"{one.fault} was not recovered from" for one in self.recoveries if one.seconds is None
        ]
        if len(self.recoveries) != len(self.plan.faults):
            found.append("not every fault was injected and undone")
        return found


async def run(plan: Plan, run_dir: Path) -> Outcome:
    """Does all of it. Whatever happens, everything is put right and stopped at the end.

    Raises `TimeoutError` when the chain does not catch up once the faults are over.
    """
    began = time.monotonic()
    async with chain(
        run_dir,
        plan.model,
        plan.guarantee,
        enricher=plan.enricher,
        personalizer=plan.personalizer,
    ) as found:
        observer, stop = Observer(found.settings), asyncio.Event()
        load = Load(found.settings, plan.rate, plan.seed)
        erasures = Erasures(found.settings, plan.seed)
        feeding = asyncio.gather(load.run(stop), erasures.run(stop))
        watching = asyncio.create_task(observer.run())
        try:
            await _warmed_up(observer)
            await _inject_all(plan.faults, found, observer)
            stop.set()
            await feeding
            await _told(observer.until_caught_up(_DRAIN_S), found, observer)
        finally:
            for task in (feeding, watching):
                task.cancel()
            await asyncio.gather(feeding, watching, return_exceptions=True)
        await found.stop_workers()
        outcome = await _judged(plan, found, observer, load, erasures)
        outcome.replayed = await replayed(found, run_dir / "replays")
    outcome.restarts, outcome.bad_ends = found.restarts, found.bad_ends
    outcome.seconds = time.monotonic() - began
    return outcome


async def _warmed_up(observer: Observer) -> None:
    """The schedule begins when both groups have committed something."""
    async with asyncio.timeout(_WARM_S):
        while not (observer.samples and any(observer.samples[-1].committed.values())):
            await asyncio.sleep(0.2)


async def _inject_all(faults: Sequence[Fault], found: Chain, observer: Observer) -> None:
    async def one(fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        await inject(found, fault)
        observer.undone(fault)

    tasks = [asyncio.create_task(one(fault)) for fault in faults]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await heal(found)


async def _told(waiting: Awaitable[None], found: Chain, observer: Observer) -> None:
    """A chain that does not catch up says what its workers said last."""
    try:
        await waiting
    except TimeoutError as error:
        tails = [f"{name}:\n{worker.log_tail(12)}" for name, worker in found.stack.workers.items()]
        last = observer.samples[-1] if observer.samples else None
        raise TimeoutError("\n".join(["not caught up", repr(last), *tails])) from error


async def _judged(
    plan: Plan, found: Chain, observer: Observer, load: Load, erasures: Erasures
) -> Outcome:
    settings = found.settings
    names = settings.topic_names
    read = await observer.all_of(names.raw, names.actions)
    published = await observer.all_of(names.intents, names.entities, names.signals, names.dead)
    outcome = Outcome(
        plan,
        verify(await _expected(found, read), erasures.without(published), observer.samples),
        await check(settings),
        came_back(
            [one for one in published if one.topic == names.signals],
            {(one.key or b"").decode(): one.value for one in await observer.all_of(names.features)},
            await hashes(settings),
        ),
        len(erasures.acknowledged),
        erasures.repeated,
        observer.recoveries,
    )
    logged = {(one.topic, one.partition, one.offset): (one.key, one.value) for one in read}
    outcome.missing = [
        f"{position} is not as it was acknowledged"
        for position, record in load.acknowledged.items()
        if logged.get(position) != record
    ]
    outcome.missing += erasures.missing(published)
    if len(logged) != len(load.acknowledged):
        outcome.missing.append(f"{len(logged)} records, {len(load.acknowledged)} acknowledged")
    return outcome


async def _expected(found: Chain, read: Sequence[SourceRecord]) -> list[Expected]:
    """With every version of the model that served."""
    versions = []
    for version in range(len(found.model.digests) or 1):
        found.serve(version)
        versions.append(await expected_of(found.settings, read))
    first, *others = versions
    return [
        replace(one, others=tuple(other[n].outputs for other in others))
        for n, one in enumerate(first)
    ]


async def expected_of(settings: Settings, read: Sequence[SourceRecord]) -> list[Expected]:
    """What a fault-free run makes of these records: the workers' own step, one batch at a time."""
    model = TritonModel(settings.triton)
    model.open()
    try:
        breaker = CircuitBreaker(model.canary)
        step = BatchEnrichment(enrichment_of(settings), model, breaker)
        await model.canary()
        found: list[Expected] = []
        for start in range(0, len(read), _AT_ONCE):
            batch = read[start : start + _AT_ONCE]
            outputs = await step.enrich(batch)
            found += [Expected(*pair) for pair in zip(batch, outputs, strict=True)]
        await breaker.close()
    finally:
        with suppress(OSError):
            await model.close()
    return found

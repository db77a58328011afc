"""One run of `intentstream up`: servers, topics, workers, traffic or a file, and the view.

Everything hangs on one task. Ctrl-C, SIGTERM or the end of the terminal cancel it, and the way
out is the same in all cases: what was started is stopped in reverse order. A second signal ends
this process at once; the guards of the children see that and stop them.
"""

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

import workers
from workers import topics_admin
from workers.embedded import run_env
from workers.embedded.feed import Feed, Summary
from workers.embedded.given_parts import require_reachable
from workers.embedded.input_file import InputFile, InputFormat
from workers.embedded.introduction import footer, introduction
from workers.embedded.keep import Keeper
from workers.embedded.progress import Phase, Progressed, Report, shown, silent
from workers.embedded.readiness import GroupWatch
from workers.embedded.stack import EmbeddedStack, development_key
from workers.embedded.traffic import produce, sample_traffic, sample_users
from workers.embedded.watching import Watch, feed_progress
from workers.errors import IntentstreamError
from workers.kafka import producer, running
from workers.settings import DEVELOPMENT_KEY_ID, Settings, load_settings

_CLUSTER = "embedded"
_READY_S = 90.0
_LONG_S = 10.0
"""In this time at least one query must have been enriched, when there is traffic."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What `intentstream up` was asked for; see its help."""

    run_dir: Path = run_env.RUN_DIR
    model_repository: Path | None = None
    """None: the one that comes with the package."""
    plain: bool = False
    exit_after_s: float | None = None
    kafka: str | None = None
    redis: str | None = None
    triton: str | None = None
    input_path: str | None = None
    input_format: InputFormat = InputFormat.AUTO
    until_drained: bool = False
    output: Path | None = None
    traffic: bool | None = None
    """None: only where Kafka is ours."""
    rate: float = 3.0
    seed: int | None = None
    enrichers: int = 1


@dataclass(slots=True)
class _Run:
    """What belongs to one run while it lasts."""

    options: UpOptions
    stack: EmbeddedStack
    settings: Settings
    file: InputFile | None
    started: float
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begins something that ends with the run, or whose failure ends the run."""
        task = asyncio.create_task(work)
        self.tasks.append(task)
        return task

    async def until(self, work: Coroutine[Any, Any, Any]) -> None:
        """Waits for `work`; raises what any of the tasks raises meanwhile."""
        waiter = asyncio.create_task(work)
        try:
            while not waiter.done():
                running = [task for task in self.tasks if not task.done()]
                await asyncio.wait((waiter, *running), return_when=asyncio.FIRST_COMPLETED)
                for task in self.tasks:
                    if task.done():
                        task.result()
        finally:
            waiter.cancel()
        await asyncio.gather(waiter)

    async def end(self) -> None:
        """Ends all tasks."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def run(options: UpOptions) -> int:
    """Runs everything until it is asked to end; returns the exit code.

    Raises `IntentstreamError` when something cannot start or ends by itself.
    """
    return asyncio.run(_interruptible(options))


async def _interruptible(options: UpOptions) -> int:
    stack = _stack(options)
    work = asyncio.create_task(_up(options, stack))
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if received:
            stack.kill_all()  # what they leave behind, their guards clean up
            os._exit(128 + number)
        received.append(number)
        work.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        code = await work
    except asyncio.CancelledError:
        if not received:
            raise
        # to be stopped is how a run without an end ends; a file was not fed to its end
        code = 128 + received[0] if options.until_drained else 0
    _say("Stopped; nothing is left running.")
    return code


async def _up(options: UpOptions, stack: EmbeddedStack) -> int:
    if options.until_drained and options.input_path is None:
        raise IntentstreamError(
            "--until-drained needs a file to drain.", "Name one with --input FILE."
        )
    started = time.monotonic()
    reporter = _Reporter()
    async with AsyncExitStack() as exits:
        file = None
        if options.input_path is not None:
            file = exits.enter_context(InputFile(options.input_path, options.input_format))
        with reporter.showing(plain=options.plain):
            stack.report = reporter
            settings = await _start(options, stack, exits)
            run = _Run(options, stack, settings, file, started)
            exits.callback(_say, "Stopping …")  # once the view has given the screen back
            exits.push_async_callback(run.end)
            run.start(_failure(stack))
            await _start_workers(run)
        return await _until_drained(run) if options.until_drained else await _until_stopped(run)


class _Reporter:
    """Passes on how the parts of the stack are doing while that is shown, and is silent after."""

    def __init__(self) -> None:
        self._report: Report = silent

    def __call__(self, fact: Progressed) -> None:
        self._report(fact)

    @contextmanager
    def showing(self, *, plain: bool) -> Iterator[None]:
        with shown(plain=plain or None) as report:
            self._report = report
            try:
                yield
            finally:
                self._report = silent


async def _failure(stack: EmbeddedStack) -> None:
    raise await stack.failure()


def _stack(options: UpOptions) -> EmbeddedStack:
    shipped = Path(workers.__path__[0]).parent / "model_repository"
    return EmbeddedStack(
        run_dir=options.run_dir,
        model_repository=options.model_repository or shipped,
        kafka=options.kafka,
        redis=_redis_url(options.redis),
        triton=options.triton,
    )


async def _start(options: UpOptions, stack: EmbeddedStack, exits: AsyncExitStack) -> Settings:
    """Starts the servers and makes the topics; `exits` stops them."""
    given = {"--kafka": stack.kafka, "--redis": stack.redis, "--triton": stack.triton}
    await require_reachable(given)
    await exits.enter_async_context(stack)
    environment = _environment(stack, options)
    os.environ.update(environment)
    settings = load_settings()
    exits.enter_context(run_env.published(options.run_dir, environment))
    await topics_admin.apply(settings)
    return settings


async def _start_workers(run: _Run) -> None:
    """Starts the workers, and returns when they have taken up work."""
    settings, stack, count = run.settings, run.stack, run.options.enrichers
    enrichers, personalizers = settings.group_id("enricher"), settings.group_id("personalizer")
    names = ["enricher"] if count == 1 else [f"enricher-{n}" for n in range(1, count + 1)]
    async with GroupWatch.of(settings.kafka, enrichers, personalizers) as groups:
        for name in names:
            await stack.spawn_worker(name, _worker("enrich"))
        await stack.spawn_worker("personalizer", _worker("personalize"))
        await run.until(groups.joined({enrichers: count, personalizers: 1}, within_s=_READY_S))
    for name in stack.workers:
        stack.report(Progressed(name, Phase.READY))


def _redis_url(given: str | None) -> str | None:
    return f"redis://{given}/0" if given and "://" not in given else given


def _worker(command: str) -> list[str]:
    # -P: a folder called `workers` where we were started must not come first
    return [sys.executable, "-P", "-m", "workers.cli", command]


def _environment(stack: EmbeddedStack, options: UpOptions) -> dict[str, str]:
    """The settings of the running system, as environment variables."""
    addresses = stack.addresses
    environment = {
        "INTENTSTREAM_ENVIRONMENT": "embedded",
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": addresses.kafka,
        "INTENTSTREAM_REDIS__URL": addresses.redis,
        "INTENTSTREAM_TRITON__ADDRESS": addresses.triton,
    }
    if options.kafka is None:
        environment["INTENTSTREAM_CLUSTER"] = _CLUSTER
        environment["INTENTSTREAM_KAFKA__SECURITY_PROTOCOL"] = "PLAINTEXT"
    if options.triton is None:
        environment["INTENTSTREAM_TRITON__TLS"] = "false"
        repository = stack.model_repository.absolute()
        environment["INTENTSTREAM_TRITON__REPOSITORY"] = str(repository)
    configured = load_settings()
    if configured.pseudonyms.secret is None:
        environment["INTENTSTREAM_PSEUDONYMS__KEY_ID"] = DEVELOPMENT_KEY_ID
        environment["INTENTSTREAM_PSEUDONYMS__SECRET"] = development_key(options.run_dir)
    if configured.start is None:
        environment["INTENTSTREAM_START"] = "earliest"
    return environment


async def _until_stopped(run: _Run) -> int:
    """Traffic or a file, and the view, until the time is over or something fails."""
    options, opened = run.options, asyncio.Event()
    _say(introduction(run.stack, options.run_dir, time.monotonic() - run.started))
    watch = Watch(run.settings, opened, _sample_names(run))
    if options.plain or not sys.stdout.isatty():
        run.start(watch.lines(sys.stdout))
    else:
        run.start(watch.screen(Console(), title="Intentstream", footer=footer(run.stack)))
    await run.until(opened.wait())
    keeper = await _keeper(run)
    if run.file is not None:
        run.start(Feed(run.settings, run.file).run())
    elif _with_traffic(options):
        run.start(_traffic(run))
    if options.exit_after_s is None:
        await run.until(asyncio.Event().wait())
    else:
        await run.until(asyncio.sleep(options.exit_after_s))
    if keeper is not None:
        await run.until(keeper.finished())
    long = (options.exit_after_s or 0) >= _LONG_S
    if long and not watch.state.enriched and (run.file or _with_traffic(options)):
        raise IntentstreamError(
            "Not one query was enriched in this time.",
            f"Give it longer, or see the logs in {run.stack.logs}.",
        )
    return 0


def _sample_names(run: _Run) -> dict[str, str]:
    """Pseudonym to name of the users of the sample traffic, who are nobody."""
    if not _with_traffic(run.options):
        return {}
    pseudonyms = run.settings.pseudonyms.pseudonymiser()
    return {pseudonyms.user(user): user for user in sample_users()}


async def _until_drained(run: _Run) -> int:
    """Feeds the file and prints the summary on stdout; 0 when every line has come out."""
    if run.file is None:
        raise RuntimeError("nothing to drain")
    keeper = await _keeper(run)
    feed = Feed(run.settings, run.file)
    feeding = run.start(feed.run())
    showing = run.start(feed_progress(feed, plain=run.options.plain))
    if run.options.exit_after_s is None:
        await run.until(asyncio.wait((feeding,)))
    else:
        await run.until(asyncio.wait((feeding,), timeout=run.options.exit_after_s))
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)
    run.tasks.remove(showing)
    if not feeding.done():
        raise IntentstreamError(
            f"Not done after {run.options.exit_after_s:g} s: {feed.settled} of {feed.read} lines "
            "read so far have been processed.",
            "Give it longer with --exit-after, or leave that out.",
        )
    if keeper is not None:
        await run.until(keeper.finished())
    summary: Summary = feeding.result()
    print(json.dumps(summary.as_dict()), flush=True)
    return _judged(feed, summary)


def _judged(feed: Feed, summary: Summary) -> int:
    if summary.complete:
        return 0
    if feed.refused:
        numbers = ", ".join(str(number) for number in feed.refused[:5])
        _say(f"{len(feed.refused)} lines are larger than Kafka takes (line {numbers} …).")
    missing = summary.read - summary.enriched - summary.dead
    _say(f"{missing} of {summary.read} lines have not come out.")
    return 1


async def _keeper(run: _Run) -> Keeper | None:
    """Begins to keep what is published, where that was asked for."""
    if run.options.output is None:
        return None
    keeper = Keeper(run.settings, run.options.output)
    run.start(keeper.run())
    await run.until(keeper.opened())
    return keeper


async def _traffic(run: _Run) -> None:
    options, kafka = run.options, run.settings.kafka
    seed = secrets.randbits(32) if options.seed is None else options.seed
    records = sample_traffic(run.settings.topic_names, seed=seed)
    async with running(producer(kafka), kafka) as sender:
        await produce(sender, records, rate=options.rate)


def _with_traffic(options: UpOptions) -> bool:
    """Sample traffic is for our own Kafka; into another it goes only when asked for."""
    return options.kafka is None if options.traffic is None else options.traffic


def _say(text: str) -> None:
    """Everything but results goes to stderr. One whose terminal is gone does not mind."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)

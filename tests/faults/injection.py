"""Doing what a schedule says, and undoing it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tritonclient.grpc.aio import InferenceServerClient

from tests.faults.chain import Chain
from tests.faults.links import DELAY_S
from tests.faults.schedule import ENRICHERS, PERSONALIZERS, SERVERS, Fault, FaultKind

_STUB = "triton_python_ba"  # as the kernel cuts it, the name of a model's process


async def inject(chain: Chain, fault: Fault) -> None:
    """Breaks something for the fault's length. Two faults of one target come one after the other."""
    target = "triton" if fault.target == "model" else fault.target
    async with chain.locks[target], _BREAKS[fault.kind](chain, fault):
        await asyncio.sleep(fault.length)


async def heal(chain: Chain) -> None:
    """Whatever was interrupted: everything runs afterwards."""
    for link in chain.links.values():
        link.mend()
        link.delay_s = 0.0
    for process in chain.stack.workers.values():
        process.signal(signal.SIGCONT)
    for server in chain.stack.servers.values():
        if server.process is not None:
            server.process.signal(signal.SIGCONT)
        await server.start()
    for name in (*ENRICHERS, *PERSONALIZERS):
        async with chain.locks[name]:
            process_ = chain.stack.workers.get(name)
            if process_ is None or not process_.running:
                await chain.start_worker(name)


@asynccontextmanager
async def _killed(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    if fault.target in SERVERS:
        await chain.stack.servers[fault.target].kill()
        yield
        await chain.stack.servers[fault.target].start()
    else:
        await chain.stack.workers[fault.target].kill()
        yield
        await chain.start_worker(fault.target)


@asynccontextmanager
async def _terminated(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    await chain.end_worker(fault.target)
    yield
    await chain.start_worker(fault.target)


@asynccontextmanager
async def _frozen(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    server = chain.stack.servers.get(fault.target)
    process = chain.stack.workers[fault.target] if server is None else server.process
    assert process is not None
    process.signal(signal.SIGSTOP)
    yield
    process.signal(signal.SIGCONT)


@asynccontextmanager
async def _joined(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    await chain.start_worker(fault.target)
    yield
    await chain.end_worker(fault.target)


@asynccontextmanager
async def _cut(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    chain.links[fault.target].cut()
    yield
    chain.links[fault.target].mend()


@asynccontextmanager
async def _delayed(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    chain.links[fault.target].delay_s = DELAY_S
    yield
    chain.links[fault.target].delay_s = 0.0


@asynccontextmanager
async def _reloaded(chain: Chain, fault: Fault) -> AsyncIterator[None]:
    client = InferenceServerClient(chain.settings.triton.address)
    try:
        await client.unload_model(chain.model.name)
        # every time another version, of a model that has several
        chain.serve(round(fault.at * 100))
        yield
        await client.load_model(chain.model.name)
    finally:
        await client.close()


@asynccontextmanager
async def _crashed(chain: Chain, fault: Fault) -> AsyncIterator[None]:  # noqa: ARG001 (there is one)
    """The server lives, and says that it is ready; its model is dead until it is loaded anew."""
    server = chain.stack.servers["triton"].process
    assert server is not None
    for pid in _models_of(server.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


def _models_of(server: int) -> Iterator[int]:
    """The processes of the models of one Triton: its children of that name."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name, _, rest = folder.joinpath("stat").read_text().partition(" (")[2].rpartition(") ")
            if name.startswith(_STUB) and int(rest.split()[1]) == server:
                yield int(folder.name)


_BREAKS = {
    FaultKind.KILL: _killed,
    FaultKind.TERMINATE: _terminated,
    FaultKind.FREEZE: _frozen,
    FaultKind.JOIN: _joined,
    FaultKind.CUT: _cut,
    FaultKind.DELAY: _delayed,
    FaultKind.RELOAD: _reloaded,
    FaultKind.CRASH: _crashed,
}

"""Fixtures of the workers' tests."""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.workers.replay_rig import deployment
from tests.workers.rig import Rig, rigged_triton
from tests.workers.world import World, world_of
from workers.embedded.kafka import EmbeddedKafka
from workers.settings import Settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rigged(run_dir: Path) -> AsyncIterator[Rig]:
    """One rigged Triton for the session."""
    async with rigged_triton(run_dir / "rigged") as found:
        yield found


@pytest.fixture
def rig(rigged: Rig) -> Iterator[Rig]:
    """The rigged Triton, told nothing at the start."""
    rigged.reset()
    yield rigged
    rigged.reset()


@pytest.fixture
async def settings(kafka: EmbeddedKafka) -> Settings:
    """A deployment with topics of its own."""
    return await deployment(kafka.bootstrap)


@pytest_asyncio.fixture(loop_scope="session")
async def world(kafka: EmbeddedKafka, rig: Rig, request: pytest.FixtureRequest) -> World:
    """Topics of the test's own, and the rigged model."""
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 32}
    name = re.sub(r"\W", "-", request.node.name)[:50]
    return await world_of(kafka.bootstrap, f"{name}-{secrets.token_hex(3)}", triton=triton)

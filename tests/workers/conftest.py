"""Fixtures of the workers' tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.workers.rig import Rig, rigged_triton


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

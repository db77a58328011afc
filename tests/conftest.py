"""The real parts, one of each per test session: Kafka, Triton and Valkey on free loopback ports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.embedded.valkey import EmbeddedValkey

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder for the session, with a space in its path."""
    return tmp_path_factory.mktemp("run dir")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(run_dir: Path) -> AsyncIterator[EmbeddedKafka]:
    """One Kafka. Tests keep apart by topic and group names of their own."""
    async with EmbeddedKafka(run_dir) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey(run_dir: Path) -> AsyncIterator[EmbeddedValkey]:
    """One Valkey. Tests keep apart by key prefixes of their own."""
    async with EmbeddedValkey(run_dir) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def triton(run_dir: Path) -> AsyncIterator[EmbeddedTriton]:
    """One Triton that serves the checked-in model repository."""
    async with EmbeddedTriton(run_dir, REPOSITORY_ROOT / "model_repository") as server:
        yield server

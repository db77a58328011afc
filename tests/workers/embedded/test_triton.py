"""The embedded Triton is a real one, with a Python of its own, and leaves nothing behind."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc.aio import InferenceServerClient, InferInput

from workers.embedded.triton import EmbeddedTriton
from workers.errors import ServerError
from workers.triton import _CHANNEL

_TINY = Path(__file__).parent / "tiny_repository"


async def _echo(address: str, texts: list[str]) -> tuple[list[str], list[str]]:
    """What the model returns: the texts, and the version of the Python it runs in."""
    async with InferenceServerClient(address, channel_args=list(_CHANNEL)) as client:
        tensor = InferInput("TEXT", [len(texts), 1], "BYTES")
        tensor.set_data_from_numpy(np.array([[text.encode()] for text in texts], dtype=object))
        answer = await client.infer("echo", [tensor])
    said, pythons = (answer.as_numpy(name).ravel() for name in ("TEXT", "PYTHON"))
    return [value.decode() for value in said], [value.decode() for value in pythons]


def _leftovers() -> set[str]:
    """What Triton servers of this process have on the machine, besides their run folders."""
    shared = Path("/dev/shm").glob(f"intentstream_{os.getpid()}_*")
    links = Path(tempfile.gettempdir()).glob(f"intentstream-triton-{os.getpid()}-*")
    return {str(path) for path in (*shared, *links)}


async def test_a_model_runs_in_the_pinned_python_whatever_runs_us(tmp_path: Path) -> None:
    """The path holds what a shell would trip over: Triton starts its stub through one."""
    models = tmp_path / "models; $(exit) it's ü"
    shutil.copytree(_TINY, models)
    before = {str(path) for path in models.rglob("*")}
    async with EmbeddedTriton(tmp_path / "run dir", models, load_models=["echo"]) as server:
        texts, pythons = await _echo(server.grpc_address, ["red shoes", "鞋", ""])
    assert texts == ["red shoes", "鞋", ""]
    assert {version.rpartition(".")[0] for version in pythons} == {"3.11"}
    assert {str(path) for path in models.rglob("*")} == before


async def test_a_proxy_for_the_web_does_not_come_between_us_and_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with EmbeddedTriton(tmp_path, _TINY, load_models=["echo"]) as server:
        assert (await _echo(server.grpc_address, ["a"]))[0] == ["a"]


async def test_links_of_a_server_that_nobody_could_clean_up_after_are_removed(
    tmp_path: Path,
) -> None:
    left, in_use, foreign = (
        Path(tempfile.mkdtemp(prefix=f"intentstream-triton-{os.getpid()}-")) for _ in range(3)
    )
    (left / "in-use").touch()
    with (in_use / "in-use").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        async with EmbeddedTriton(tmp_path, _TINY, load_models=["echo"]):
            assert [path.exists() for path in (left, in_use, foreign)] == [False, True, True]
    shutil.rmtree(in_use)
    shutil.rmtree(foreign)


async def test_it_comes_back_on_the_same_ports_after_a_kill_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    others = _leftovers()
    async with EmbeddedTriton(tmp_path, _TINY, load_models=["echo"]) as server:
        assert _leftovers() > others
        address = server.grpc_address
        await server.kill()
        assert _leftovers() <= others
        await server.start()
        assert server.grpc_address == address
        assert (await _echo(address, ["a"]))[0] == ["a"]
    assert _leftovers() <= others


async def test_a_model_that_does_not_load_is_an_error_with_the_models_own_words(
    tmp_path: Path,
) -> None:
    models = tmp_path / "models"
    shutil.copytree(_TINY, models)
    (models / "echo" / "1" / "model.py").write_text("raise RuntimeError('no weights here')\n")
    with pytest.raises(ServerError) as caught:
        await EmbeddedTriton(tmp_path, models, load_models=["echo"]).start()
    assert "no weights here" in caught.value.log_tail


async def test_a_missing_repository_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no model repository"):
        await EmbeddedTriton(tmp_path, tmp_path / "nowhere").start()

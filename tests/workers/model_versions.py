"""A small model repository with several versions, real in all but what the model knows."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.workers.rig import MODELS
from workers.sections import TritonSettings
from workers.triton import TritonModel

_RIGGED = MODELS / "rigged"


def model_repository(folder: Path, versions: int = 2) -> Path:
    """A repository whose version N answers with the digest `sha256:0N…`; the last one is live."""
    for number in range(1, versions + 1):
        add_version(folder, number)
    return folder


def add_version(folder: Path, number: int, *, broken: bool = False) -> None:
    """Writes what an export writes: an encoder, a front and its configuration, set to be served."""
    encoder = folder / f"encoder_en/{number}"
    encoder.mkdir(parents=True)
    (encoder / "model.onnx").write_bytes(f"graph {number}".encode())
    (encoder / "tokenizer.json").write_text("{}")
    front = folder / "query_understanding"
    own = front / str(number)
    (own / "configs").mkdir(parents=True)
    code = (_RIGGED / "1/rigged.py").read_text("utf-8").replace('"rigged-1"', f'"{digest(number)}"')
    if broken:
        code = code.replace(
            "self._folder = Path(", 'raise RuntimeError("no weights")\n        Path('
        )
    (own / "model.py").write_text(code)
    config = (_RIGGED / "config.pbtxt").read_text("utf-8")
    config = config.replace('name: "rigged"\n', 'name: "query_understanding"\n', 1)
    config = config.replace('default_model_filename: "rigged.py"\n', "")
    config += (
        f'parameters {{ key: "encoder_en_version" value: {{ string_value: "{number}" }} }}\n'
        f"version_policy: {{ specific {{ versions: [ {number} ] }} }}\n"
    )
    (front / "configs").mkdir(exist_ok=True)
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        (front / name).write_text(config)
        shutil.copyfile(front / name, own / name)


def digest(number: int) -> str:
    return f"sha256:{number:02}" + "a" * 62


def read_history(repository: Path) -> list[int]:
    found: list[int] = json.loads((repository / "query_understanding/history.json").read_text())
    return found


@asynccontextmanager
async def flowing(settings: TritonSettings) -> AsyncIterator[Counter[tuple[str, str]]]:
    """Queries that never pause: how often which version answered. A refused one ends the test."""
    answered: Counter[tuple[str, str]] = Counter()
    over = asyncio.Event()

    async def ask(model: TritonModel) -> None:
        while not over.is_set():
            answer = await model.understand(["red shoes", "where is my order"])
            answered[answer.model.version, answer.model.digest] += 1

    async with TritonModel(settings) as model, asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(model)) for _ in range(4)]
        yield answered
        await asyncio.sleep(0.2)
        over.set()
        await asyncio.gather(*tasks)

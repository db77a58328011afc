"""R9: the shipped model against the same encoder as most people would run it first.

The shipped model: its int8 graph in ONNX Runtime, batches of one exact length. Against it: the
same encoder and heads in PyTorch, eager, fp32 (the graph's weights, taken back out of int8), in
batches of 32 as the queries come, padded to the longest. Both on one thread, word pieces made as
part of it, in turns. Between the two, one step at a time: exact lengths in PyTorch, the same fp32
network as our graph in ONNX Runtime, int8.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]

from benchmarks.dequantized import torch_model
from benchmarks.ideal import encoder_folder, parameter
from benchmarks.load import Load
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread
from training.export.graph import Weights, build
from training.inference.onnx_session import session

R9: Final = "R9 model"
PADDED: Final = 32
_HEADS: Final = ("intent", "sentiment", "tags", "subject", "object", "vector")
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries a round, and rounds."""

    queries: int
    rounds: int


FULL: Final = Sizes(800, 4)
QUICK: Final = Sizes(384, 2)


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R9."""
    sizes = QUICK if quick else FULL
    texts = Load(sizes.queries).texts()
    ways = _ways(scratch)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for run in ways.values():
        run(texts[: sizes.queries // 8])
    for _ in range(sizes.rounds):
        for name, run in ways.items():
            began = time.process_time()
            run(texts)
            found[name].append(sizes.queries / (time.process_time() - began))
    torch_padded, torch_exact, graph, shipped = found
    steps = (
        ("shipped / PyTorch as it comes", shipped, torch_padded),
        ("of which exact lengths", torch_exact, torch_padded),
        ("of which the graph", graph, torch_exact),
        ("of which int8", shipped, graph),
    )
    rows = [row for case, a, b in steps for row in ratio(R9, case, found[a], found[b])]
    return rows + [
        row for name, values in found.items() for row in spread(R9, name, values, "1/s of one core")
    ]


def _ways(scratch: Path) -> dict[str, Callable[[Sequence[str]], None]]:
    """The four ways of running the encoder, from the slowest to the one shipped."""
    torch.set_num_threads(1)
    folder = encoder_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    shipped = session(folder / "model.onnx")
    model = torch_model(folder / "model.onnx", "eager")
    path = scratch / "fp32.onnx"
    onnx.save(build(Weights.of(model), _PLAIN, 128), path)
    plain = session(path)
    rows = int(parameter("sub_batch"))

    def padded(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), PADDED):
            lines = [one.ids for one in tokenizer.encode_batch(list(texts[start : start + PADDED]))]
            longest = max(map(len, lines))
            ids = torch.tensor([line + [0] * (longest - len(line)) for line in lines])
            mask = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in lines])
            with torch.inference_mode():
                model(ids, mask)

    def exact(texts: Sequence[str]) -> None:
        for ids in _exact(tokenizer, texts, rows):
            given = torch.from_numpy(ids)
            with torch.inference_mode():
                model(given, torch.ones_like(given))

    def in_graph(made: Any) -> Callable[[Sequence[str]], None]:
        def run(texts: Sequence[str]) -> None:
            for ids in _exact(tokenizer, texts, rows):
                made.run(list(_HEADS), {"input_ids": ids})

        return run

    return {
        f"PyTorch eager fp32, padded batches of {PADDED}": padded,
        "PyTorch eager fp32, exact lengths": exact,
        "our graph in fp32, exact lengths": in_graph(plain),
        "our graph in int8, exact lengths (shipped)": in_graph(shipped),
    }


_PLAIN: Final = {"temperature": 1.0, "sentiment_temperature": 1.0}


def _exact(tokenizer: Tokenizer, texts: Sequence[str], rows: int) -> list[Ids]:
    by_length: dict[int, list[list[int]]] = {}
    for encoding in tokenizer.encode_batch(list(texts)):
        by_length.setdefault(len(encoding.ids), []).append(encoding.ids)
    return [
        np.array(lines[start : start + rows], dtype=np.int64)
        for lines in by_length.values()
        for start in range(0, len(lines), rows)
    ]

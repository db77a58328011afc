"""A closed loop of ideal batches straight at ONNX Runtime: the most that the model could do.

Runs by its path in the Python that Triton's models run in, with the served model's own code for the
session: the same runtime, graph, threads and optimizers. Batches hold one exact length and are full,
because all queries are known beforehand; the word pieces are made beforehand too, unless asked. Mixed
batches are what comes in together instead: rows of all lengths, grouped as the served model groups them.

It reads one line of JSON from stdin (`Task`), says `ready`, begins at the next line, and writes one
line of JSON for each batch size: the seconds of this process's core, and those of the clock.
"""

import importlib.util
import json
import sys
import time
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

MAX_PIECES = 128


def serving(model: Path) -> Any:
    """The module that Triton loads; what only a server has is left empty."""
    sys.modules["triton_python_backend_utils"] = types.ModuleType("triton_python_backend_utils")
    spec = importlib.util.spec_from_file_location("served_model", model)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 (a file that is there)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batches(lines: list[list[int]], size: int) -> list[Any]:
    """Arrays [B, L] of word pieces of one length each, B at most `size`."""
    by_length: defaultdict[int, list[list[int]]] = defaultdict(list)
    for ids in lines:
        length = min(len(ids), MAX_PIECES)
        by_length[length].append([*ids[: length - 1], ids[-1]])
    return [
        np.array(rows[start : start + size], dtype=np.int64)
        for _, rows in sorted(by_length.items())
        for start in range(0, len(rows), size)
    ]


def main() -> None:
    """Measures what stdin asks for."""
    task = json.loads(sys.stdin.readline())
    front = Path(task["front"])
    served = serving(front)
    encoder = served.Encoder(
        front.parents[2], task["language"], task["version"], "local", task["sub_batch"]
    )
    texts, run = task["texts"], encoder._run  # noqa: SLF001 (the session and nothing around it)
    encodings = encoder.encode(texts)
    lines = [encoding.ids for encoding in encodings]
    made = {size: batches(lines, size) for size in task["sizes"]}
    for batch in made[task["sizes"][0]][::8]:
        run(batch)
    print("ready", flush=True)
    for size in task["sizes"]:
        sys.stdin.readline()
        cpu, wall = time.process_time(), time.perf_counter()
        if task["tokenise"]:
            encoder.encode(texts)
        if task["mixed"]:
            for start in range(0, len(encodings), size):
                list(encoder.heads(encodings[start : start + size]))
        else:
            for batch in made[size]:
                run(batch)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({"size": size, "cpu": cpu, "wall": wall}), flush=True)


if __name__ == "__main__":
    main()

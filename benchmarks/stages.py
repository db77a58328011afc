"""`python -m benchmarks.stages`: what each stage of the worker costs, in one process, without servers.

Of the same queries as `instant_runs`, with the instant model's tensors: microseconds a query of reading
and redacting, of decoding tensors, of building events, and of putting them into batches, by codec and by
how many partitions a read of 256 queries is spread over. The least of some repetitions, with Python's
garbage collector off: what is left is the work itself, so a busy machine matters little. What is not
here is the loop around it: sockets, futures and counting.
"""

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiokafka.producer.message_accumulator import BatchBuilder
from pydantic import SecretStr

from benchmarks.instant_model import CONFIG, Answers
from benchmarks.instant_runs import backlog
from benchmarks.measured import Row, command
from benchmarks.rig import SECRET
from streams.decoding import Decoder, Understanding
from streams.enrichment import PreparedQuery
from streams.events import ModelVersion
from streams.records import OutputRecord, SourceRecord
from training.export.serving_config import read_front
from workers.enrichment.batch_enrichment import enrichment_of
from workers.kafka import partition_for
from workers.model_contract import ModelContract
from workers.sections import PseudonymSettings
from workers.settings import load_settings

RESULTS: Final = Path(__file__).parent / "results" / "stages.csv"
STAGES: Final = "stages of the worker"
BATCHES: Final = "records into batches"
_UNIT: Final = "µs a query"
_ROWS: Final = 256
_BATCH_BYTES: Final = 4 * 1024 * 1024
_CODECS: Final = {"none": 0, "snappy": 2, "lz4": 3, "zstd": 4}
_PARTITIONS: Final = (1, 4, 32)
_INTEGERS: Final = frozenset({"TOKEN_OFFSETS", "TOKEN_COUNT", "WORD_PIECES"})


def measure_stages(queries: int, repeats: int) -> list[Row]:
    """What a query costs in each stage before publishing.

    Args:
        queries: how many; all distinct.
        repeats: how often each stage is run.
    """
    made = _Made(queries)
    return [
        Row(STAGES, name, _least(work, repeats) / queries * 1e6, _UNIT)
        for name, work in (
            ("read, normalised, redacted", made.prepare),
            ("tensors decoded", made.decode),
            ("events built", made.build),
        )
    ]


def measure_batches(queries: int, repeats: int) -> list[Row]:
    """What putting their records into batches costs, and how large these are."""
    outputs, rows = _Made(queries).build(), []
    for codec, number in _CODECS.items():
        for partitions in _PARTITIONS if codec == "zstd" else (4,):
            sizes: list[int] = []

            def work(codec: int = number, partitions: int = partitions, into: Any = sizes) -> None:
                into[:] = [_written(part, codec, partitions) for part in outputs]

            case = f"{codec}, {partitions} partitions"
            rows.append(Row(BATCHES, case, _least(work, repeats) / queries * 1e6, _UNIT))
            rows.append(Row(BATCHES, f"{case}, size", sum(sizes) / queries, "bytes a query"))
    return rows


class _Made:
    """Queries, and what becomes of them."""

    def __init__(self, queries: int) -> None:
        settings = load_settings(
            None, prefix="stages", pseudonyms=PseudonymSettings(secret=SecretStr(SECRET))
        )
        self._enrichment = enrichment_of(settings)
        self._records = [
            SourceRecord(settings.topic_names.raw, n % 4, n, 1_700_000_000_000 + n, key, value)
            for n, (key, value) in enumerate(backlog(queries))
        ]
        answers = Answers.of(CONFIG)
        self._labels = read_front(CONFIG.read_text("utf-8")).labels
        self._prepared = self.prepare()
        self._reads = [self._prepared[start : start + _ROWS] for start in range(0, queries, _ROWS)]
        self._texts = [[query.text for query in read] for read in self._reads]
        self._tensors = [_tensors(answers, texts) for texts in self._texts]
        self._understood = self.decode()

    def prepare(self) -> list[PreparedQuery]:
        """Reads, normalises and redacts all records."""
        found = [self._enrichment.prepare(record) for record in self._records]
        return [query for query in found if isinstance(query, PreparedQuery)]

    def decode(self) -> list[list[Understanding]]:
        """Checks the tensors, and decodes them."""
        contract, decoder = ModelContract("instant", self._labels, _ROWS), Decoder(self._labels)
        return [
            decoder.decode(contract.read(texts, tensors.get), texts)
            for tensors, texts in zip(self._tensors, self._texts, strict=True)
        ]

    def build(self) -> list[list[OutputRecord]]:
        """Builds all that is published, read by read."""
        model = ModelVersion("query_understanding", "1", "sha256:" + "0" * 64)
        space, events = self._labels.vector_space, self._enrichment.events
        return [
            [
                output
                for query, said in zip(read, understood, strict=True)
                for output in events(query, said, model, vector_space=space)
            ]
            for read, understood in zip(self._reads, self._understood, strict=True)
        ]


def _tensors(answers: Answers, texts: list[str]) -> dict[str, Any]:
    """The arrays of an answer, as Triton's client hands them out."""
    found: dict[str, Any] = {}
    for name, (shape, held) in answers.to(texts).items():
        if name in ("LANGUAGE", "DIGEST"):
            value = b"en" if name == "LANGUAGE" else answers.digest
            found[name] = np.full(shape, value, np.object_)
        else:
            kind = np.int32 if name in _INTEGERS else np.float32
            found[name] = np.frombuffer(held, kind).reshape(shape)
    return found


def _written(outputs: Sequence[OutputRecord], codec: int, partitions: int) -> int:
    """Puts one read's records into a batch a partition, and compresses them: their bytes."""
    places = list(range(partitions))
    batches: dict[tuple[str, int], BatchBuilder] = {}
    for output in outputs:
        to = output.topic, partition_for(output.key, places)
        batch = batches.get(to)
        if batch is None:
            batch = batches[to] = BatchBuilder(_BATCH_BYTES, codec)
        batch.append(
            timestamp=None, key=output.key, value=output.value, headers=list(output.headers)
        )
    return sum(len(batch._build()) for batch in batches.values())  # noqa: SLF001 (as the sender does)


def _least(work: Callable[[], object], repeats: int) -> float:
    """Seconds of this process's core that the fastest of some runs takes."""
    found = []
    gc.disable()
    try:
        for _ in range(repeats):
            began = time.process_time()
            work()
            found.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(found)


async def measure(_scratch: Path, quick: bool) -> Sequence[Row]:
    """All of it."""
    queries, repeats = (2_560, 3) if quick else (10_240, 7)
    return [*measure_stages(queries, repeats), *measure_batches(queries, repeats)]


if __name__ == "__main__":
    command(RESULTS, __doc__, measure, quickly="ten seconds")

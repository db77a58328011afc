"""A server in the model's place that answers at once: what is left is the worker's own cost.

`python -m benchmarks.instant_model --port N` speaks Triton's gRPC (KServe v2) and keeps the contract
of the shipped model: its labels, its configuration, tensors in full size. What it answers depends
on the text alone, so the same query gets the same bytes alone and in any batch. The answers are made
beforehand and looked up at a call: about as many entities a query as the shipped model finds, 2.4,
and two relations for three of its own.
"""

import argparse
import asyncio
import hashlib
import json
import re
import signal
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import numpy as np
from google.protobuf import text_format  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from streams.decoding import MAX_WORD_PIECES
from streams.labels import PREDICATES
from workers.embedded.ports import LOOPBACK, free_ports
from workers.embedded.process import EmbeddedServer, GuardedProcess, ProcessSpec
from workers.model_contract import RELATION_WIDTH, VECTOR_WIDTH

ROOT: Final = Path(__file__).resolve().parents[1]
CONFIG: Final = ROOT / "model_repository" / "query_understanding" / "configs" / "cpu.pbtxt"
_ANSWERS: Final = 256
_PIECES: Final = MAX_WORD_PIECES - 2  # without the two that frame a text
_BEGUN, _CONTINUED = 0.36, 0.14  # the shares of word pieces that begin or continue an entity
_PRODUCT: Final = "core_product_type"
_SURE: Final = 8.0  # how far the logit of what is meant stands out
_PIECE: Final = re.compile(r"[\u3400-\u9fff]|\w{1,5}|[^\w\s]")
_READY_S: Final = 30.0
_NO_LIMITS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)
_VERSION: Final = "1"

Float = NDArray[np.float32]


def _logits(rng: np.random.Generator, meant: NDArray[np.intp], classes: int) -> Float:
    found = rng.standard_normal((*meant.shape, classes), dtype=np.float32)
    np.put_along_axis(found, meant[..., None], np.float32(_SURE), axis=-1)
    return found


def _tags(rng: np.random.Generator, names: list[str]) -> NDArray[np.intp]:
    """A tag for each word piece of each answer; two entities in five are product types."""
    begun = [
        n for n, name in enumerate(names) if name[2:] in (_PRODUCT, *PREDICATES) and name[0] == "B"
    ]
    product = names.index(f"B-{_PRODUCT}")
    weights = np.array([2 * (len(begun) - 1) if n == product else 3.0 for n in begun])
    tags = np.full((_ANSWERS, _PIECES), names.index("O"), dtype=np.intp)
    chance = rng.random(tags.shape)
    tags[chance < _BEGUN] = rng.choice(
        begun, int((chance < _BEGUN).sum()), p=weights / weights.sum()
    )
    inside = {n: names.index(f"I-{names[n].removeprefix('B-')}") for n in begun}
    for row, place in np.argwhere(chance > 1 - _CONTINUED).tolist():
        before = int(tags[row, place - 1]) if place else -1
        tags[row, place] = inside.get(before, tags[row, place])
    return tags


@dataclass(frozen=True, slots=True)
class Answers:
    """What is answered: rows of tensors, made once."""

    config: Any
    digest: bytes
    fixed: Mapping[str, Float]
    by_piece: Mapping[str, Float]

    @classmethod
    def of(cls, config_file: Path) -> "Answers":
        """Answers in the classes that a model's configuration declares."""
        config = text_format.Parse(config_file.read_text("utf-8"), model_config_pb2.ModelConfig())
        widths = {output.name: output.dims[-1] for output in config.output}
        rng = np.random.default_rng(0)
        names = json.loads(config.parameters["labels"].string_value)["tags"]

        def vectors(*shape: int) -> Float:
            found = rng.standard_normal(shape, dtype=np.float32)
            found /= np.linalg.norm(found, axis=-1, keepdims=True)
            return found

        def classes(name: str) -> Float:
            return _logits(rng, rng.integers(0, widths[name], _ANSWERS), widths[name])

        relations = (_ANSWERS, _PIECES, RELATION_WIDTH)
        return cls(
            config,
            f"sha256:{hashlib.sha256(config_file.read_bytes()).hexdigest()}".encode(),
            {
                "INTENT_LOGITS": classes("INTENT_LOGITS"),
                "SENTIMENT_LOGITS": classes("SENTIMENT_LOGITS"),
                "SENTENCE_VECTOR": vectors(_ANSWERS, VECTOR_WIDTH),
            },
            {
                "TAG_LOGITS": _logits(rng, _tags(rng, names), len(names)),
                # so that a product and an attribute belong together as often as not
                "RELATION_SUBJECT": rng.random(relations, dtype=np.float32),
                "RELATION_OBJECT": rng.random(relations, dtype=np.float32),
            },
        )

    def to(self, texts: list[str]) -> dict[str, tuple[list[int], bytes]]:
        """The tensors for some texts, by name: shape and bytes."""
        rows = len(texts)
        chosen = np.array(
            [zlib.crc32(text.encode("utf-8", "replace")) % _ANSWERS for text in texts]
        )
        offsets = [[match.span() for match in _PIECE.finditer(text)] for text in texts]
        counts = np.array([len(found) for found in offsets], np.int32)
        read = np.minimum(counts, _PIECES)
        longest = max(int(read.max()), 1)
        places = np.zeros((rows, longest, 2), np.int32)
        for row, found in enumerate(offsets):
            if found:
                places[row, : read[row]] = found[:_PIECES]
        tensors = {name: pool[chosen] for name, pool in self.fixed.items()}
        past = np.arange(longest)[None, :] >= read[:, None]
        for name, pool in self.by_piece.items():
            tensors[name] = pool[chosen, :longest]
            tensors[name][past] = 0.0
        whole = {
            **tensors,
            "TOKEN_OFFSETS": places,
            "TOKEN_COUNT": read[:, None],
            "WORD_PIECES": counts[:, None] + 2,
        }
        made = {name: (list(array.shape), array.tobytes()) for name, array in whole.items()}
        made["LANGUAGE"] = [rows, 1], _framed(b"en") * rows
        made["DIGEST"] = [rows, 1], _framed(self.digest) * rows
        return made


def _framed(value: bytes) -> bytes:
    """As Triton writes a string into a tensor of bytes."""
    return len(value).to_bytes(4, "little") + value


def _strings(tensor: bytes) -> Iterator[str]:
    """The strings in a tensor of bytes."""
    place = 0
    while place < len(tensor):
        start = place + 4
        place = start + int.from_bytes(tensor[place:start], "little")
        yield tensor[start:place].decode("utf-8", "replace")


class _Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # no types
    """The calls that a worker makes; gRPC fixes their names."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def ServerLive(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return service_pb2.ServerLiveResponse(live=True)

    async def ServerReady(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return service_pb2.ServerReadyResponse(ready=True)

    async def ModelReady(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return service_pb2.ModelReadyResponse(ready=True)

    async def ModelMetadata(self, request: Any, _context: Any) -> Any:  # noqa: N802
        config = self._answers.config

        def described(tensor: Any) -> Any:
            kind = model_config_pb2.DataType.Name(tensor.data_type).removeprefix("TYPE_")
            return service_pb2.ModelMetadataResponse.TensorMetadata(
                name=tensor.name,
                datatype="BYTES" if kind == "STRING" else kind,
                shape=[-1, *tensor.dims],
            )

        return service_pb2.ModelMetadataResponse(
            name=request.name,
            versions=[_VERSION],
            platform="python",
            inputs=map(described, config.input),
            outputs=map(described, config.output),
        )

    async def ModelConfig(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return service_pb2.ModelConfigResponse(config=self._answers.config)

    async def ModelInfer(self, request: Any, _context: Any) -> Any:  # noqa: N802
        made = self._answers.to(list(_strings(request.raw_input_contents[0])))
        response = service_pb2.ModelInferResponse(
            model_name=request.model_name, model_version=_VERSION, id=request.id
        )
        for output in self._answers.config.output:
            shape, tensor = made[output.name]
            kind = model_config_pb2.DataType.Name(output.data_type).removeprefix("TYPE_")
            response.outputs.add(
                name=output.name, datatype="BYTES" if kind == "STRING" else kind, shape=shape
            )
            response.raw_output_contents.append(tensor)
        return response


@dataclass(slots=True)
class InstantModel(EmbeddedServer):
    """The server as a process of its own on loopback, which cannot outlive us."""

    port: int | None = None

    @property
    def grpc_address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    async def _launch(self) -> GuardedProcess:
        self.port = self.port or free_ports(1)[0]
        process = await GuardedProcess.start(
            ProcessSpec(
                name="instant-model",
                argv=(sys.executable, "-m", "benchmarks.instant_model", "--port", str(self.port)),
                log=self.run_dir.absolute() / "logs" / "instant-model.log",
                cwd=ROOT,
            )
        )
        await process.wait_until(self._is_ready, timeout_s=_READY_S)
        return process

    async def _is_ready(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        return True


async def serve(port: int) -> None:
    """Answers on loopback until SIGTERM or SIGINT."""
    server = grpc.aio.server(options=_NO_LIMITS)
    servicer = _Servicer(Answers.of(CONFIG))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    server.add_insecure_port(f"{LOOPBACK}:{port}")
    await server.start()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await server.stop(grace=1.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on loopback")
    asyncio.run(serve(parser.parse_args().port))

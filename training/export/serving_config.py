"""The configurations Triton reads, written from the labels and the versions of the encoders."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streams.decoding import ModelLabels
from streams.tag_transitions import transitions_of
from training.errors import ConfigError

MAX_BATCH = 1024
"""Rows that Triton hands to the front at once: of many rows, many have the same length."""

ENCODER_BATCH = 512


@dataclass(frozen=True, slots=True)
class Served:
    """What the front needs to know: the labels, and the version of each language's encoder."""

    labels: ModelLabels
    encoder_versions: Mapping[str, int]


def labels_json(labels: ModelLabels) -> str:
    """The labels as the worker reads them from the served model's configuration.

    Of a model without transitions they are what they were before there were any, byte for byte.
    """
    said = {one: given.as_json() for one, given in sorted(labels.transitions.items())}
    return json.dumps(
        {
            "intents": labels.intents,
            "tags": labels.tags,
            "sentiments": labels.sentiments,
            "out_of_scope_threshold": round(labels.out_of_scope_threshold, 6),
        }
        | ({"transitions": said} if said else {})
    )


def front_config(served: Served, runtime: str, version: int) -> str:
    """`query_understanding`'s configuration.

    Args:
        served: labels and versions.
        runtime: `local` (ONNX Runtime in the front's own process: the CPU profile) or `bls` (the
            front calls the encoders in the same Triton: the GPU profile).
        version: of the front, which is served.
    """
    labels = served.labels
    parameters = {
        "labels": labels_json(labels),
        "vector_space": labels.vector_space,
        "encoder_runtime": runtime,
        "sub_batch": "64" if runtime == "local" else "256",
    } | {
        f"encoder_{language}_version": str(version)
        for language, version in sorted(served.encoder_versions.items())
    }
    outputs = (
        ("INTENT_LOGITS", "FP32", (len(labels.intents),)),
        ("SENTIMENT_LOGITS", "FP32", (len(labels.sentiments),)),
        ("TAG_LOGITS", "FP32", (-1, len(labels.tags))),
        ("TOKEN_OFFSETS", "INT32", (-1, 2)),
        ("TOKEN_COUNT", "INT32", (1,)),
        ("WORD_PIECES", "INT32", (1,)),
        ("RELATION_SUBJECT", "FP32", (-1, 32)),
        ("RELATION_OBJECT", "FP32", (-1, 32)),
        ("SENTENCE_VECTOR", "FP32", (384,)),
        ("LANGUAGE", "STRING", (1,)),
        ("DIGEST", "STRING", (1,)),
    )
    profile = "one process" if runtime == "local" else "encoders on the onnxruntime backend"
    return "\n".join(
        (
            f"# Written by `intentstream export`. {profile}.",
            'name: "query_understanding"',
            'backend: "python"',
            f"max_batch_size: {MAX_BATCH}",
            f"input [ {_tensor('TEXT', 'STRING', (1,))} ]",
            f"output [\n{_list(_tensor(*output) for output in outputs)}\n]",
            # Requests that wait together run together; a full queue answers UNAVAILABLE, which
            # the worker takes for an outage: it backs off, and nothing is lost.
            "dynamic_batching {",
            "  max_queue_delay_microseconds: 500",
            "  default_queue_policy { max_queue_size: 256 }",
            "}",
            # On a CPU one process runs as many sub-batches at once as there are cores.
            f"instance_group [ {{ kind: KIND_CPU count: {1 if runtime == 'local' else 2} }} ]",
            *(_parameter(name, value) for name, value in parameters.items()),
            version_policy(version),
            "",
        )
    )


def encoder_config(language: str, version: int, classes: Sequence[int]) -> str:
    """An encoder's configuration for Triton's onnxruntime backend on a GPU.

    Args:
        language: `en` or `zh`.
        version: the one that is served.
        classes: how many intents, sentiments and tags there are.
    """
    intents, sentiments, tags = classes
    outputs = (
        ("intent", (intents,)),
        ("sentiment", (sentiments,)),
        ("tags", (-1, tags)),
        ("subject", (-1, 32)),
        ("object", (-1, 32)),
        ("vector", (384,)),
    )
    return "\n".join(
        (
            "# Written by `intentstream export`. The front calls it with rows of one length.",
            f'name: "encoder_{language}"',
            'backend: "onnxruntime"',
            # `intentstream export --profile gpu` derives it from model.onnx, which is the CPU's.
            'default_model_filename: "model.fp16.onnx"',
            f"max_batch_size: {ENCODER_BATCH}",
            f"input [ {_tensor('input_ids', 'INT64', (-1,))} ]",
            f"output [\n{_list(_tensor(name, 'FP32', dims) for name, dims in outputs)}\n]",
            version_policy(version),
            "instance_group [ { kind: KIND_GPU count: 1 } ]",
            "",
        )
    )


def version_policy(version: int) -> str:
    """The line of a configuration by which Triton serves one version."""
    return f"version_policy: {{ specific {{ versions: [ {version} ] }} }}"


def policy_versions(text: str) -> list[int]:
    """The versions that a configuration asks Triton to serve; none, where it leaves that open."""
    found = _POLICY.search(text)
    return [int(number) for number in re.findall(r"\d+", found[0])] if found else []


def _tensor(name: str, datatype: str, dims: Sequence[int]) -> str:
    listed = ", ".join(str(size) for size in dims)
    return f'{{ name: "{name}" data_type: TYPE_{datatype} dims: [ {listed} ] }}'


def _list(items: Iterable[str]) -> str:
    return ",\n".join(f"  {item}" for item in items)


def _parameter(name: str, value: str) -> str:
    return f'parameters {{ key: "{name}" value: {{ string_value: {json.dumps(value)} }} }}'


_POLICY = re.compile(r"^version_policy.*$", re.MULTILINE)
_PARAMETER = re.compile(
    r'parameters \{ key: "(\w+)" value: \{ string_value: ("(?:[^"\\]|\\.)*") \} \}'
)


def read_front(text: str) -> Served:
    """What a configuration that `front_config` wrote says.

    Raises:
        ConfigError: it declares no labels, or transitions that are none.
    """
    parameters = {name: json.loads(value) for name, value in _PARAMETER.findall(text)}
    if "labels" not in parameters:
        raise ConfigError("the served model declares no labels", "export it again")
    labels = json.loads(parameters["labels"])
    versions = {
        name.removeprefix("encoder_").removesuffix("_version"): int(value)
        for name, value in parameters.items()
        if name.startswith("encoder_") and name.endswith("_version")
    }
    try:
        transitions = transitions_of(labels.get("transitions", {}))
    except ValueError as error:
        raise ConfigError(
            f"the served model's labels are damaged: {error}", "export it again"
        ) from error
    return Served(
        ModelLabels(
            intents=tuple(labels["intents"]),
            tags=tuple(labels["tags"]),
            sentiments=tuple(labels["sentiments"]),
            out_of_scope_threshold=float(labels["out_of_scope_threshold"]),
            vector_space=parameters.get("vector_space", ""),
            transitions=transitions,
        ),
        versions,
    )

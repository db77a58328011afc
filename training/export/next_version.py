"""From a run folder to the next version in a model repository, checked before it is written."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from streams.decoding import ModelLabels, ModelOutputs
from streams.labels import INTENTS, OUT_OF_SCOPE
from training.bases.languages import language_in
from training.bases.vector_space import VectorSpace, space_of
from training.data.corpus import load_corpus
from training.errors import ConfigError, TrainingError
from training.export.cost import Cost, worse_than
from training.export.front_versions import add_front, alone, made_whole, newest_front
from training.export.graph import Weights, build
from training.export.model_card import describe
from training.export.observation import observe
from training.export.serving_config import MAX_BATCH, Served, encoder_config
from training.inference.onnx_predict import OnnxPredictor
from training.inference.predict import Predictor, batches, labels_of
from training.network.run_folder import RunFolder, learnt_by, load_model, manifest_of
from training.network.tokens import load_tokenizer
from training.network.tuning import MERGED
from training.recipes import config_of

MAX_PIECES = 128
MAX_BYTES = 35_000_000
TOLERANCE = 0.005
"""How much worse than fp32 the int8 model may be, on any figure."""

_QUERIES = 512  # by which int8 and fp32 are timed; their first ones set the scales
_OBSERVED = 128  # more only widen the ranges: all 512 left as much error on other queries, or more
_CHECKED = 4096  # besides those, alone and in batches: every length a query has, many times over
_SERVED = ("intent", "sentiment", "tags", "relations")
Measure = Callable[[Predictor], dict[str, Any]]


class ExportError(TrainingError):
    """The exported model is not what it must be; nothing was written."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and what compression cost.

    Attributes:
        version: of the encoder.
        folder: of the encoder's version.
        model_version: the version of the model that has it, as `intentstream model` numbers them.
        live: whether that version is served as soon as the repository is; else it is to be promoted.
        bytes: of the graph.
    """

    version: int
    folder: Path
    model_version: int
    live: bool
    bytes: int
    cost: Cost


def export_run(
    run_folder: Path,
    repository: Path,
    queries: Sequence[str],
    *,
    measure: Measure | None = None,
    tolerance: float = TOLERANCE,
) -> Exported:
    """Checks the trained model's graph and writes it as the repository's next version.

    Args:
        run_folder: a finished run.
        repository: model repository. The next version has the newest one's encoders of the other
            languages; what is served stays as it is.
        queries: training queries. The first 128 set the scales of int8; all are checked alone and
            in batches.
        measure: gives the figures by which int8 and fp32 are compared; they go into the manifest.
        tolerance: how much worse than fp32 any figure may be.

    Raises:
        ConfigError: no trained model.
        ExportError: it has not learnt every task, its vectors lie in another space than those of the
            repository's other languages, it is too large or too much worse, its answers depend on
            the batch, or the repository got another threshold meanwhile.
    """
    run = RunFolder(run_folder)
    _check_tuning(run.manifest())
    _check_tasks(run.manifest())
    space = _learnt_space(run.manifest())
    model, calibration = load_model(run.model)
    tokenizer, manifest = load_tokenizer(run.model), run.manifest()
    language = language_in(manifest)
    texts = list(queries)
    ranges = observe(
        model, (ids for _, ids in batches(tokenizer.encode_batch(texts[:_OBSERVED]), 32))
    )
    own = labels_of(calibration, language, space.name)
    labels = _common_labels(newest_front(repository), language, own)
    weights = _shifted(Weights.of(model), calibration, own, labels)
    whole = build(weights, calibration, MAX_PIECES).SerializeToString()
    graph = build(weights, calibration, MAX_PIECES, ranges).SerializeToString()
    if len(graph) > MAX_BYTES:
        raise ExportError(
            f"the encoder takes {len(graph) / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f} MB",
            "train a smaller base",
        )
    small = OnnxPredictor(graph, tokenizer, labels, language=language)
    check_batch_invariance(small, [*_PROBES, *texts])
    large = OnnxPredictor(whole, tokenizer, labels, language=language)
    cost, figures = _cost(large, small, (len(whole), len(graph)), texts[:_QUERIES], measure)
    cost.show(Console(stderr=True))
    if faults := worse_than(cost, tolerance):
        raise ExportError(
            f"int8 costs more than {tolerance}: {', '.join(faults)}",
            "export with more training queries, or allow it with --tolerance",
        )
    manifest |= {"language": language, "vector_space": asdict(space)}
    manifest |= {"compression": cost.facts(), "calibration": calibration}
    if figures:
        manifest["figures"] = figures
    tokens = (run.model / "tokenizer.json").read_bytes()
    version, number, live = _add(repository, manifest, own, labels, graph, tokens)
    folder = repository / f"encoder_{language}" / str(version)
    return Exported(version, folder, number, live, len(graph), cost)


def _add(
    repository: Path,
    manifest: Mapping[str, Any],
    own: ModelLabels,
    checked: ModelLabels,
    graph: bytes,
    tokens: bytes,
) -> tuple[int, int, bool]:
    """Writes the encoder, and the version of the model that has it.

    Args:
        repository: of models; nobody else changes it meanwhile.
        manifest: of the encoder.
        own: labels of the model by itself.
        checked: those that it was checked with.
        graph: of the encoder.
        tokens: the tokenizer's file.

    Returns:
        The encoder's version, the model's, and whether that is live.
    """
    language = manifest["language"]
    with alone(repository):
        newest = newest_front(repository)
        common = _common_labels(newest, language, own)
        if common.out_of_scope_threshold != checked.out_of_scope_threshold:
            raise ExportError(
                f"{repository} got a version with another threshold while this one was checked",
                "export it once more",
            )
        version = _next_version(repository, language)
        encoder = repository / f"encoder_{language}"
        with made_whole(encoder / str(version)) as folder:
            (folder / "model.onnx").write_bytes(graph)
            (folder / "tokenizer.json").write_bytes(tokens)
            describe(folder, manifest, version)
        _write_config(encoder, common, version)
        encoders = {**(newest.encoder_versions if newest else {}), language: version}
        number, live = add_front(repository, Served(common, encoders))
    _say(encoder / str(version), number, encoders, live=live)
    return version, number, live


def _write_config(encoder: Path, labels: ModelLabels, version: int) -> None:
    """An encoder's configuration; what is there stays, until the version is loaded or promoted."""
    if not (file := encoder / "config.pbtxt").is_file():
        classes = (len(labels.intents), len(labels.sentiments), len(labels.tags))
        language = encoder.name.removeprefix("encoder_")
        file.write_text(encoder_config(language, version, classes), encoding="utf-8")


def _say(folder: Path, number: int, encoders: Mapping[str, int], *, live: bool) -> None:
    """What was written, and what comes next."""
    listed = ", ".join(f"{language} {version}" for language, version in sorted(encoders.items()))
    told = f"wrote {folder}\nversion {number} of the model has the encoders {listed}\n"
    if live:
        told += "it is the repository's first, and live as soon as Triton serves it"
    else:
        told += (
            f"beside the live one: intentstream model load {number}\n"
            f"live: intentstream model promote {number}"
        )
    Console(stderr=True).print(told, markup=False, highlight=False, soft_wrap=True)


def _check_tuning(manifest: Mapping[str, Any]) -> None:
    method = manifest.get("arguments", {}).get("tuning", {}).get("method", "full")
    if method not in ("full", *MERGED):
        raise ExportError(
            f"a model tuned with {method} has parts that the served graph has no place for",
            "train with method full, lora or adalora under [tuning], or let a student learn from "
            "this model: intentstream distill --teacher RUN",
        )


def _check_tasks(manifest: Mapping[str, Any]) -> None:
    learnt = learnt_by(manifest)
    if untaught := [task for task in _SERVED if task not in learnt]:
        raise ExportError(
            f"this model has not learnt {', '.join(untaught)}: what it says of that would be chance",
            "give every task a weight under [loss], or begin with a model that knows it: start under "
            "[model]",
        )


def _learnt_space(manifest: Mapping[str, Any]) -> VectorSpace:
    space = space_of(manifest)
    if space is None:
        raise ExportError(
            "this model has learnt no sentence vectors: profiles would be made of chance",
            "give vector a weight under [loss], or begin with a model that knows them: start under "
            "[model]",
        )
    return space


def training_queries(run_folder: Path, data: Path) -> list[str]:
    """Texts that the run was trained on, as an epoch draws them.

    Returns:
        512 texts, of which the first set the scales of int8, and up to 4,096 different others, for
        the check alone: they change nothing that is exported.

    Raises:
        TrainingError: there is no run, or its data are not in the data folder.
    """
    arguments = manifest_of(run_folder).get("arguments")
    if arguments is None:
        raise ConfigError(f"there is no run in {run_folder}", "intentstream train writes one")
    config = config_of(arguments)
    drawn = load_corpus(config.data, data, config.seed, tasks=()).epoch(0)
    chance = random.Random(config.seed)  # noqa: S311 - not a secret
    queries = [e.text for e in chance.sample(drawn, min(_QUERIES, len(drawn)))]
    known = set(queries)
    others = [text for text in dict.fromkeys(e.text for e in drawn) if text not in known]
    return queries + chance.sample(others, min(_CHECKED, len(others)))


_PROBES = [
    "shoes", "red shoes", "red shoes and a blue bag", "where is my order [ORDER]", "tv", "refund",
    "does the kettle switch itself off when it boils", "i love it", "501", "usb c charger 65w",
]  # fmt: skip


def check_batch_invariance(predictor: Predictor, texts: list[str]) -> None:
    """Every text alone and among as many others as the server reads at once: the same bytes.

    Raises:
        ExportError: naming the first text that does not.
    """
    for start in range(0, len(texts), MAX_BATCH):
        _check_batch(predictor, texts[start : start + MAX_BATCH])


def _check_batch(predictor: Predictor, texts: list[str]) -> None:
    together = predictor(texts)
    for row, text in enumerate(texts):
        alone = predictor([text])
        count = int(alone.token_count[0])
        if not _same(alone, together, row, count):
            raise ExportError(
                f"{text!r} gets other scores in a batch than alone",
                "this processor's kernels differ by shape: export on another machine",
            )


def _same(alone: ModelOutputs, together: ModelOutputs, row: int, count: int) -> bool:
    rows = (
        (alone.intent_logits[0], together.intent_logits[row]),
        (alone.sentiment_logits[0], together.sentiment_logits[row]),
        (alone.sentence_vector[0], together.sentence_vector[row]),
        (alone.tag_logits[0], together.tag_logits[row, :count]),
        (alone.relation_subject[0], together.relation_subject[row, :count]),
        (alone.relation_object[0], together.relation_object[row, :count]),
    )
    return all(np.array_equal(one, other) for one, other in rows)


def _cost(
    whole: Predictor,
    small: Predictor,
    sizes: tuple[int, int],
    texts: list[str],
    measure: Measure | None,
) -> tuple[Cost, dict[str, Any]]:
    """What int8 costs, and its figures."""
    before, after = (measure(whole), measure(small)) if measure else ({}, {})
    speeds = [_speed(predictor, texts) for predictor in (whole, small)]
    alone = [_speed(predictor, texts[:100], alone=True) for predictor in (whole, small)]
    cost = Cost.of(
        before,
        after,
        megabytes=(sizes[0] / 1e6, sizes[1] / 1e6),
        queries_a_second=(speeds[0], speeds[1]),
        queries_a_second_alone=(alone[0], alone[1]),
    )
    return cost, after


def _speed(predictor: Predictor, texts: list[str], *, alone: bool = False) -> float:
    """Queries a second of processor time, tokenising included."""
    predictor(texts[:8])
    started = time.process_time()
    if alone:
        for text in texts:
            predictor([text])
    else:
        predictor(texts)
    return len(texts) / max(time.process_time() - started, 1e-9)


def _next_version(repository: Path, language: str) -> int:
    versions = (repository / f"encoder_{language}").glob("[0-9]*")
    return max((int(path.name) for path in versions if path.name.isdigit()), default=0) + 1


def _common_labels(served: Served | None, language: str, own: ModelLabels) -> ModelLabels:
    """All encoders of a version share one threshold: that of the ones that are there already.

    And one vector space, which they must have learnt. The transitions of tags are each language's own.

    Raises:
        ExportError: this one has learnt another.
    """
    others = set(served.encoder_versions) - {language} if served else set()
    if served is None or not others:
        return own
    if (space := served.labels.vector_space) != own.vector_space:
        raise ExportError(
            f"the vectors of {' and '.join(sorted(others))} lie in the space {space}, and this model's in "
            f"{own.vector_space}: a shopper's profile would be a mean of both",
            "train with the same vectors under [model] (all-MiniLM-L6-v2 gives minilm-l6/1), or name "
            "another --repository",
        )
    kept = {name: one for name, one in served.labels.transitions.items() if name in others}
    return replace(
        own,
        out_of_scope_threshold=served.labels.out_of_scope_threshold,
        transitions=kept | dict(own.transitions),
    )


def _shifted(
    weights: Weights, calibration: Mapping[str, Any], own: ModelLabels, common: ModelLabels
) -> Weights:
    """The weights whose texts are out of scope at the common threshold when they were at their own.

    The odds of out_of_scope are moved by a constant, through its bias.
    """
    if own.out_of_scope_threshold == common.out_of_scope_threshold:
        return weights
    moved = _log_odds(common.out_of_scope_threshold) - _log_odds(own.out_of_scope_threshold)
    bias = weights.state["intent.outer.bias"].copy()
    bias[INTENTS.index(OUT_OF_SCOPE)] += moved * float(calibration.get("temperature", 1.0))
    return replace(weights, state={**weights.state, "intent.outer.bias": bias})


def _log_odds(probability: float) -> float:
    return math.log(probability / (1.0 - probability))

"""What a run needs before its first step: data, checked; the base; a teacher's answers; a model."""

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from transformers.utils import logging as transformers_logging

from training.bases.encoder_folder import check_length
from training.bases.encoders import resolve
from training.bases.languages import language_of
from training.bases.vector_space import VectorSpace, space_of
from training.bases.vocabulary import fitted_base
from training.compression.distillation import SoftTags
from training.compression.pruning import importance, prune
from training.compression.shrunk_encoder import with_layers, with_pieces
from training.compression.teachers import lineage, soft_targets_of
from training.config import DataConfig, ModelConfig, StudentConfig, TrainConfig
from training.data.corpus import Corpus, composition, load_corpus
from training.data.examples import Example, label_counts
from training.data.sources import SOURCES, file_hashes
from training.errors import ConfigError
from training.fine_tuning.processes import Processes
from training.fine_tuning.starting_point import begin_with, located, start_facts
from training.fine_tuning.trainer import Trainer
from training.fine_tuning.validation import validation_sets
from training.hardware import best_device, fast_bf16
from training.inference.sentence_space import SentenceSpace
from training.network.objective import batches, collate
from training.network.query_model import VECTOR_WIDTH, QueryModel
from training.network.run_folder import (
    RunFolder,
    check_unchanged,
    file_digest,
    learnt_by,
    manifest_of,
)
from training.network.tokens import encode, load_tokenizer
from training.network.tuning import count_parameters, make_tunable

_LOOKED_AT = 2048  # texts that say which heads and units matter


@dataclass(frozen=True, slots=True)
class Ready:
    """All that several runs of nearly one recipe can share.

    Attributes:
        run: the folder.
        corpus: what is trained on.
        validation: what decides the epoch that is kept, by task.
        base: a Hugging Face folder, with the recipe's words added.
        space: gives the sentence vectors that are learnt; nothing where none are.
        soft: the teachers' answers, where there are teachers.
        language: of the base, and so of the model: `en` or `zh`.
    """

    run: RunFolder
    corpus: Corpus
    validation: dict[str, list[Example]]
    base: Path
    space: SentenceSpace | None
    soft: SoftTags | None
    language: str


def prepare(
    config: TrainConfig,
    run: RunFolder,
    data: Path,
    console: Console,
    teachers: Sequence[Path] = (),
    answers: Path | None = None,
) -> Ready:
    """Reads and checks all data, fetches the base and asks the teachers.

    Args:
        config: of the run.
        run: its folder, which is told what is used.
        data: of the public data sets.
        console: told what an epoch holds, and how the base's vocabulary fits.
        teachers: run folders of models to learn from, for a recipe with a [distillation].
        answers: the file of the teachers' answers; in the run's folder by default.

    Raises:
        TrainingError: when anything is wrong.
    """
    processes = Processes()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # transformers
    language = language_of(config.model.base, config.model.language)
    base = resolve(config.model.base)
    check_length(base, config.model.max_pieces)
    start = located(Path(config.model.start)) if config.model.start else None
    begun = manifest_of(start) if start else None
    known = frozenset[str]() if begun is None else learnt_by(begun)
    space = _vector_space(config, None if begun is None else space_of(begun))
    taught = {"tags"} if config.distillation.texts else set[str]()
    corpus = load_corpus(config.data, data, config.seed, config.loss.tasks, known | taught)
    before = run.record_start(config, _hashes(config.data, data))
    run.record(language=language, vector_space=asdict(space) if space else None)
    if teachers and not config.distillation.texts:
        raise ConfigError(
            "the recipe has no [distillation.texts]", "say there what the teachers are asked"
        )
    trained_before = _trained_before(config.model)
    check_unchanged(run.path, _begun_with(before), _begun_with(trained_before))
    run.record(**trained_before)
    soft = None
    if config.distillation.texts:
        corpus = corpus.lessons(config.distillation.texts)
        with processes.main_first():  # the others find its answers
            soft = soft_targets_of(teachers, corpus, config, answers or run.answers)
        now = _begun_with({"answers_digest": soft.made_of})
        check_unchanged(run.path, _begun_with(before), now)
        corpus = corpus.taught(config.distillation.texts, soft)
        run.record(teachers=lineage(teachers), answers_digest=soft.made_of, taught_texts=len(soft))
    drawn = corpus.epoch(0)
    counts, labels = composition(drawn), label_counts(drawn, soft or ())
    run.record(
        examples_an_epoch=counts, labels_an_epoch=labels, learnt=sorted(config.loss.tasks | known)
    )
    trained = {task: count for task, count in labels.items() if task in config.loss.tasks}
    console.print(f"an epoch: {_said(counts)}; labelled: {_said(trained)}", markup=False)
    with processes.main_first():
        base = fitted_base(base, drawn, config.model.added_words, run.path, console)
        base = _smaller(base, config.student, drawn, run.path)
    validation = validation_sets(config.data, data, config.loss.tasks, language)
    return Ready(
        run, corpus, validation, base, _sentence_space(config, space, console), soft, language
    )


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _hashes(config: DataConfig, data: Path) -> dict[str, str]:
    """sha256 of the public files that are trained on, and of all of the shop's own."""
    names = [name for name, count in config.sources.items() if count and name in SOURCES]
    own = (file.path for file in (*config.files, *config.validation))
    return file_hashes(names, data) | {path: file_digest(Path(path)) for path in own}


def _trained_before(model: ModelConfig) -> dict[str, dict[str, Any]]:
    """What a manifest keeps of the trained models that a recipe names, by its keys."""
    named = {"start": model.start, "share_of": model.share_of}
    told = {
        key: start_facts(located(Path(path))) | {"path": path}
        for key, path in named.items()
        if path
    }
    if "share_of" in told:
        told["share_of"]["share"] = model.start_share
    return told


def _begun_with(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the models that a run goes on from, keeps a share of, and learns from."""
    models = (manifest.get("start", {}), manifest.get("share_of", {}))
    found = {f"the model {facts.get('path')}": facts.get("sha256") for facts in models}
    found["the teachers, or what they are asked,"] = manifest.get("answers_digest")
    return {name: digest for name, digest in found.items() if digest}


def _smaller(base: Path, student: StudentConfig, drawn: list[Example], folder: Path) -> Path:
    if student.layers:
        base = with_layers(base, student.layers, folder / "fewer layers")
    if student.vocabulary:
        texts = [example.text for example in drawn]
        base = with_pieces(base, student.vocabulary, texts, folder / "fewer pieces")
    return base


def model_of(ready: Ready, config: TrainConfig) -> QueryModel:
    """A model on the base: fresh, as another run left it, or pruned; what learns is the recipe's to say.

    Raises:
        ConfigError: the model to begin with, or to keep a share of, has another base.
    """
    torch.manual_seed(config.seed)
    model = QueryModel.from_base(ready.base, config.model.dropout)
    if config.model.share_of:  # which must fit before hours of training, not after
        begin_with(copy.deepcopy(model), located(Path(config.model.share_of)), ready.base)
    if config.model.start:
        begin_with(model, located(Path(config.model.start)), ready.base)
    if min(config.student.heads, config.student.units) < 1:
        _prune(model, ready, config)
    make_tunable(model, config.tuning)
    return model


def _prune(model: QueryModel, ready: Ready, config: TrainConfig) -> None:
    chance = random.Random(config.seed)  # noqa: S311 - not a secret
    drawn = ready.corpus.epoch(0)
    some = chance.sample(drawn, min(_LOOKED_AT, len(drawn)))
    encoded = encode(some, load_tokenizer(ready.base), config.model.max_pieces)
    groups = batches(encoded, 32, chance)
    found = importance(model, (collate(items) for items in groups), config.loss)
    prune(model, found, config.student.heads, config.student.units)


def trainer_of(ready: Ready, config: TrainConfig, run: RunFolder, model: QueryModel) -> Trainer:
    """What trains a model of `model_of`.

    Args:
        ready: from a recipe that differs in nothing but numbers of the training.
        config: of this run.
        run: where its curves and checkpoints go.
        model: that learns.
    """
    parameters = count_parameters(model)
    run.record(parameters=parameters.all, learning_parameters=parameters.learning)
    return Trainer(
        config,
        model,
        load_tokenizer(ready.base),
        replace(ready.corpus, config=config.data),
        ready.validation,
        run,
        ready.space,
        None if ready.soft is None else ready.soft.of,
    )


def _vector_space(config: TrainConfig, begun: VectorSpace | None) -> VectorSpace | None:
    """The space whose vectors the model learns, or has learnt where it begins; nothing for none.

    Args:
        config: of the run.
        begun: the space of the model that the run begins with.

    Raises:
        ConfigError: vectors are to be learnt, and the encoder gives none that are 384 wide.
    """
    model = config.model
    if not config.loss.vector:
        return begun
    encoder = model.vectors or (begun.encoder if begun else "") or model.base
    if not SentenceSpace.fits(resolve(encoder)):
        raise ConfigError(
            f"the model is to learn sentence vectors, {VECTOR_WIDTH} wide, and those of {encoder} are not",
            'name an encoder whose vectors it shall give, vectors = "all-MiniLM-L6-v2" under [model], '
            "or leave them out with vector = 0.0 under [loss]",
        )
    return VectorSpace.of(encoder)


def _sentence_space(
    config: TrainConfig, space: VectorSpace | None, console: Console
) -> SentenceSpace | None:
    if space is None or not config.loss.vector:
        return None
    console.print(
        f"sentence vectors: those of {space.encoder}, in the space {space.name}",
        highlight=False,
        markup=False,
    )
    return SentenceSpace(resolve(space.encoder), bf16=fast_bf16(best_device()))

"""The configuration of a training run: a TOML file, every name and value checked on reading."""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from training.errors import ConfigError
from training.tables import built

RECIPES = Path(str(files("training"))) / "configs"
"""The project's own recipes."""

TASKS = ("intent", "sentiment", "tags", "relations", "vector")
LANGUAGES = ("en", "zh")
KINDS = ("adamw", "sgd")
SCHEDULES = ("linear", "cosine", "constant")
METHODS = ("full", "lora", "adalora", "adapters", "prefix")
FREEZES = ("none", "embeddings", "layers", "encoder")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The base that the model is made on, and its limits.

    Attributes:
        base: a name, a Hugging Face folder, or owner/name on the hub.
        language: `en` or `zh`, of a base that does not say it itself: one of the project's own does, and so
            does one that came of it (`pretrain`). Left out, it is the base's, or else English.
        start: a trained model on this base, whose weights and heads the run begins with: a run folder, or an
            exported version such as `model_repository/encoder_en/6`.
        start_share: this share of the finished weights is the start's, so that less of what it knew is lost
            (WiSE-FT: Wortsman et al., CVPR 2022).
        share_of: another run on this base, which the share is of instead: what two have learnt apart is
            together in their average (model soups: Wortsman et al., ICML 2022).
        vectors: the encoder, 384 wide, whose sentence vectors the model learns to give, so that models on
            different bases share one vector space. Left out, the space is that of the start, or else the
            base's own.
        added_words: so many of the training texts' words that the vocabulary cuts, the most frequent ones,
            become pieces of their own.
        max_pieces: longer texts are cut; special pieces count.
        dropout: the share of what the heads read that is left out.
    """

    base: str = "all-MiniLM-L6-v2"
    language: str = ""
    start: str = ""
    start_share: float = 0.0
    share_of: str = ""
    vectors: str = ""
    added_words: int = 0
    max_pieces: int = 64
    dropout: float = 0.1

    @property
    def shared(self) -> str:
        """The model of which the finished weights keep `start_share`; "" where they keep none."""
        return (self.share_of or self.start) if self.start_share else ""


@dataclass(frozen=True, slots=True)
class FileConfig:
    """A file of a shop's own.

    Attributes:
        path: of a .csv, .tsv, .jsonl, .conll, .bio or .iob2.
        columns: `text`, `intent`, `sentiment`, `entities`, `relations`: what they are called in the file;
            its `delimiter`; and `label_map`, from its labels to the schema's. As `[data.files.columns]`.
    """

    path: str
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What is trained on: how many examples an epoch draws of each, and what noise is put in.

    Attributes:
        sources: a count for each public data set, as `[data.sources]`: 0 leaves it out, -1 takes all.
        generated: a count for each kind of generated texts, as `[data.generated]`: `requests`, `products`,
            `feelings`; 0 leaves it out.
        files: a shop's own, as `[[data.files]]`.
        validation: files that decide which epoch is kept, besides what the project has for it, as
            `[[data.validation]]`.
        validation_sources: public data sets that decide it instead.
        on_leak: training texts that are evaluation texts too are an `error`, or `drop`ped.
        unlicensed: lets data train whose licence forbids shipping the weights, for experiments.
        normalise: whether texts become what the worker will make of them.
        typos: the chance that a text gets a slip of the finger, or two.
        punctuation: the chance that its punctuation is left out.
        casing: the chance that it comes all in capitals, all in lower case, or with each word capitalised.
        spaces: the chance that one between words of one kind is lost.
        lookalikes: the chance that letters become others that look like them.
        stop_words: words that may be left out.
        drop_stop_words: the chance that they all are.
    """

    sources: dict[str, int] = field(default_factory=dict)
    generated: dict[str, int] = field(default_factory=dict)
    files: tuple[FileConfig, ...] = ()
    validation: tuple[FileConfig, ...] = ()
    validation_sources: tuple[str, ...] = ()
    on_leak: str = "error"
    unlicensed: bool = False
    normalise: bool = True
    typos: float = 0.15
    punctuation: float = 0.5
    casing: float = 0.0
    spaces: float = 0.0
    lookalikes: float = 0.0
    stop_words: tuple[str, ...] = ()
    drop_stop_words: float = 0.0


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """Steps: how many, how far, and what is done to the weights.

    Attributes:
        kind: `adamw` (Loshchilov and Hutter, ICLR 2019) or `sgd`.
        schedule: how the learning rate falls to zero: `linear` or `cosine`; or `constant`, if it does not.
        epochs: passes over what is drawn of the data, at most.
        batch: texts that are passed at once.
        learning_rate: the highest.
        heads: by which the learning rate of what is not pre-trained is multiplied.
        weight_decay: draws weights towards zero, but for biases and layer normalisation.
        warmup: the share of the steps in which the learning rate rises.
        label_smoothing: the share of a label that is spread over all classes.
        clip: a longer gradient is cut to this length.
        patience: training ends after so many epochs without a better one.
        average: the share of all steps, at the end, whose weights are averaged (Izmailov et al., UAI 2018);
            the average is kept if it beats every epoch.
        momentum: the share of the last step that goes into the next, with `sgd`.
        layer_decay: by which the learning rate of a layer is multiplied, once for each layer above it
            (Howard and Ruder, ACL 2018).
        accumulate: so many batches make one step.
        adversarial: how far embeddings are moved for a second, harder pass (Miyato et al., ICLR 2017); 0 for
            none.
    """

    kind: str = "adamw"
    schedule: str = "linear"
    epochs: int = 6
    batch: int = 64
    learning_rate: float = 3e-4
    heads: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.06
    label_smoothing: float = 0.1
    clip: float = 1.0
    patience: int = 3
    average: float = 0.0
    momentum: float = 0.9
    layer_decay: float = 1.0
    accumulate: int = 1
    adversarial: float = 0.0


@dataclass(frozen=True, slots=True)
class TuningConfig:
    """Which parameters learn; the heads always do.

    Attributes:
        method: `full`, the base's own; or the base stays as it is and parameters are added: `lora`,
            `adalora`, `adapters`, `prefix`.
        freeze: what of the base does not learn with `full`: `none`, `embeddings`, all but the top `layers`,
            the whole `encoder`.
        layers: so many at the top learn with `freeze = "layers"`.
        rank: the rank of what `lora` and `adalora` add.
        alpha: what `lora` and `adalora` add is multiplied by this over the rank.
        dropout: the share of what they read that is left out.
        bottleneck: the width of `adapters`.
        prefix: so many positions stand before each text with `prefix`.
    """

    method: str = "full"
    freeze: str = "none"
    layers: int = 2
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    bottleneck: int = 48
    prefix: int = 16


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The weight of each task's loss; with 0, a task is not trained and needs no data.

    Attributes:
        intent: the weight of intents.
        sentiment: the weight of sentiment.
        tags: the weight of the tags of entities.
        relations: the weight of relations.
        vector: the weight of sentence vectors.
        consistency: the weight of R-Drop (Liang et al., NeurIPS 2021): every text with labelled words, or
            with a teacher every one that it has answered, is passed twice, with different dropout, and the
            tags are to agree, nothing else; 0 passes it once.
        teacher: the teacher's share of the loss of a word that has a label too.
        owners: the weight of each attribute's product being likelier than the query's others.
        contrast: the weight of a batch's vectors being as like one another as they are to be (Fang et al.,
            ICLR 2021).
        vector_share: the share of an epoch's texts that teach the sentence vectors.
    """

    intent: float = 1.0
    sentiment: float = 0.7
    tags: float = 1.0
    relations: float = 1.0
    vector: float = 1.0
    consistency: float = 0.0
    teacher: float = 0.7
    owners: float = 0.0
    contrast: float = 0.0
    vector_share: float = 0.25

    @property
    def tasks(self) -> frozenset[str]:
        """What is trained."""
        return frozenset(name for name in TASKS if getattr(self, name))


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """What a teacher is asked (Hinton et al., 2015); empty where there is no teacher.

    Attributes:
        texts: a count for each source, as `[distillation.texts]`, -1 for all; of one that is named here,
            those texts alone are drawn.
    """

    texts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudentConfig:
    """How a student is made smaller than its base; nothing is by default.

    Heads and units are those of a trained model to start with that matter most to the loss (Michel et al.,
    NeurIPS 2019), and are trained on.

    Attributes:
        layers: so many of the base stay, evenly spaced; 0 leaves all.
        vocabulary: so many word pieces stay, those most frequent in the training texts; 0 leaves all.
        heads: the share of the attention heads that stays.
        units: the share of the feed-forward units that stays.
    """

    layers: int = 0
    vocabulary: int = 0
    heads: float = 1.0
    units: float = 1.0


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What `train --search` varies, and by which figure of validation it judges.

    Attributes:
        figure: one of validation, such as `entities_f1`; `score` is their mean.
        space: values of the recipe by name, and their ranges or choices, as `[search.space]`; empty for the
            usual ones around the recipe's own.
    """

    figure: str = "score"
    space: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a run but where its data and its folder are.

    Attributes:
        model: the base.
        data: what is trained on.
        optimizer: the steps.
        loss: the tasks.
        distillation: the teacher.
        tuning: what learns.
        student: the size.
        search: the trials.
        wandb: a project of Weights & Biases for the curves, beside TensorBoard.
        seed: what all draws begin with.
        threads: so many of the processor are used.
    """

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    distillation: DistillationConfig = DistillationConfig()
    tuning: TuningConfig = TuningConfig()
    student: StudentConfig = StudentConfig()
    search: SearchConfig = SearchConfig()
    wandb: str = ""
    seed: int = 1
    threads: int = 2


def recipe_at(path: Path) -> Path:
    """The file of a recipe: the path itself, or else the project's own recipe of that name."""
    own = RECIPES / f"{path}.toml"
    return own if not path.exists() and own.is_file() else path


def own_recipes() -> list[str]:
    """The names of the project's own recipes."""
    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def load_config(path: Path) -> TrainConfig:
    """Reads and checks a configuration.

    Raises:
        ConfigError: not there, not TOML, an unknown name, a wrong type or a nonsense value.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no configuration at {path}",
            f"name a file, or one of the project's own: {', '.join(own_recipes())}",
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "name a file") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not TOML: {error}", "mend that line") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8: {error.reason}", "convert it") from error
    config: TrainConfig = built(TrainConfig, raw, path.name)
    _check(config)
    return config


def config_of(arguments: dict[str, Any]) -> TrainConfig:
    """The configuration of a run, from the arguments that its manifest keeps.

    Raises:
        ConfigError: they are not those of a run of this version.
    """
    config: TrainConfig = built(TrainConfig, arguments, "the run's arguments")
    return config


def changed(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """The configuration with other values, by dotted names such as `optimizer.learning_rate`.

    Raises:
        ConfigError: an unknown name, a wrong type or a nonsense value.
    """
    raw = dataclasses.asdict(config)
    for name, value in values.items():
        *tables, key = name.split(".")
        inner = raw
        for table in tables:
            inner = inner.get(table, {})
        inner[key] = value
    other: TrainConfig = built(TrainConfig, raw, "the changed recipe")
    _check(other)
    return other


def _check(config: TrainConfig) -> None:
    rules = (_rules, _step_rules, _tuning_rules, _student_rules)
    for holds, fault in (rule for part in rules for rule in part(config)):
        if not holds:
            raise ConfigError(fault, "mend the configuration")


def _rules(config: TrainConfig) -> tuple[tuple[bool, str], ...]:
    data, model, loss = config.data, config.model, config.loss
    noise = (data.typos, data.punctuation, data.casing, data.spaces, data.lookalikes)
    return (
        (bool(loss.tasks), "every loss has the weight 0: there is no task to train"),
        (all(getattr(loss, task) >= 0 for task in TASKS), "a loss weight must be 0 or more"),
        (min(loss.consistency, loss.owners) >= 0, "consistency and owners must be 0 or more"),
        (
            bool(loss.tags) or not loss.consistency,
            "consistency is that of tags, whose weight is 0: give them one, or leave consistency out",
        ),
        (0 <= loss.teacher <= 1, "teacher is a share, from 0 to 1"),
        (0 <= model.dropout < 1, "dropout must lie between 0 and 1"),
        (model.language in ("", *LANGUAGES), f"language is one of {', '.join(LANGUAGES)}"),
        (8 <= model.max_pieces <= 512, "max_pieces must lie between 8 and 512"),
        (data.on_leak in ("error", "drop"), 'on_leak is "error" or "drop"'),
        (all(0 <= chance <= 1 for chance in noise), "noise is a probability"),
        (0 <= data.drop_stop_words <= 1, "drop_stop_words is a probability"),
        (
            not data.drop_stop_words or bool(data.stop_words),
            "drop_stop_words needs a list of stop_words",
        ),
        (model.added_words >= 0, "added_words must be 0 or more"),
        (0 <= model.start_share < 1, "start_share is a share, from 0 to below 1"),
        (
            bool(model.start or model.share_of) or not model.start_share,
            "a start_share needs a start, or a share_of",
        ),
        (bool(model.start_share) or not model.share_of, "a share_of needs a start_share above 0"),
        (0 < config.loss.vector_share <= 1, "vector_share is a share of the texts, above 0"),
        (config.threads >= 1, "threads must be at least 1"),
        (
            all(
                _is_count(count)
                for counts in (data.sources, config.distillation.texts)
                for count in counts.values()
            ),
            "a count of examples is -1 for all, or 0 and more",
        ),
        (
            all(_is_count(count) and count >= 0 for count in data.generated.values()),
            "a count of generated texts is 0 or more: of them there is no all",
        ),
        (bool(data.sources or data.generated or data.files), "there is nothing to train on"),
    )


def _step_rules(config: TrainConfig) -> tuple[tuple[bool, str], ...]:
    optimizer = config.optimizer
    return (
        (optimizer.kind in KINDS, f"kind is one of {', '.join(KINDS)}"),
        (optimizer.schedule in SCHEDULES, f"schedule is one of {', '.join(SCHEDULES)}"),
        (optimizer.epochs >= 1, "epochs must be at least 1"),
        (optimizer.batch >= 1, "batch must be at least 1"),
        (optimizer.accumulate >= 1, "accumulate must be at least 1"),
        (optimizer.patience >= 1, "patience must be at least 1"),
        (0 < optimizer.learning_rate < 0.1, "learning_rate must lie between 0 and 0.1"),
        (0 <= optimizer.momentum < 1, "momentum must lie between 0 and 1"),
        (0 <= optimizer.warmup < 1, "warmup is a part of the steps, from 0 to below 1"),
        (0 <= optimizer.label_smoothing < 1, "label_smoothing must lie between 0 and 1"),
        (0 <= optimizer.weight_decay < 1, "weight_decay must lie between 0 and 1"),
        (0 < optimizer.layer_decay <= 1, "layer_decay must lie between 0 and 1"),
        (optimizer.adversarial >= 0, "adversarial must be 0 or more"),
        (optimizer.clip > 0, "clip must be above 0"),
        (optimizer.heads > 0, "heads multiplies a learning rate: it must be above 0"),
        (0 <= optimizer.average <= 1, "average is a part of the steps, from 0 to 1"),
    )


def _tuning_rules(config: TrainConfig) -> tuple[tuple[bool, str], ...]:
    tuning = config.tuning
    sizes = (tuning.layers, tuning.rank, tuning.bottleneck, tuning.prefix)
    return (
        (tuning.method in METHODS, f"method is one of {', '.join(METHODS)}"),
        (tuning.freeze in FREEZES, f"freeze is one of {', '.join(FREEZES)}"),
        (
            tuning.method == "full" or tuning.freeze == "none",
            f"{tuning.method} leaves the base as it is: freeze goes with full",
        ),
        (all(size >= 1 for size in sizes), "layers, rank, bottleneck and prefix are 1 or more"),
        (tuning.alpha > 0, "alpha must be above 0"),
        (0 <= tuning.dropout < 1, "dropout must lie between 0 and 1"),
    )


def _student_rules(config: TrainConfig) -> tuple[tuple[bool, str], ...]:
    student = config.student
    shares = (student.heads, student.units)
    cut = min(shares) < 1
    return (
        (student.layers >= 0 and student.vocabulary >= 0, "layers and vocabulary are 0 or more"),
        (all(0 < share <= 1 for share in shares), "heads and units are shares, above 0"),
        (
            bool(config.model.start) or not cut,
            "heads and units say how much of a trained model stays: name it under [model] as start",
        ),
        (
            not cut or config.tuning.method == "full",
            f"what is pruned is trained on whole, not with {config.tuning.method}",
        ),
        (
            not config.model.start_share
            or not (cut or config.tuning.method in ("adapters", "prefix")),
            "start_share needs a model of its start's shape: no pruned heads or units, adapters or prefix",
        ),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= -1

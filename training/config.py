"""The configuration of a training run: a TOML file, every name and value checked on reading."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import ConfigError

TASKS = ("intent", "sentiment", "tags", "relations", "vector")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The base and its limits. `max_pieces` counts word pieces, special ones included.

    `vectors` is the encoder whose sentence vectors the model learns to give, so that models on
    different bases share one vector space; empty for those of the base itself.
    """

    base: str = "all-MiniLM-L6-v2"
    vectors: str = ""
    max_pieces: int = 64
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class FileConfig:
    """A file of a shop's own, read with `training.readers`."""

    path: str
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What is trained on: how many examples an epoch draws of each source and generated kind.

    A count of 0 leaves it out, -1 takes all. `files` are a shop's own, and `validation` those
    that decide which epoch is kept, besides what the data folder has for it. `on_leak`: training
    texts that are evaluation texts too are an `error`, or `drop`ped. `unlicensed` lets data train
    whose licence forbids shipping the weights: for experiments.
    """

    sources: dict[str, int] = field(default_factory=dict)
    generated: dict[str, int] = field(default_factory=dict)
    files: tuple[FileConfig, ...] = ()
    validation: tuple[FileConfig, ...] = ()
    on_leak: str = "error"
    unlicensed: bool = False
    typos: float = 0.15
    punctuation: float = 0.5


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """AdamW (Loshchilov and Hutter, ICLR 2019), linear warm-up, then linear decay to zero.

    `heads` multiplies the learning rate of what is not pre-trained. `average` is the share of all
    steps, at the end, whose weights are averaged (Izmailov et al., UAI 2018): the average is kept
    if it beats every epoch.
    """

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


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The weight of each task's loss; with 0, a task is not trained and needs no data.

    `consistency` is that of R-Drop (Liang et al., NeurIPS 2021): every text with labelled words
    is passed twice, with different dropout, and the tags are to agree; 0 passes it once.
    `teacher` is the teacher's share of the loss of a word that has a label too.
    """

    intent: float = 1.0
    sentiment: float = 0.7
    tags: float = 1.0
    relations: float = 1.0
    vector: float = 1.0
    consistency: float = 0.0
    teacher: float = 0.7

    @property
    def tasks(self) -> frozenset[str]:
        """What is trained."""
        return frozenset(name for name in TASKS if getattr(self, name))


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """What a teacher is asked (Hinton et al., 2015): so many texts of each source, -1 for all.

    A source named here is drawn from those texts alone. Empty where there is no teacher.
    """

    texts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a run but where its data and its folder are."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    distillation: DistillationConfig = DistillationConfig()
    seed: int = 1
    threads: int = 2


def load_config(path: Path) -> TrainConfig:
    """Reads and checks a configuration.

    Raises:
        ConfigError: not there, not TOML, an unknown name, a wrong type or a nonsense value.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no configuration at {path}", "training/configs holds the project's own"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not TOML: {error}", "mend that line") from error
    config: TrainConfig = _built(TrainConfig, raw, path.name)
    _check(config)
    return config


def config_of(arguments: dict[str, Any]) -> TrainConfig:
    """The configuration of a run, from the arguments that its manifest keeps.

    Raises:
        ConfigError: they are not those of a run of this version.
    """
    config: TrainConfig = _built(TrainConfig, arguments, "the run's arguments")
    return config


def _built(kind: type[Any], raw: dict[str, Any], where: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in fields:
            raise ConfigError(
                f"{where}: unknown name {name!r}", f"there are {', '.join(sorted(fields))}"
            )
        expected = fields[name].type
        if isinstance(expected, type) and dataclasses.is_dataclass(expected):
            values[name] = _built(expected, value, f"{where} [{name}]")
        elif name in ("files", "validation"):
            values[name] = tuple(_built(FileConfig, file, f"{where} [[{name}]]") for file in value)
        else:
            number = float(value) if expected is float and isinstance(value, int) else value
            if isinstance(expected, type) and not isinstance(number, expected):
                raise ConfigError(f"{where}: {name} = {value!r} is not a {expected.__name__}")
            values[name] = number
    return kind(**values)


def _check(config: TrainConfig) -> None:
    optimizer, data, model = config.optimizer, config.data, config.model
    rules = (
        (optimizer.epochs >= 1, "epochs must be at least 1"),
        (optimizer.batch >= 1, "batch must be at least 1"),
        (0 < optimizer.learning_rate < 0.1, "learning_rate must lie between 0 and 0.1"),
        (0 <= optimizer.warmup < 1, "warmup is a part of the steps, from 0 to below 1"),
        (0 <= optimizer.label_smoothing < 1, "label_smoothing must lie between 0 and 1"),
        (0 <= optimizer.weight_decay < 1, "weight_decay must lie between 0 and 1"),
        (optimizer.clip > 0, "clip must be above 0"),
        (optimizer.heads > 0, "heads multiplies a learning rate: it must be above 0"),
        (0 <= optimizer.average <= 1, "average is a part of the steps, from 0 to 1"),
        (bool(config.loss.tasks), "every loss has the weight 0: there is no task to train"),
        (config.loss.consistency >= 0, "consistency must be 0 or more"),
        (0 <= config.loss.teacher <= 1, "teacher is a share, from 0 to 1"),
        (0 <= model.dropout < 1, "dropout must lie between 0 and 1"),
        (8 <= model.max_pieces <= 512, "max_pieces must lie between 8 and 512"),
        (data.on_leak in ("error", "drop"), 'on_leak is "error" or "drop"'),
        (0 <= data.typos <= 1 and 0 <= data.punctuation <= 1, "noise is a probability"),
        (config.threads >= 1, "threads must be at least 1"),
        (
            all(
                _is_count(count)
                for counts in (data.sources, data.generated, config.distillation.texts)
                for count in counts.values()
            ),
            "a count of examples is -1 for all, or 0 and more",
        ),
        (bool(data.sources or data.generated or data.files), "there is nothing to train on"),
    )
    for holds, fault in rules:
        if not holds:
            raise ConfigError(fault, "mend the configuration")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= -1

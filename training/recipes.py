"""Recipes: TOML files that configure a training run, every name and value checked on reading."""

import dataclasses
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from training.config import FREEZES, KINDS, LANGUAGES, METHODS, SCHEDULES, TASKS, TrainConfig
from training.errors import ConfigError
from training.tables import built

RECIPES = Path(str(files("training"))) / "configs"
"""The project's own recipes."""


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

"""The texts that a model is measured on: those of the project, or a shop's own."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from training.config import DataConfig, FileConfig
from training.data import chinese
from training.data.corpus import validation_files
from training.data.examples import Example
from training.data.markup import hand_written_products, hand_written_requests
from training.data.sources import SOURCES, load, load_if_there
from training.errors import DataError
from training.evaluation.chinese import EnglishVectors, chinese_steps
from training.evaluation.figures import (
    Step,
    english_steps,
    entity_metrics,
    intent_metrics,
    on,
    sentiment_metrics,
    steps_on,
)
from training.evaluation.slices import brand_counts


def public_sets(data: Path) -> Path | None:
    """The data folder; None where it is not there, which is said: no public set is measured then."""
    if data.is_dir():
        return data
    Console(stderr=True).print(
        f"there is no data folder {data}: no public set is measured; "
        "name one with --data or INTENTSTREAM_DATA",
        markup=False,
        soft_wrap=True,
    )
    return None


def project_steps(
    data: Path | None, languages: Collection[str], english: EnglishVectors
) -> list[Step]:
    """What the project measures of a model that understands these languages.

    Args:
        data: folder of the public sets; None for what needs none: hand-written and generated texts.
        languages: `en`, `zh`.
        english: vectors beside which a Chinese model's are held.

    Raises:
        DataError: the data folder lacks a file.
    """
    steps = english_steps(data) if "en" in languages else []
    if "zh" in languages:
        steps += chinese_steps(data, english)
    if {"en", "zh"} <= set(languages):
        steps += _both_languages()
    return steps


def _both_languages() -> list[Step]:
    """The hand-written texts of both languages as one set each, so that languages can be compared."""
    requests = hand_written_requests() + chinese.hand_written_requests()
    marked = hand_written_products() + [e for e in chinese.hand_written_requests() if e.spans]
    return [
        on("both_languages_intents", intent_metrics, requests, sliced=True),
        on("both_languages_sentiment", sentiment_metrics, requests, sliced=True),
        on("both_languages_entities", entity_metrics, marked, sliced=True),
    ]


def own_steps(
    names: Sequence[str], config: DataConfig, data: Path, beside: Sequence[Step] = ()
) -> tuple[list[Step], list[str]]:
    """What can be measured on files or public sets, and the paths of the files.

    Args:
        names: of files, or of public sets; empty for the recipe's validation files.
        config: of a recipe; says which columns and labels its files have. Others have the usual ones.
        data: folder of the public sets.
        beside: what else is measured, under names of its own.

    Raises:
        TrainingError: no such file or set, an unreadable file, a label outside the schema.
    """
    known = {Path(file.path).resolve(): file for file in (*config.validation, *config.files)}
    if not names and not config.validation:
        raise DataError(
            "the recipe names no validation file",
            "add a [[data.validation]], or name one with --on",
        )
    steps: list[Step] = []
    files: list[str] = []
    for name in names or [file.path for file in config.validation]:
        if name in SOURCES and not Path(name).exists():
            examples = load(name, data)
        elif not Path(name).suffix and not Path(name).exists():
            raise DataError(
                f"no public set is called {name}",
                f"there are {', '.join(sorted(SOURCES))}; your own file needs its whole name",
            )
        else:
            file = known.get(Path(name).resolve(), FileConfig(name))
            examples = validation_files(replace(config, validation=(file,)))
            files.append(file.path)
        found = steps_on(_key(name, [*beside, *steps]), examples)
        if not found:
            raise DataError(
                f"{name} has texts without any label",
                "its columns are text, intent, sentiment; name others in a recipe's "
                "[data.validation.columns]",
            )
        steps += found
    return steps, files


def _key(name: str, steps: Sequence[Step]) -> str:
    """A name for a file's figures that no other file has, nor anything that is measured beside it."""
    stem = Path(name).stem.replace(" ", "_").replace("-", "_")
    taken = {step.name.partition("_")[2] for step in steps}
    number = 2
    key = stem
    while key in taken:
        key, number = f"{stem}_{number}", number + 1
    return key


def brands_of(data: Path, config: DataConfig) -> dict[str, int]:
    """How often each brand is annotated in what a model is trained on, as far as it is at hand."""
    examples: list[Example] = load_if_there("queryner", data)
    examples += validation_files(replace(config, validation=config.files))
    return brand_counts(examples)

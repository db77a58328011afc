"""What an epoch trains on: draws from every source, fresh generated texts, noise."""

import random
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from training.config import TASKS, DataConfig, FileConfig
from training.data import chinese
from training.data.examples import (
    Example,
    check_classes,
    check_labels,
    label_counts,
    normalised,
    same_text,
    with_single_product_relations,
    without_leaks,
)
from training.data.generator import compose
from training.data.markup import (
    hand_written_crossed,
    hand_written_near_misses,
    hand_written_paraphrases,
    hand_written_products,
    hand_written_requests,
)
from training.data.noise import Noise, noisy
from training.data.readers import Columns, read
from training.data.sources import SOURCES, load, load_if_there
from training.errors import ConfigError

_HELD_OUT = (
    "queryner_validation", "bitext_newer", "amazon_pqa_test", "clinc_validation",
    "airline_tweets", "tweeteval", "zh_reviews", "zh_ner_ecommerce_dev", "zh_queries",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Corpus:
    """The training examples of each source, and what each epoch draws of them.

    Attributes:
        config: what an epoch draws.
        pools: by source or file.
        annotated: those whose entities widen the generator's words.
        seed: of all draws.
        held_out: the evaluation texts, as `same_text` writes them: what the generator hits upon is left out.
    """

    config: DataConfig
    pools: dict[str, list[Example]]
    annotated: list[Example]
    seed: int
    held_out: frozenset[str]

    def epoch(self, number: int) -> list[Example]:
        """The examples of epoch `number`, the same whenever it is asked for."""
        chance = random.Random(f"{self.seed}-{number}")  # noqa: S311 - not a secret
        drawn: list[Example] = []
        for name, pool in self.pools.items():
            count = self.config.sources.get(name, -1)
            drawn += pool if count < 0 or count >= len(pool) else chance.sample(pool, count)
        for kind, count in self.config.generated.items():
            made = compose(kind, count, self.seed * 1000 + number, self.annotated)
            drawn += without_leaks(made, self.held_out, drop=True)
        noise = noise_of(self.config)
        return [noisy(example, chance, noise) for example in drawn]

    def lessons(self, counts: Mapping[str, int]) -> "Corpus":
        """The corpus whose named sources hold but so many texts: those that a teacher is asked.

        Raises:
            ConfigError: a name that is no source of this corpus.
        """
        if unknown := [name for name in counts if name not in self.pools]:
            raise ConfigError(
                f"a teacher is to be asked about {unknown[0]}, which is not trained on",
                "name it under [data.sources] too",
            )
        chance = random.Random(f"{self.seed}-lessons")  # noqa: S311 - not a secret
        pools = {
            name: chance.sample(pool, count)
            if 0 <= (count := counts.get(name, -1)) < len(pool)
            else pool
            for name, pool in self.pools.items()
        }
        return replace(self, pools=pools)

    def taught(self, names: Collection[str], answered: Container[str]) -> "Corpus":
        """The corpus without those texts of the named sources that have neither label nor answer."""
        pools = {
            name: [e for e in pool if _is_labelled(e) or e.text in answered]
            if name in names
            else pool
            for name, pool in self.pools.items()
        }
        return replace(self, pools=pools)


@cache
def hand_written() -> tuple[Example, ...]:
    """All hand-written texts of both languages: they are for evaluation, and nothing may train on them.

    Some are so short that the generator, a public data set or a shop's file has them too.
    """
    same = (
        *(text for both in hand_written_paraphrases() for text in both),
        *(english for _, english in chinese.hand_written_pairs()),
    )
    return (
        *hand_written_requests(),
        *hand_written_products(),
        *hand_written_crossed(),
        *hand_written_near_misses(),
        *chinese.hand_written_texts(),
        *(Example(text, "hand_written") for text in same),
    )


def load_corpus(
    config: DataConfig,
    folder: Path,
    seed: int,
    tasks: Collection[str] = TASKS,
    known: Collection[str] = (),
) -> Corpus:
    """Reads all training data and checks it.

    Args:
        config: what is trained on.
        folder: of the public data sets.
        seed: of all draws.
        tasks: those that are trained, and so need examples, of every class.
        known: those of them that may go without any: what a teacher or another model knows of them is there.

    Raises:
        ConfigError: a source that must not train shipped weights; a task without any example.
        DataError: unreadable data, a source that is not in the folder, an empty class.
        LeakError: texts of a source or a file that are evaluation texts (hand-written ones, those of
            a public set that measures, of a validation file), when `on_leak` is "error". Generated ones
            are never an error, and never drawn.
    """
    names = [name for name, count in config.sources.items() if count]
    for name in names:
        if name in SOURCES and not SOURCES[name].ships and not config.unlicensed:
            raise ConfigError(
                f"the licence of {name} does not allow weights trained on it to be shipped",
                "measure with it, or set unlicensed = true under [data] for an experiment",
            )
    evaluation = (
        *hand_written(),
        *validation_files(config),
        *(example for name in config.validation_sources for example in load(name, folder)),
        *(
            example
            for name in _HELD_OUT
            if not any(drawn == name or drawn.startswith(f"{name}_") for drawn in names)
            for example in load_if_there(name, folder)
        ),
    )
    held_out = frozenset(same_text(example.text) for example in evaluation)
    pools = {
        name: without_leaks(load(name, folder), held_out, drop=config.on_leak == "drop")
        for name in names
    }
    for file in config.files:
        own = [_with_sure_relations(example) for example in _read(file)]
        kept = without_leaks(own, held_out, drop=config.on_leak == "drop")
        # One may be named twice, for two columns.
        pools[file.path] = pools.get(file.path, []) + kept
    annotated = [
        example
        for pool in pools.values()
        for example in pool
        if example.spans and example.source != "webshop"
    ]
    pools = {name: [_with_neutral_search(e) for e in pool] for name, pool in pools.items()}
    if config.normalise:
        pools = {name: [normalised(e) for e in pool] for name, pool in pools.items()}
    corpus = Corpus(config, pools, annotated, seed, held_out)
    if tasks:
        drawn = corpus.epoch(0)
        counts = label_counts(drawn)
        check_labels(counts, set(tasks) - set(known))
        check_classes(drawn, [task for task in tasks if counts[task]])
    return corpus


def validation_files(config: DataConfig) -> list[Example]:
    """The examples of the shop's own validation files.

    Raises:
        DataError: an unreadable file.
    """
    found = [example for file in config.validation for example in _read(file)]
    return [normalised(example) for example in found] if config.normalise else found


def noise_of(config: DataConfig) -> Noise:
    """The noise that a configuration asks for."""
    return Noise(
        typos=config.typos,
        punctuation=config.punctuation,
        casing=config.casing,
        spaces=config.spaces,
        lookalikes=config.lookalikes,
        stop_words=frozenset(word.lower() for word in config.stop_words),
        drop_stop_words=config.drop_stop_words,
    )


def _read(file: FileConfig) -> list[Example]:
    known = Columns.__dataclass_fields__
    if unknown := [name for name in file.columns if name not in known]:
        raise ConfigError(
            f"{file.path}: unknown name {unknown[0]!r} of a column", f"there are {', '.join(known)}"
        )
    return read(Path(file.path), Columns(**file.columns))


def _is_labelled(example: Example) -> bool:
    known = (example.intent, example.sentiment, example.spans)
    return any(label is not None for label in known)


def _with_sure_relations(example: Example) -> Example:
    """What a file does not say of relations, where one product leaves nothing to say."""
    if example.relations is not None:
        return example
    return with_single_product_relations(example)


def _with_neutral_search(example: Example) -> Example:
    """A bare product search states no feeling."""
    if example.intent == "product_search" and example.sentiment is None:
        return replace(example, sentiment="neutral")
    return example


def composition(examples: Iterable[Example]) -> dict[str, int]:
    """How many of an epoch's examples are of each source."""
    return dict(Counter(example.source for example in examples).most_common())

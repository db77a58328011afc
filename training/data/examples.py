"""What a model is trained on: one text and whatever is known about it."""

import sys
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from streams.labels import ENTITY_TYPES, INTENTS, PREDICATES, PRODUCT_TYPES, SENTIMENTS
from streams.text import TextTooLong, normalise
from training.config import TASKS
from training.errors import ConfigError, DataError, LeakError

_NAMED = 5  # leaked texts that an error names


@dataclass(frozen=True, slots=True)
class TextSpan:
    """An entity: code-point offsets into the example's text, end exclusive."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Example:
    """One text. A field that is None is unknown: its task takes no loss from this example.

    Attributes:
        text: as the model would be sent it.
        source: the data set or generator it came from.
        intent: one of `streams.labels.INTENTS`.
        sentiment: one of `streams.labels.SENTIMENTS`.
        spans: all its entities, in order, not overlapping.
        relations: pairs (product, attribute) of indices into `spans`: all that hold.
        clean: the text as it was before noise, where there was some.
        meaning: an English text whose sentence vector this one's is to equal, as for a translation;
            None for the text itself, "" where no such text is known.
    """

    text: str
    source: str
    intent: str | None = None
    sentiment: str | None = None
    spans: tuple[TextSpan, ...] | None = None
    relations: tuple[tuple[int, int], ...] | None = None
    clean: str | None = None
    meaning: str | None = None


def checked(example: Example) -> Example:
    """The example, if its labels are in the schema and its spans and relations make sense.

    Raises:
        DataError: naming the source, the text and the first fault.
    """
    fault = next(_faults(example), None)
    if fault is None:
        return example
    raise DataError(f"{example.source}: {fault} in {example.text[:80]!r}", "mend it")


def _faults(example: Example) -> Iterator[str]:
    if not example.text.strip():
        yield "an empty text"
    if example.intent is not None and example.intent not in INTENTS:
        yield f"unknown intent {example.intent!r}"
    if example.sentiment is not None and example.sentiment not in SENTIMENTS:
        yield f"unknown sentiment {example.sentiment!r}"
    spans = example.spans or ()
    end = 0
    for span in spans:
        if span.type not in ENTITY_TYPES:
            yield f"unknown entity type {span.type!r}"
        if not end <= span.start < span.end <= len(example.text):
            yield f"entity {span.start}:{span.end} is empty, overlaps or leaves the text"
        end = span.end
    relations = example.relations or ()
    for product, attribute in relations:
        if not (0 <= product < len(spans) and 0 <= attribute < len(spans)):
            yield f"relation {product}, {attribute} of entities that are not there"
        owner, owned = spans[product].type, spans[attribute].type
        if owner not in PRODUCT_TYPES or owned not in PREDICATES:
            yield f"relation of a {owner} and a {owned}, not of a product and its attribute,"
    if len(set(relations)) < len(relations):
        yield "one relation twice"


def with_single_product_relations(example: Example) -> Example:
    """Relations that need no annotation: with exactly one product, all attributes are its own."""
    spans = example.spans or ()
    products = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    if len(products) != 1:
        return example
    pairs = ((products[0], n) for n, span in enumerate(spans) if span.type in PREDICATES)
    return replace(example, relations=tuple(pairs))


def normalised(example: Example) -> Example:
    """The example with its text as the worker makes it before the model sees it.

    An example whose entities would not survive that is left as it is.

    Raises:
        DataError: a text that the worker would refuse for its length.
    """
    try:
        text = normalise(example.text)
    except TextTooLong as error:
        raise DataError(
            f"a text from {example.source} is too long: {example.text[:60]!r}…", "shorten it"
        ) from error
    if text == example.text or not text:
        return example
    if not example.spans:
        return replace(example, text=text)
    spans: list[TextSpan] = []
    for span in example.spans:
        before = normalise(example.text[: span.start])
        if example.text[span.start - 1 : span.start].isspace() and before:
            before += " "
        start, end = len(before), len(normalise(example.text[: span.end]))
        spans.append(TextSpan(span.type, start, end))
        if text[start:end] != normalise(example.text[span.start : span.end]):
            return example
    return replace(example, text=text, spans=tuple(spans))


def same_text(text: str) -> str:
    """A key under which copies of a text meet: letters and digits, normalised and lower-cased."""
    text = normalise(text, max_chars=sys.maxsize)
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def without_leaks(
    train: Sequence[Example], held_out: Container[str], *, drop: bool
) -> list[Example]:
    """Training examples none of whose texts is an evaluation text.

    Args:
        train: of one source.
        held_out: the evaluation texts, as `same_text` writes them.
        drop: whether such examples are left out without a word.

    Raises:
        LeakError: there are such texts and they are not to be dropped.
    """
    kept = [example for example in train if same_text(example.text) not in held_out]
    if len(kept) < len(train) and not drop:
        leaked = [example for example in train if same_text(example.text) in held_out]
        named = ", ".join(
            repr(text[:80]) for text in dict.fromkeys(e.text for e in leaked[:_NAMED])
        )
        raise LeakError(
            f"{len(leaked)} training texts are evaluation texts too, such as {named} "
            f"from {leaked[0].source}",
            'remove them, or set on_leak = "drop" under [data] to train without them',
        )
    return kept


def label_counts(examples: Iterable[Example], answered: Container[str] = ()) -> dict[str, int]:
    """How many examples teach each task.

    Args:
        examples: of one epoch.
        answered: texts, as they were before noise, whose words a teacher has tagged.

    Returns:
        By task: those with an intent, a sentiment, entities (or the word that there are none),
        a relation, and a text whose sentence vector theirs is to equal.
    """
    counts = dict.fromkeys(TASKS, 0)
    for example in examples:
        clean = example.text if example.clean is None else example.clean
        counts["intent"] += example.intent is not None
        counts["sentiment"] += example.sentiment is not None
        counts["tags"] += example.spans is not None or clean in answered
        counts["relations"] += bool(example.relations)
        counts["vector"] += example.meaning != ""
    return counts


def check_labels(counts: Mapping[str, int], tasks: Collection[str]) -> None:
    """Whether each task has something to learn from.

    Args:
        counts: from `label_counts`.
        tasks: those that need it.

    Raises:
        ConfigError: naming the tasks without any example, whose parts of the model would stay as chance
            made them.
    """
    if starving := [task for task, count in counts.items() if task in tasks and not count]:
        raise ConfigError(
            f"no training example has a label for {', '.join(starving)}",
            f"add data or generated texts that have, set {', '.join(f'{t} = 0' for t in starving)} under "
            "[loss], or begin with a model that knows it: start under [model]",
        )


def check_classes(
    examples: Iterable[Example], tasks: Collection[str] = ("intent", "sentiment")
) -> dict[str, Counter[str]]:
    """How many examples each intent and sentiment has.

    Args:
        examples: of one epoch.
        tasks: those that need every class.

    Raises:
        DataError: a class of the schema has no example, so the model could never learn it.
    """
    counts = {"intent": Counter[str](), "sentiment": Counter[str]()}
    for example in examples:
        if example.intent is not None:
            counts["intent"][example.intent] += 1
        if example.sentiment is not None:
            counts["sentiment"][example.sentiment] += 1
    for task, classes in (("intent", INTENTS), ("sentiment", SENTIMENTS)):
        empty = [name for name in classes if not counts[task][name]]
        if empty and task in tasks:
            raise DataError(
                f"no training example of {task} {', '.join(empty)}",
                "add data for it, or let the generator make some: requests, feelings under [data.generated]",
            )
    return counts

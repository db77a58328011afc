"""Continued pre-training on a shop's unlabelled queries, by guessing masked words.

Masked-language modelling (Devlin et al., NAACL 2019), on the words of a domain before its labels
(Gururangan et al., ACL 2020), whole words at a time if wanted (Cui et al., 2021). Sentence encoders
come without the head that guesses; theirs is made anew on the embeddings, learns alone first, while
the encoder stands still, and only then does the measure "before" make sense.
"""

import hashlib
import itertools
import json
import math
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tokenizers import Encoding, Tokenizer  # type: ignore[import-untyped] # has no type information
from torch import Tensor
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter
from transformers import AutoConfig, AutoModelForMaskedLM
from transformers.utils import logging as transformers_logging

from streams.text import normalise
from training.bases.encoder_folder import check_length
from training.bases.encoders import resolve
from training.bases.languages import PRETRAINING, known_language
from training.errors import ConfigError, DataError
from training.hardware import best_device, fast_bf16, processor
from training.network.tokens import IGNORED, load_tokenizer, pieces_of_words
from training.terminal import progress_bar

_CHARS = 400
_HEAD_RATE = 1e-3
_MEASURED = 128  # queries at once
_TABLES = (".csv", ".tsv", ".conll", ".bio", ".iob2")

_Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Pretraining:
    """How a base is trained on.

    Attributes:
        base: a name, a folder, or a repository of the hub.
        epochs: over all queries but those held out.
        head_steps: in which only the head learns, where the base comes without one.
        mask: share of pieces, or words, that are to be guessed.
        whole_words: whether all pieces of a word are masked together.
        held_out: queries that only measure, at most a tenth of all.
        max_pieces: longer queries are cut, special pieces included.
    """

    base: str = "all-MiniLM-L6-v2"
    epochs: int = 1
    batch: int = 64
    learning_rate: float = 1e-4
    head_steps: int = 200
    weight_decay: float = 0.01
    mask: float = 0.15
    whole_words: bool = False
    held_out: int = 2000
    max_pieces: int = 48
    seed: int = 1
    threads: int = 2


@dataclass(frozen=True, slots=True)
class _Query:
    ids: tuple[int, ...]
    words: tuple[tuple[int, ...], ...]  # positions of the pieces of each word


@dataclass(frozen=True, slots=True)
class _Special:
    mask: int
    first: int  # what replaces a piece at random begins here: special pieces lie below
    size: int


def read_queries(path: Path) -> list[str]:
    """Unlabelled queries, each once: a text file with one a line, or JSON lines with `text`.

    Raises:
        DataError: no such file, a table, a line that is no JSON, fewer than 20 queries.
    """
    if path.suffix in _TABLES:
        raise DataError(
            f"{path.name} is no list of queries, but a table",
            'write its queries alone, one a line, into a .txt, or as {"text": "a query"} into a .jsonl',
        )
    if not path.is_file():
        raise DataError(f"{path} is not there", "name a file with a query a line")
    found: dict[str, None] = {}
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            text = normalise(_text(line, path, number)[:_CHARS]) if line.strip() else ""
            if text:
                found[text] = None
    if len(found) < 20:
        raise DataError(f"{path} holds {len(found)} queries", "pre-training needs thousands")
    return list(found)


def _text(line: str, path: Path, number: int) -> str:
    if path.suffix not in (".jsonl", ".ndjson"):
        return line
    try:
        row = json.loads(line)
        return str(row["text"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"{path.name}:{number}: {error!r}", 'a line of JSON is {"text": "a query"}'
        ) from error


def pretrain(queries: Path, output: Path, plan: Pretraining = Pretraining()) -> dict[str, Any]:
    """Trains the base on and writes it as a folder that `model.base` can name.

    Returns:
        What `pretraining.json` in that folder holds: arguments, the base's language (null where it does
        not say), hash of the queries, perplexity on the held-out ones before and after.

    Raises:
        ConfigError: nonsense values, a base that guesses no masked words or takes no texts so long, a folder
            in use.
        DataError: unusable queries.
    """
    _check(plan, output)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # transformers
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers
    texts = read_queries(queries)
    base = resolve(plan.base)
    check_length(base, plan.max_pieces)
    tokenizer = load_tokenizer(base)
    special = _special(tokenizer, base)
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    chance = random.Random(plan.seed)  # noqa: S311 - not a secret
    chance.shuffle(texts)
    pieces = tokenizer.encode_batch(texts)
    encoded = [_query(t, e, plan) for t, e in zip(texts, pieces, strict=True)]
    encoded = [query for query in encoded if query.words]  # U+FFFD alone has nothing to guess
    aside = max(min(plan.held_out, len(encoded) // 10), 1)
    model, complete = _masked_model(base)
    learner = _Learner(model, plan, special, encoded[aside:])
    with SummaryWriter(str(output / "tensorboard")) as curves:
        figures = learner.run(encoded[:aside], curves, 0 if complete else plan.head_steps)
    facts = {
        "arguments": asdict(plan),
        "language": known_language(plan.base),
        "queries": len(encoded),
        "queries_sha256": hashlib.sha256(queries.read_bytes()).hexdigest(),
        "processor": processor(),
        **figures,
    }
    _save(learner.encoder, base, output, facts)
    Console(stderr=True).print(
        f"perplexity of {aside} held-out queries: {figures['perplexity_before']:.2f} before, "
        f"{figures['perplexity_after']:.2f} after; written to {output}"
    )
    return facts


def _check(plan: Pretraining, output: Path) -> None:
    rules = (
        (plan.epochs >= 1 and plan.batch >= 1, "epochs and batch must be at least 1"),
        (0 < plan.learning_rate < 0.1, "learning_rate must lie between 0 and 0.1"),
        (0 < plan.mask < 1, "mask is a share, between 0 and 1"),
        (plan.head_steps >= 0, "head_steps must be 0 or more"),
        (8 <= plan.max_pieces <= 512, "max_pieces must lie between 8 and 512"),
        (plan.threads >= 1, "threads must be at least 1"),
        (not (output / "config.json").exists(), f"{output} holds a model already"),
    )
    for holds, fault in rules:
        if not holds:
            raise ConfigError(fault, "mend the options of intentstream pretrain")


def _special(tokenizer: Tokenizer, base: Path) -> _Special:
    mask = next(
        (tokenizer.token_to_id(m) for m in ("[MASK]", "<mask>") if tokenizer.token_to_id(m)), None
    )
    if mask is None:
        raise ConfigError(
            f"the vocabulary in {base.name} has no piece that masks",
            "pre-train an encoder: a BERT, MPNet or RoBERTa",
        )
    return _Special(mask, min(mask + 1, 1000), tokenizer.get_vocab_size())


def _masked_model(base: Path) -> tuple[Any, bool]:
    """The base with the head that guesses, and whether the base brought that head itself."""
    config = AutoConfig.from_pretrained(base, local_files_only=True)
    try:
        model, report = AutoModelForMaskedLM.from_pretrained(
            base, local_files_only=True, output_loading_info=True
        )
        return model.float(), not report["missing_keys"]
    except ValueError as error:
        raise ConfigError(
            f"a {config.model_type} guesses no masked words",
            "pre-train an encoder: a BERT, MPNet or RoBERTa",
        ) from error


def _query(text: str, encoding: Encoding, plan: Pretraining) -> _Query:
    ids, offsets = list(encoding.ids), list(encoding.offsets)
    if len(ids) > plan.max_pieces:
        ids = [*ids[: plan.max_pieces - 1], ids[-1]]
        offsets = [*offsets[: plan.max_pieces - 1], offsets[-1]]
    last = len(ids) - 1
    if not plan.whole_words:
        return _Query(tuple(ids), tuple((position,) for position in range(1, last)))
    words = pieces_of_words(text, offsets[1:last])
    return _Query(tuple(ids), tuple(tuple(range(a + 1, b + 1)) for a, b in words))


def masked(
    queries: Sequence[_Query], share: float, special: _Special, chance: random.Random
) -> _Batch:
    """A batch with words hidden: ids [B, L], mask [B, L] and targets [B, L], -100 but where hidden.

    Of what is hidden, 80 % is masked, 10 % another piece, 10 % left as it is (Devlin et al.).
    At least one word of each query is hidden.
    """
    longest = max(len(query.ids) for query in queries)
    ids = torch.zeros((len(queries), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    targets = torch.full_like(ids, IGNORED)
    for row, query in enumerate(queries):
        ids[row, : len(query.ids)] = torch.tensor(query.ids)
        mask[row, : len(query.ids)] = 1
        hidden = [word for word in query.words if chance.random() < share]
        for word in hidden or [chance.choice(query.words)]:
            dice = chance.random()
            for position in word:
                targets[row, position] = query.ids[position]
                if dice < 0.8:
                    ids[row, position] = special.mask
                elif dice < 0.9:
                    ids[row, position] = chance.randrange(special.first, special.size)
    return ids, mask, targets


class _Learner:
    """The masked-language model while it learns."""

    def __init__(
        self, model: Any, plan: Pretraining, special: _Special, queries: list[_Query]
    ) -> None:
        self._device = best_device()
        self._model = model.to(self._device)
        self._plan, self._special, self._queries = plan, special, queries
        self._bf16 = fast_bf16(self._device)
        self._chance = random.Random(f"{plan.seed}-masks")  # noqa: S311 - not a secret
        self.encoder: Any = model.base_model
        heads = [part for part in model.children() if part is not self.encoder]
        self._head: Any = heads[0] if len(heads) == 1 else None

    def run(
        self, held_out: list[_Query], curves: SummaryWriter, head_steps: int
    ) -> dict[str, float]:
        """The head first, then all; perplexity on the held-out queries in between and at the end."""
        steps = self._plan.epochs * -(-len(self._queries) // self._plan.batch)
        with progress_bar() as progress:
            task = progress.add_task("the head", total=head_steps + steps)
            self.encoder.requires_grad_(False)
            for loss in self._learn(head_steps, _HEAD_RATE):
                progress.update(task, advance=1, description=f"the head, loss {loss:.2f}")
            self.encoder.requires_grad_(True)
            before = self.perplexity(held_out)
            progress.print(f"perplexity before: {before:.2f}")
            for number, loss in enumerate(self._learn(steps, self._plan.learning_rate), 1):
                progress.update(task, advance=1, description=f"all of it, loss {loss:.2f}")
                if number % 20 == 0:
                    curves.add_scalar("loss", loss, number)
            after = self.perplexity(held_out)
            curves.add_scalar("perplexity", after, steps)
        return {"perplexity_before": before, "perplexity_after": after}

    def _learn(self, steps: int, rate: float) -> Iterator[float]:
        """So many steps, the learning rate rising over the first sixteenth, then falling to zero."""
        learning = [p for p in self._model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learning, lr=rate, weight_decay=self._plan.weight_decay)
        rise = max(steps // 16, 1)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda n: min((n + 1) / rise, (steps - n) / max(steps - rise, 1))
        )
        self._model.train()
        for batch in itertools.islice(self._batches(), steps):
            loss, _ = self._loss(batch)
            loss.backward()  # type: ignore[no-untyped-call] # torch
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            yield loss.item()

    def _batches(self) -> Iterator[_Batch]:
        """Batches of nearly one length each, again and again."""
        size = self._plan.batch
        while True:
            ordered = sorted(self._queries, key=lambda q: len(q.ids) + self._chance.random())
            groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
            self._chance.shuffle(groups)
            for group in groups:
                yield masked(group, self._plan.mask, self._special, self._chance)

    def _loss(self, batch: _Batch) -> tuple[Tensor, int]:
        """The mean loss of the hidden pieces, and how many there are."""
        ids, mask, targets = (part.to(self._device) for part in batch)
        hidden = targets != IGNORED
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            if self._head is None:
                logits = self._model(input_ids=ids, attention_mask=mask).logits[hidden]
            else:  # scores over the whole vocabulary are dear: only where a piece is to be guessed
                states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                logits = self._head(states[hidden])
        return functional.cross_entropy(logits.float(), targets[hidden]), int(hidden.sum())

    def perplexity(self, queries: list[_Query]) -> float:
        """The exponential of the mean loss of hidden pieces, hidden the same way each time."""
        self._model.eval()
        chance = random.Random(f"{self._plan.seed}-measure")  # noqa: S311 - not a secret
        ordered = sorted(queries, key=lambda query: len(query.ids))
        total = count = 0.0
        with torch.inference_mode():
            for start in range(0, len(ordered), _MEASURED):
                group = ordered[start : start + _MEASURED]
                loss, hidden = self._loss(masked(group, self._plan.mask, self._special, chance))
                total += loss.item() * hidden
                count += hidden
        return math.exp(total / max(count, 1.0))


def _save(encoder: Any, base: Path, output: Path, facts: dict[str, Any]) -> None:
    """The encoder alone, and its tokenizer; the configuration last, so that a whole folder has it."""
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        if (base / name).is_file():
            shutil.copyfile(base / name, output / name)
    text = json.dumps(facts, indent=2, sort_keys=True)
    (output / PRETRAINING).write_text(text + "\n", encoding="utf-8")
    encoder.cpu().save_pretrained(output)

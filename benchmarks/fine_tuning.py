"""Ways to fine-tune on one small budget: which parameters learn, on which base, pre-trained or not.

Every row is a run of `training/configs/experiments/methods.toml` on the public data sets, which differs
in how it is tuned, in its base, or in whether that was trained on with real queries before. Each way
has a learning rate of its own, for methods that change little need larger steps. Of each base there is
also what a query costs: its graph in fp32 on one thread, word pieces made as part of it.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.load import Load
from benchmarks.measured import Row, command
from training.bases.pretraining import Pretraining, pretrain
from training.config import TrainConfig
from training.environment import data_folder
from training.export.saved_models import predictor_of
from training.fine_tuning.preparation import Ready, model_of, prepare, trainer_of
from training.network.run_folder import RunFolder
from training.network.tuning import count_parameters
from training.recipes import changed, load_config

_RECIPE: Final = Path(__file__).parent.parent / "training/configs/experiments/methods.toml"
_METHODS: Final[Mapping[str, Mapping[str, Any]]] = {
    "all of it": {},
    "all but the embeddings": {"tuning.freeze": "embeddings"},
    "top 2 layers": {"tuning.freeze": "layers", "tuning.layers": 2},
    "heads only": {"tuning.freeze": "encoder", "optimizer.learning_rate": 1e-3},
    "LoRA, rank 16": {"tuning.method": "lora", "optimizer.learning_rate": 1e-3},
    "AdaLoRA, rank 16": {"tuning.method": "adalora", "optimizer.learning_rate": 2e-3},
    "adapters, 48 wide": {"tuning.method": "adapters", "optimizer.learning_rate": 1e-3},
    "prefix of 16": {"tuning.method": "prefix", "optimizer.learning_rate": 5e-3},
}
_BASES: Final = ("bge-small-en-v1.5", "e5-small-v2")  # beside the recipe's own
_FIGURES: Final = {
    "entities_f1": "entities, typed F1",
    "intent_accuracy": "intents, accuracy",
    "relations_f1": "relations, F1",
}
_QUERIES: Final = {False: 20_000, True: 1_000}  # to pre-train on
_ASKED: Final = 800
_LITTLE: Final[Mapping[str, Any]] = {  # a look
    "data.sources": {"queryner": 300, "clinc": 100},
    "data.generated": {"requests": 400, "products": 100, "feelings": 100},
    "optimizer.epochs": 1,
}


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows: each method, each base, then the recipe on a base that knows real queries."""
    config = load_config(_RECIPE)
    if quick:
        config = changed(config, _LITTLE)
    ready = _ready(config, scratch / "whole")
    rows = list(
        itertools.chain.from_iterable(
            _trained(name, changed(config, values), ready, scratch / "methods" / str(number))
            for number, (name, values) in enumerate(_METHODS.items())
        )
    )
    rows += _cost(config.model.base, scratch / "methods/0")
    for base in _BASES:
        other = changed(config, {"model.base": base})
        folder = scratch / "bases" / base
        rows += _trained(f"all of it, {base}", other, _ready(other, scratch / base), folder)
        rows += _cost(base, folder)
    return [*rows, *_pretrained(config, scratch, _QUERIES[quick])]


def _ready(config: TrainConfig, folder: Path) -> Ready:
    return prepare(config, RunFolder(folder), data_folder(None), Console(stderr=True))


def _trained(name: str, config: TrainConfig, ready: Ready, folder: Path) -> Iterator[Row]:
    run = RunFolder(folder)
    model = model_of(ready, config)
    counted = count_parameters(model)
    started = time.process_time()
    best = trainer_of(ready, config, run, model).train()
    if config.tuning.method == "full":
        run.save_model(model, ready.base, {})
    yield Row("parameters that learn", name, counted.learning / 1e6, "million")
    for figure, title in _FIGURES.items():
        yield Row(title, name, best[figure], "")
    yield Row("processor time", name, (time.process_time() - started) / 60, "minutes")


def _cost(base: str, run: Path) -> Iterator[Row]:
    """Processor time a query of a run's model, over queries that nothing was trained on."""
    ask, texts = predictor_of(run), Load(_ASKED).texts()
    ask(texts[: _ASKED // 8])
    started = time.process_time()
    ask(texts)
    yield Row("a query", base, (time.process_time() - started) / _ASKED * 1e6, "µs")


def _pretrained(config: TrainConfig, scratch: Path, count: int) -> Iterator[Row]:
    name = f"all of it, on a base pre-trained on {count:,} queries"
    data = data_folder(None)
    lines = (data / "esci_queries" / "en.txt").read_text(encoding="utf-8").splitlines()
    queries = scratch / "queries.txt"
    queries.write_text("\n".join(lines[:: max(len(lines) // count, 1)][:count]), encoding="utf-8")
    plan = Pretraining(base=config.model.base, threads=config.threads)
    started = time.process_time()
    facts = pretrain(queries, scratch / "base", plan)
    for moment in ("before", "after"):
        yield Row(
            "perplexity of held-out queries", f"{moment} it", facts[f"perplexity_{moment}"], ""
        )
    yield Row(
        "processor time of pre-training", name, (time.process_time() - started) / 60, "minutes"
    )
    config = changed(config, {"model.base": str(scratch / "base")})
    ready = _ready(config, scratch / "pretrained")
    yield from _trained(name, config, ready, scratch / "methods" / "pretrained")


if __name__ == "__main__":
    command(
        Path(__file__).parent / "results" / "fine_tuning.csv", __doc__, measure, quickly="5 minutes"
    )

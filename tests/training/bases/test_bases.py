"""Bases of other kinds, for real and in seconds: decoders made on the spot, and a shop's own words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # type: ignore[import-untyped] # has no type information
from transformers import GPT2Config, GPT2Model, Qwen2Config, Qwen2Model

from tests.training.conftest import Trained
from tests.training.tiny_run import QUERIES, recipe, validate_little, write_jsonl
from training.config import OptimizerConfig, TrainConfig
from training.data.examples import Example, TextSpan
from training.data.generator import compose
from training.errors import ConfigError
from training.evaluation.opened_models import opened
from training.export.next_version import export_run
from training.export.saved_models import predictor_of
from training.fine_tuning.processes import Processes
from training.fine_tuning.session import run_training
from training.fine_tuning.stepping import Stepper
from training.inference.predict import TorchPredictor
from training.network.objective import collate
from training.network.query_model import Heads, QueryModel
from training.network.run_folder import load_model
from training.network.tokens import encode, load_tokenizer
from training.recipes import load_config

_END = "<|endoftext|>"


def _gpt2(size: int) -> Any:
    make: Any = GPT2Model
    config = GPT2Config(
        vocab_size=size, n_positions=160, n_embd=48, n_layer=2, n_head=4,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return make(config)


def _qwen(size: int) -> Any:
    make: Any = Qwen2Model
    config = Qwen2Config(
        vocab_size=size, hidden_size=48, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=160,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return make(config)


def decoder_folder(folder: Path, make: Callable[[int], Any]) -> Path:
    """A Hugging Face folder of a tiny random decoder with byte-level pieces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [e.text for kind in ("requests", "products") for e in compose(kind, 200, 5)]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=[_END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    folder.mkdir()
    torch.manual_seed(1)
    make(tokenizer.get_vocab_size()).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("make", [_gpt2, _qwen], ids=["gpt2", "qwen2"])
def test_a_decoder_is_trained_and_its_last_piece_stands_for_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[int], Any]
) -> None:
    validate_little(monkeypatch)
    base = decoder_folder(tmp_path / "base", make)
    before, after = _intent_losses(base)
    assert after < 0.5 * before
    config = recipe(tmp_path, base, epochs=1)
    run_training(config, tmp_path / "run", tmp_path / "no data", measure=False)
    model, calibration = load_model(tmp_path / "run" / "model")
    tokenizer = load_tokenizer(tmp_path / "run" / "model")
    ids = torch.tensor([tokenizer.encode("where is my order").ids])
    padded = torch.cat((ids, torch.full((1, 4), 7)), dim=1)
    mask = torch.cat((torch.ones_like(ids), torch.zeros(1, 4, dtype=torch.long)), dim=1)
    whole, alone = _heads(model, padded, mask), _heads(model, ids, torch.ones_like(ids))
    torch.testing.assert_close(whole.intent, alone.intent, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(whole.vector, alone.vector, atol=1e-5, rtol=1e-4)
    other = ids.clone()
    other[0, 1] = tokenizer.token_to_id("a")  # the last piece has read the first one
    assert not torch.allclose(_heads(model, other, torch.ones_like(ids)).intent, alone.intent)

    with opened(str(tmp_path / "run")) as found:
        outputs = found.predictor(["red shoes"])
    assert found.kind == "run, in PyTorch"
    assert found.predictor.labels.out_of_scope_threshold == calibration["out_of_scope_threshold"]
    assert outputs.token_offsets[0, 0].tolist()[0] == 0
    with pytest.raises(ConfigError, match=r"no graph is known.*on a BERT encoder"):
        export_run(tmp_path / "run", tmp_path / "repository", QUERIES)


def _intent_losses(base: Path) -> tuple[float, float]:
    """Before and after a batch of requests has been learnt by heart."""
    items = encode(compose("requests", 16, 3), load_tokenizer(base), 48)
    batch = collate(items)
    config = TrainConfig(optimizer=OptimizerConfig(epochs=1, learning_rate=5e-3))
    torch.manual_seed(5)
    stepper = Stepper(config, QueryModel.from_base(base, 0.0), 40, Processes(), bf16=False)
    parts = [stepper.train_on(batch, last=False)["intent"] for _ in range(40)]
    return parts[0], parts[-1]


def _heads(model: QueryModel, ids: torch.Tensor, mask: torch.Tensor) -> Heads:
    with torch.inference_mode():
        found: Heads = model(ids, mask)
    return found


def test_a_shops_own_words_are_pieces_of_what_is_trained_and_served(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    base = Path(load_config(trained.recipe).model.base)
    words = ("zorblaxes", "quimbles")
    own = [
        Example(f"{word} {n} pieces", "own", spans=(TextSpan("core_product_type", 0, len(word)),))
        for n in range(40)
        for word in words
    ]
    config = recipe(tmp_path, base, epochs=2)
    file = write_jsonl(tmp_path / "words.jsonl", own)
    text = config.read_text("utf-8").replace("[model]", "[model]\nadded_words = 2", 1)
    text = text.replace(
        "[data.generated]", f"[[data.files]]\npath = {json.dumps(str(file))}\n\n[data.generated]"
    )
    config.write_text(text, "utf-8")
    run_training(config, tmp_path / "run", trained.nothing, measure=False)
    report = json.loads((tmp_path / "run" / "vocabulary.json").read_text("utf-8"))
    assert set(report["added"]) == set(words)

    exported = export_run(tmp_path / "run", tmp_path / "repository", QUERIES)
    served = load_tokenizer(exported.folder)
    before = load_tokenizer(base)
    for word in words:
        assert len(before.encode(word).tokens) > 3
        assert served.encode(word).tokens[1:-1] == [word]
    assert served.get_vocab_size() == before.get_vocab_size() + 2

    texts = ["zorblaxes", "quimbles 3 pieces", "red shoes"]
    model, calibration = load_model(tmp_path / "run" / "model")
    expected = TorchPredictor(model, served, calibration)(texts)
    found = predictor_of(tmp_path / "repository")(texts)
    assert np.array_equal(found.token_offsets, expected.token_offsets)
    assert np.array_equal(found.tag_logits.argmax(-1)[:2, 0], expected.tag_logits.argmax(-1)[:2, 0])
    begun = QueryModel.from_base(tmp_path / "run" / "base")
    for word in words:  # each has learnt, from the mean of its pieces
        row = served.token_to_id(word)
        first, last = (m.encoder.get_input_embeddings().weight[row] for m in (begun, model))  # type: ignore[operator] # torch
        assert not torch.allclose(first, last, atol=1e-2)

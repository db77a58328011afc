"""A tiny base is trained on with unlabelled queries, for real, and becomes the base of a run."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, GPT2Config, GPT2Model

from tests.training.tiny_run import base_folder
from training.bases.pretraining import Pretraining, pretrain, read_queries
from training.data.generator import compose
from training.errors import ConfigError, DataError
from training.network.tokens import load_tokenizer

_PLAN = Pretraining(epochs=2, batch=16, learning_rate=3e-3, head_steps=10, threads=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_folder(tmp_path_factory.mktemp("pretraining") / "base")


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("queries") / "queries.txt"
    path.write_text("\n".join(e.text for e in compose("products", 300, 5)), encoding="utf-8")
    return path


@pytest.mark.parametrize("whole_words", [False, True])
def test_queries_become_less_surprising(
    base: Path, queries: Path, tmp_path: Path, whole_words: bool
) -> None:
    plan = replace(_PLAN, base=str(base), whole_words=whole_words)
    facts = pretrain(queries, tmp_path / "out", plan)
    assert facts["perplexity_after"] < 0.8 * facts["perplexity_before"]
    kept = json.loads((tmp_path / "out" / "pretraining.json").read_text("utf-8"))
    assert kept["arguments"]["whole_words"] is whole_words
    assert len(kept["queries_sha256"]) == 64


def test_what_comes_out_is_a_base(base: Path, queries: Path, tmp_path: Path) -> None:
    pretrain(queries, tmp_path / "out", replace(_PLAN, base=str(base), epochs=1))
    before = AutoModel.from_pretrained(base).get_input_embeddings().weight
    model, report = AutoModel.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert all(name.startswith("pooler") for name in report["missing_keys"])
    assert not torch.equal(model.get_input_embeddings().weight, before)
    assert load_tokenizer(tmp_path / "out").get_vocab_size() == model.config.vocab_size


def test_the_same_seed_gives_the_same_base(base: Path, queries: Path, tmp_path: Path) -> None:
    plan = replace(_PLAN, base=str(base), epochs=1, head_steps=5)
    facts = [pretrain(queries, tmp_path / name, plan) for name in ("one", "other")]
    assert facts[0]["perplexity_after"] == facts[1]["perplexity_after"]


def test_a_whole_word_is_hidden_with_all_its_pieces(base: Path) -> None:
    from training.bases import pretraining as module  # noqa: PLC0415 - its private parts

    tokenizer = load_tokenizer(base)
    plan = replace(_PLAN, base=str(base), whole_words=True, mask=0.3)
    text = "qzx vwk jqz xqv"  # words of letters, three pieces each
    query = module._query(text, tokenizer.encode(text), plan)
    assert [len(word) for word in query.words] == [3, 3, 3, 3]
    special = module._special(tokenizer, base)
    for seed in range(20):
        _, _, targets = module.masked([query], plan.mask, special, random.Random(seed))
        hidden = targets[0] != -100
        assert hidden.any()
        assert all(len({bool(hidden[p]) for p in word}) == 1 for word in query.words)


@pytest.mark.parametrize("whole_words", [False, True])
def test_a_line_of_no_piece_is_left_out(
    base: Path, queries: Path, tmp_path: Path, whole_words: bool
) -> None:
    spoilt = tmp_path / "queries.txt"
    spoilt.write_bytes(
        queries.read_bytes() + b"\n\xff\n"
    )  # read as U+FFFD, of which nothing is left
    plan = replace(_PLAN, base=str(base), epochs=1, head_steps=1, whole_words=whole_words)
    facts = pretrain(spoilt, tmp_path / "out", replace(plan, batch=1, held_out=1))
    assert facts["queries"] == len(read_queries(spoilt)) - 1
    assert facts["perplexity_after"] > 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("few.txt", "shoes\nshoes\n", "holds 1 queries"),
        ("bad.jsonl", "{}\n", "bad.jsonl:1: KeyError"),
        ("gone.txt", None, "is not there"),
        ("table.csv", "text,intent\n" + "red shoes,product_search\n" * 30, "but a table"),
    ],
)
def test_unusable_queries_are_said(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_queries(tmp_path / name)


def test_json_lines_are_read_and_normalised(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    rows = [json.dumps({"text": f"ｓhoes  {n // 2}"}) for n in range(60)]
    path.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")  # as spreadsheets mark a file
    assert read_queries(path)[:2] == ["shoes 0", "shoes 1"]


def test_nonsense_and_what_guesses_no_words_are_refused(
    base: Path, queries: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="mask is a share"):
        pretrain(queries, tmp_path / "out", replace(_PLAN, mask=1.5))
    with pytest.raises(ConfigError, match="holds a model already"):
        pretrain(queries, base, _PLAN)
    with pytest.raises(ConfigError, match="max_pieces = 512, and the base has positions for 160"):
        pretrain(queries, tmp_path / "out", replace(_PLAN, base=str(base), max_pieces=512))
    decoder = tmp_path / "decoder"
    config = GPT2Config(
        vocab_size=60, n_embd=16, n_layer=1, n_head=2, eos_token_id=0, bos_token_id=0
    )
    GPT2Model(config).save_pretrained(decoder)  # type: ignore[no-untyped-call] # transformers
    (decoder / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    with pytest.raises(ConfigError, match="a gpt2 guesses no masked words"):
        pretrain(queries, tmp_path / "out", replace(_PLAN, base=str(decoder)))

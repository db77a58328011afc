"""A tiny student learns from a tiny teacher: the recipe, its answers, its losses."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from streams.labels import bio_tags
from tests.training.conftest import Trained
from tests.training.tiny_run import QUERIES, recipe, validate_little, write_jsonl
from training.cli import distill_main, train_main
from training.compression.distillation import SoftTags
from training.config import LossConfig
from training.data.examples import Example
from training.data.generator import compose
from training.data.markup import parse
from training.data.noise import Noise, noisy
from training.errors import ConfigError
from training.export.next_version import export_run
from training.fine_tuning.averaging import AveragedWeights
from training.network.objective import collate, losses, r_drop_loss
from training.network.query_model import QueryModel
from training.network.run_folder import load_model
from training.network.tokens import IGNORED, encode, load_tokenizer
from training.recipes import load_config

SHOES = "[red](color)>1 [shoes](core_product_type)#1 and [bag](core_product_type)#2"


@pytest.fixture
def lessons(trained: Trained, tmp_path: Path) -> Path:
    """A smaller student's recipe, which asks about unlabelled texts too."""
    base = Path(load_config(trained.recipe).model.base)
    unlabelled = [replace(e, spans=None, relations=None) for e in compose("products", 40, 99)]
    file = write_jsonl(tmp_path / "unlabelled.jsonl", unlabelled)
    config = recipe(tmp_path, base, epochs=1, extra="average = 0.5\nheads = 2.0")
    own = json.dumps(str(tmp_path / "own.jsonl"))
    config.write_text(
        config.read_text("utf-8").replace(
            "[data.generated]",
            f"[[data.files]]\npath = {json.dumps(str(file))}\n\n[data.generated]",
        )
        + "\n[student]\nlayers = 1\nvocabulary = 250\n[loss]\nconsistency = 1.0\n"
        + f"[distillation.texts]\n{own} = 30\n"
        + f"{json.dumps(str(file))} = -1\n",
        "utf-8",
    )
    return config


def test_a_student_learns_from_a_teacher_and_keeps_its_answers(
    trained: Trained, lessons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    run = tmp_path / "student"
    distill_main(lessons, [trained.run], run, trained.nothing, evaluate=False)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    soft = SoftTags.load(run / "answers.npz")
    assert manifest["taught_texts"] == len(soft) <= 70
    assert manifest["answers_digest"] == soft.made_of
    assert [teacher["config_file"] for teacher in manifest["teachers"]] == ["recipe.toml"]
    settings: Any = load_model(run / "model")[0].encoder.config
    assert (settings.num_hidden_layers, settings.vocab_size) == (1, 250)
    assert manifest["parameters"] < trained.manifest["parameters"]
    assert (export_run(run, tmp_path / "repository", QUERIES).folder / "model.onnx").is_file()

    again = tmp_path / "again"
    distill_main(lessons, [], again, trained.nothing, answers=run / "answers.npz", evaluate=False)
    first, second = (load_model(folder / "model")[0].state_dict() for folder in (run, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_recipe_with_lessons_needs_a_teacher(
    trained: Trained, lessons: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="neither a teacher nor its answers"):
        train_main(lessons, tmp_path / "run", trained.nothing, evaluate=False)


def test_a_teacher_is_not_asked_about_what_is_not_trained_on(
    trained: Trained, lessons: Path, tmp_path: Path
) -> None:
    lessons.write_text(lessons.read_text("utf-8") + "nowhere = 3\n", "utf-8")
    with pytest.raises(ConfigError, match="about nowhere"):
        distill_main(lessons, [trained.run], tmp_path / "run", trained.nothing, evaluate=False)


def test_a_teacher_without_lessons_is_an_error(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no"):
        distill_main(trained.recipe, [trained.run], tmp_path, trained.nothing, evaluate=False)


def test_noise_keeps_the_clean_text() -> None:

    example = Example("where are, the running shoes", "own")
    found = noisy(example, random.Random(3), Noise(typos=1.0, punctuation=1.0))
    assert found.text != example.text
    assert found.clean == example.text
    assert noisy(example, random.Random(3), Noise()).clean is None


def test_a_teachers_answer_stands_at_each_words_first_piece(trained: Trained) -> None:
    tokenizer = load_tokenizer(trained.run / "model")
    answer = np.zeros((2, len(bio_tags())), np.float32)
    answer[:, 1] = 1.0
    noised = Example("rad shoes", "own", clean="red shoes")
    (found,) = encode([noised], tokenizer, 48, {"red shoes": answer}.get)
    assert found.soft is not None
    assert found.soft.sum() == 2.0
    assert found.meaning == "red shoes"
    (split,) = encode(
        [replace(noised, text="r ad shoes")], tokenizer, 48, {"red shoes": answer}.get
    )
    assert split.soft is None


def test_repeated_rows_keep_their_labels(trained: Trained) -> None:
    tokenizer = load_tokenizer(trained.run / "model")
    items = encode([Example("hello", "own", intent="chitchat"), parse(SHOES, "own")], tokenizer, 48)
    batch = collate(items)
    assert batch.annotated().tolist() == [1]
    twice = batch.with_repeated(batch.annotated())
    assert torch.equal(twice.ids[2], batch.ids[1])
    assert twice.pairs[:, 0].tolist() == [1, 1, 2, 2]
    assert twice.related.tolist() == [*batch.related.tolist(), *batch.related.tolist()]


def test_two_equal_passes_agree_and_two_with_dropout_do_not(trained: Trained) -> None:
    model, _ = load_model(trained.run / "model")
    tokenizer = load_tokenizer(trained.run / "model")
    batch = collate(encode([parse(SHOES, "own")], tokenizer, 48))
    rows = batch.annotated()
    twice = batch.with_repeated(rows)
    assert r_drop_loss(model(twice.ids, twice.mask), twice, rows).item() < 1e-6
    assert r_drop_loss(_shaken(model)(twice.ids, twice.mask), twice, rows).item() > 1e-4


def _shaken(model: QueryModel) -> QueryModel:
    torch.manual_seed(1)
    return model.train()


def test_a_task_without_weight_takes_no_loss(trained: Trained) -> None:
    model, _ = load_model(trained.run / "model")
    tokenizer = load_tokenizer(trained.run / "model")
    batch = collate(encode([parse(SHOES, "own", intent="product_search")], tokenizer, 48))
    weights = LossConfig(intent=0.0, relations=0.0)
    assert set(losses(model(batch.ids, batch.mask), batch, weights, 0.1)) == {"tags"}
    assert (batch.tags != IGNORED).any()


def test_averaged_weights_are_the_mean_of_the_last_steps() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = AveragedWeights(0.5, 8)
    for step in range(1, 9):
        nn.init.constant_(model.weight, float(step))
        average.after(step, model)
    assert average.count == 5  # after steps 4 to 8
    assert average.weights["weight"].item() == pytest.approx(6.0)
    assert AveragedWeights(0.0, 8).weights == {}

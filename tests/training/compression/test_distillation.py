"""Soft labels of real, tiny teachers, and the losses of a student."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from streams.decoding import softmax
from streams.labels import bio_tags
from tests.training.tiny import encoder_folder
from training.compression.distillation import SoftTags, Teacher, taught
from training.errors import ConfigError, DataError
from training.inference.predict import TorchPredictor
from training.network.objective import consistency_loss, tag_loss
from training.network.query_model import QueryModel
from training.network.tokens import IGNORED, load_tokenizer, piece_targets

TEXTS = ("red shoes", "red case red", "shoes")


def teacher(folder: Path, seed: int) -> Teacher:
    base = encoder_folder(folder, seed)
    model = QueryModel.from_base(base).eval()
    predictor = TorchPredictor(model, load_tokenizer(base))
    return Teacher(predictor, str(seed))  # told apart by it


@pytest.fixture
def first(tmp_path: Path) -> Teacher:
    (tmp_path / "first").mkdir()
    return teacher(tmp_path / "first", 1)


@pytest.fixture
def second(tmp_path: Path) -> Teacher:
    (tmp_path / "second").mkdir()
    return teacher(tmp_path / "second", 2)


def answer(soft: SoftTags, text: str) -> NDArray[np.float32]:
    found = soft.of(text)
    assert found is not None
    return found


def agree(first: NDArray[np.floating], second: NDArray[np.floating]) -> bool:
    return first.shape == second.shape and bool((np.abs(first - second) < 1e-3).all())


def test_a_teacher_answers_every_word_once(first: Teacher) -> None:
    soft = taught([first], TEXTS)
    assert soft.texts == TEXTS
    assert [len(answer(soft, text)) for text in TEXTS] == [2, 3, 1]
    logits = first.predict(["red shoes"]).tag_logits[0]
    assert agree(answer(soft, "red shoes"), softmax(logits))


def test_teachers_are_averaged(first: Teacher, second: Teacher) -> None:
    both = answer(taught([first, second], TEXTS), "shoes")
    one, two = (softmax(t.predict(["shoes"]).tag_logits[0]) for t in (first, second))
    assert agree(both, 0.5 * one + 0.5 * two)


def test_a_word_in_pieces_has_the_answer_of_its_first(first: Teacher) -> None:
    soft = taught([first], ["shoess red"])  # shoes ##s red
    logits = first.predict(["shoess red"]).tag_logits[0]
    assert agree(answer(soft, "shoess red"), softmax(logits[[0, 2]]))


def test_repeated_and_empty_texts_count_once_and_not_at_all(first: Teacher) -> None:
    assert taught([first], ["red", "red", " ", "a\nb"]).texts == ("red",)


def test_a_text_that_a_teacher_cannot_read_to_its_end_is_left_out(first: Teacher) -> None:
    assert taught([first], ["red", "red " * 200]).texts == ("red",)


def test_answers_are_computed_once(first: Teacher, tmp_path: Path) -> None:
    kept, told = tmp_path / "soft.npz", list[int]()
    before = taught([first], TEXTS, kept, told.append)
    assert told == [3]
    after = taught([first], TEXTS, kept, told.append)
    assert told == [3]
    assert np.array_equal(after.probabilities, before.probabilities)
    assert after.made_of == before.made_of


def test_kept_answers_are_known_by_the_digest_they_always_had(first: Teacher) -> None:
    asked = hashlib.sha256(b"1 1.0\nred shoes\nred case red\nshoes").hexdigest()
    assert taught([first], TEXTS).made_of == asked


def test_other_texts_or_another_teacher_are_asked_anew(
    first: Teacher, second: Teacher, tmp_path: Path
) -> None:
    kept, told = tmp_path / "soft.npz", list[int]()
    taught([first], TEXTS, kept, told.append)
    taught([first], TEXTS[:2], kept, told.append)
    taught([second], TEXTS[:2], kept, told.append)
    assert told == [3, 2, 2]


def test_no_teacher_is_an_error() -> None:
    with pytest.raises(ConfigError, match="teacher"):
        taught([], TEXTS)


def test_a_part_of_the_schema_is_spread_over_all_tags() -> None:
    soft = SoftTags(
        texts=("red",),
        offsets=np.array([0, 1]),
        probabilities=np.array([[0.25, 0.5]], np.float16),
        tags=("B-color", "O"),
    )
    found = answer(soft, "red")
    assert found[0, bio_tags().index("O")] == pytest.approx(2 / 3)
    assert found[0, bio_tags().index("B-color")] == pytest.approx(1 / 3)
    assert found.sum() == pytest.approx(1.0)


def test_tags_of_another_schema_are_an_error() -> None:
    with pytest.raises(ConfigError, match="B-planet"):
        SoftTags((), np.array([0]), np.zeros((0, 1), np.float16), ("B-planet",))


def test_rows_that_are_not_one_a_word_are_an_error() -> None:
    with pytest.raises(DataError, match="one row a word"):
        SoftTags(("red",), np.array([0, 2]), np.zeros((1, 1), np.float16), ("O",))


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "other.npz").write_bytes(b"not an archive")
    with pytest.raises(DataError, match="no soft labels"):
        SoftTags.load(tmp_path / "other.npz")
    with pytest.raises(DataError, match="not there"):
        SoftTags.load(tmp_path / "missing.npz")


def test_a_damaged_file_of_answers_is_an_error(first: Teacher, tmp_path: Path) -> None:
    kept = tmp_path / "soft.npz"
    taught([first], TEXTS, kept)
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        DataError, match=r"soft\.npz .* is damaged.*remove it, and let the teachers"
    ):
        SoftTags.load(kept)
    spoilt = bytearray(whole)
    spoilt[len(whole) // 3 : len(whole) // 2] = bytes(len(whole) // 2 - len(whole) // 3)
    kept.write_bytes(spoilt)
    with pytest.raises(DataError):
        SoftTags.load(kept)


def test_no_answers_are_kept_as_none(first: Teacher, tmp_path: Path) -> None:
    taught([first], [" "], tmp_path / "soft.npz")
    assert SoftTags.load(tmp_path / "soft.npz").texts == ()


def test_soft_targets_stand_where_words_begin() -> None:
    soft = np.eye(3, dtype=np.float32)[:2]
    found = piece_targets(soft, [1, 3], 5)
    assert found is not None
    assert found.sum(axis=1).tolist() == [0, 1, 0, 1, 0]


def test_noise_that_changes_the_words_voids_the_soft_targets() -> None:
    assert piece_targets(np.eye(3, dtype=np.float32), [1, 2], 4) is None


def test_without_a_teacher_the_loss_is_the_smoothed_cross_entropy() -> None:
    logits, hard = torch.randn(2, 3, 5), torch.tensor([[1, IGNORED, 2], [0, 4, IGNORED]])
    expected = functional.cross_entropy(
        logits.flatten(0, 1), hard.flatten(), ignore_index=IGNORED, label_smoothing=0.1
    )
    assert tag_loss(logits, hard, None).item() == pytest.approx(expected.item(), abs=1e-6)
    nothing = torch.zeros(2, 3, 5)
    assert tag_loss(logits, hard, nothing).item() == pytest.approx(expected.item(), abs=1e-6)


def test_on_unlabelled_words_the_loss_is_the_teachers_alone() -> None:
    logits, soft = torch.randn(4, 5), torch.rand(4, 5).softmax(-1)
    hard = torch.full((4,), IGNORED)
    expected = functional.cross_entropy(logits, soft)
    assert tag_loss(logits, hard, soft).item() == pytest.approx(expected.item(), abs=1e-6)


def test_label_and_teacher_share_the_loss() -> None:
    logits, soft, hard = torch.randn(4, 5), torch.rand(4, 5).softmax(-1), torch.arange(4)
    expected = 0.7 * functional.cross_entropy(logits, soft) + 0.3 * functional.cross_entropy(
        logits, hard, label_smoothing=0.1
    )
    assert tag_loss(logits, hard, soft).item() == pytest.approx(expected.item(), abs=1e-6)


def test_equal_passes_are_consistent_and_unequal_ones_are_not() -> None:
    first, second, kept = torch.randn(3, 5), torch.randn(3, 5), torch.tensor([True, True, False])
    assert consistency_loss(first, first, kept).item() == 0.0
    apart = consistency_loss(first, second, kept)
    assert apart > 0
    assert apart.item() == pytest.approx(consistency_loss(second, first, kept).item())
    second[2] += 5.0
    assert consistency_loss(first, second, kept).item() == pytest.approx(apart.item())

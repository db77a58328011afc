"""Transitions of tags: counted as they should be, and used where entities are found better with them."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from streams.decoding import Decoder, ModelLabels, ModelOutputs
from streams.labels import ENTITY_TYPES
from streams.tag_transitions import TagTransitions
from tests.streams.samples import LABELS, outputs_of, word_offsets
from tests.training.conftest import Trained
from training.data.examples import Example, TextSpan
from training.data.generator import compose
from training.evaluation.entity_scores import word_tags
from training.export.saved_models import predictor_of
from training.fine_tuning.calibration import calibrate
from training.fine_tuning.session import run_training
from training.fine_tuning.transitions import STRENGTHS, best_place, estimated, fitted, tags_of

_COLOR, _PRODUCT, _CREATOR = (
    ENTITY_TYPES.index(name) + 1 for name in ("color", "core_product_type", "creator")
)


def _marked(text: str, *spans: tuple[str, str]) -> Example:
    found = [TextSpan(kind, text.index(part), text.index(part) + len(part)) for kind, part in spans]
    return Example(text, "test", spans=tuple(found))


_SHOES = _marked("red running shoes", ("color", "red"), ("core_product_type", "running shoes"))


class _Unsure:
    """A model that is sure of every word but the first: a color or, a little likelier, a brand."""

    labels: ModelLabels = LABELS

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        outputs = outputs_of(Decoder(LABELS), [word_offsets(text) for text in texts])
        outputs.tag_logits[:] = 0
        tags = {tag: n for n, tag in enumerate(LABELS.tags)}
        outputs.tag_logits[:, 0, tags["B-color"]] = 9.0
        outputs.tag_logits[:, 0, tags["B-creator"]] = 9.1
        outputs.tag_logits[:, 1, tags["B-core_product_type"]] = 20.0
        outputs.tag_logits[:, 2, tags["I-core_product_type"]] = 20.0
        return outputs


def test_ratios_are_those_of_counts() -> None:
    """By hand: ten texts of one color and one product of two words."""
    found = estimated([_SHOES] * 10)
    kinds = len(ENTITY_TYPES) + 1
    words = 30 + kinds
    prior, rest = 11 / words, (kinds - 2) / words  # of a color's beginning, of all that never was
    begins = prior / (2 * prior + rest)
    assert found.start[_COLOR] == pytest.approx(
        math.log((10 + 10 * begins) / 20) - math.log(prior), abs=1e-3
    )
    assert found.follows[_COLOR][_PRODUCT] == found.start[_COLOR]
    assert found.follows[_COLOR][_COLOR] == pytest.approx(
        math.log(10 * begins / 20) - math.log(prior), abs=1e-3
    )
    assert found.stays[_PRODUCT - 1][0] == pytest.approx(
        math.log(11 / 14) - math.log(prior), abs=1e-3
    )
    assert found.leaves[_COLOR - 1][0] == pytest.approx(math.log(13 / 14), abs=1e-3)
    assert found.follows[_COLOR][_PRODUCT] > 0 > found.follows[_COLOR][_CREATOR]


def test_texts_without_annotation_count_for_nothing() -> None:
    unknown = Example("blue shoes", "test")
    assert estimated([_SHOES, unknown]) == estimated([_SHOES])


def test_words_are_the_decoders() -> None:
    """As entities are scored, but for Latin words in Chinese texts, which are whole."""
    for example in (*compose("products", 200, 3), *compose("requests", 200, 3)):
        names = [
            f"{'BI'[inside]}-{ENTITY_TYPES[kind - 1]}" if kind else "O"
            for kind, inside in tags_of(example)
        ]
        assert names == word_tags(example.text, example.spans or ())
    assert tags_of(
        _marked("华为 mate手机", ("creator", "华为"), ("core_product_type", "手机"))
    ) == [
        (_CREATOR, 0),
        (_CREATOR, 1),
        (0, 0),
        (_PRODUCT, 0),
        (_PRODUCT, 1),
    ]


def test_the_strength_is_the_one_that_finds_entities_best() -> None:
    found = fitted(_Unsure(), [_SHOES] * 50, [_SHOES] * 3, "en")
    assert found is not None
    assert found.strength in STRENGTHS[1:]


def test_a_model_that_is_best_without_has_none() -> None:
    brand = _marked("red running shoes", ("creator", "red"), ("core_product_type", "running shoes"))
    assert fitted(_Unsure(), [_SHOES] * 50, [brand] * 3, "en") is None


@pytest.mark.parametrize(
    ("drawn", "texts"),
    [([], [_SHOES]), ([Example("red shoes", "test")], [_SHOES]), ([_SHOES], []), ([_SHOES], None)],
)
def test_without_annotated_texts_there_are_none(
    drawn: list[Example], texts: list[Example] | None
) -> None:
    unknown = [Example("red shoes", "test")] if texts is None else texts
    assert fitted(_Unsure(), drawn, unknown, "en") is None


def test_one_lucky_strength_does_not_win() -> None:
    assert best_place([0.70, 0.71, 0.70, 0.70, 0.708, 0.709, 0.708]) == 5
    assert best_place([0.7] * 11) == 0
    assert best_place([0.71, 0.70, 0.70]) == 0


def test_calibration_gives_them_for_a_language(tmp_path: Path) -> None:
    own = [_SHOES] * 3
    found = calibrate(_Unsure(), tmp_path, tasks={"tags"}, own=own, drawn=[_SHOES] * 50)
    assert set(found) == {"transitions"}
    assert found["transitions"]["strength"] > 0
    assert np.array(found["transitions"]["follows"]).shape == (23, 23)
    assert calibrate(_Unsure(), tmp_path, tasks=(), own=own, drawn=[_SHOES] * 50) == {}


def test_a_finished_run_gets_them_without_being_trained(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained once more, it is only calibrated: with what an epoch draws, on annotated texts."""
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    calibration = "training.fine_tuning.calibration"
    monkeypatch.setattr(f"{calibration}.load_if_there", lambda *_: compose("products", 60, 9))
    monkeypatch.setattr("training.fine_tuning.transitions.STRENGTHS", (0.25,))
    again = run_training(trained.recipe, run, trained.nothing, measure=False)
    said = again["calibration"]["transitions"]
    assert said["strength"] == 0.25
    assert said["follows"][_COLOR][_PRODUCT] > said["follows"][_PRODUCT][_COLOR]
    kept = {"en": TagTransitions.of(said)}
    assert predictor_of(run).labels.transitions == kept
    weights = [(one / "model/weights.pt").read_bytes() for one in (trained.run, run)]
    assert weights[0] == weights[1]

"""The front tests of itself that no answer depends on the batch, and falls back where one does."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

HEADS = ("intent", "sentiment", "tags", "subject", "object", "vector")


class Kernels:
    """A runtime whose named heads lean on how many rows there are, by a last digit."""

    profile = version = machine = "made up"

    def __init__(self, leaning: Sequence[str]) -> None:
        self.leaning = leaning
        self.most_rows = 0

    def __call__(self, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        self.most_rows = max(self.most_rows, len(ids))
        exact = ids.astype(np.float32)
        leaned = exact + np.float32(1e-6) * len(ids)
        return [leaned if name in self.leaning else exact for name in HEADS]


class Front:
    """The front's model over made-up kernels and the tokenizer of single characters.

    Args:
        module: of the front.
        folder: becomes its model repository.
        runtime: `local` or `bls`, as in a configuration.
        leaning: the heads of each language's encoder that depend on the batch.
    """

    def __init__(
        self,
        module: ModuleType,
        folder: Path,
        patch: pytest.MonkeyPatch,
        runtime: str,
        **leaning: Sequence[str],
    ) -> None:
        self.errors: list[str] = []
        self.kernels = {name: Kernels(heads) for name, heads in leaning.items()}
        logger = SimpleNamespace(log_error=self.errors.append)
        patch.setattr(module.pb_utils, "Logger", logger, raising=False)
        patch.setattr(module, "LocalRuntime", self._local)
        patch.setattr(module, "TritonRuntime", self._behind_triton)
        for language in leaning:
            _write_encoder(folder / f"encoder_{language}" / "1")
        parameters = {
            "labels": json.dumps({"intents": ["a"], "sentiments": ["b"], "tags": ["O"]}),
            "encoder_runtime": runtime,
            "threads": "1",
            **{f"encoder_{language}_version": "1" for language in leaning},
        }
        said = {name: {"string_value": value} for name, value in parameters.items()}
        self.model = module.TritonPythonModel()
        self.model.initialize(
            {
                "model_config": json.dumps({"parameters": said}),
                "model_repository": str(folder / "query_understanding"),
            }
        )

    def _local(self, folder: Path) -> Kernels:
        return self.kernels[folder.parent.name.removeprefix("encoder_")]

    def _behind_triton(self, name: str, _version: str) -> Kernels:
        return self.kernels[name.removeprefix("encoder_")]

    @property
    def sub_batches(self) -> dict[str, int]:
        """How many rows each encoder is given at once."""
        encoders: dict[str, Any] = self.model._encoders
        return {language: encoder.sub_batch for language, encoder in encoders.items()}


def _write_encoder(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # type: ignore[import-untyped] # noqa: PLC0415

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(b"not read")


@pytest.mark.parametrize("head", HEADS)
def test_an_encoder_that_depends_on_the_batch_gets_one_query_at_a_time(
    front: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    made = Front(front, tmp_path, monkeypatch, "local", en=(head,), zh=())
    assert made.kernels["en"].most_rows > 1  # it was seen in a batch
    assert made.sub_batches == {"en": 1, "zh": 64}
    (line,) = made.errors
    assert line.startswith("encoder_en gives other scores in a batch than alone")
    assert "falling back to one query at a time" in line
    made.kernels["en"].most_rows = 0
    assert not made.model._encoders["en"].depends_on_batch()  # and now it is always the same
    assert made.kernels["en"].most_rows == 1


def test_encoders_that_do_not_stay_as_they_are(
    front: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Front(front, tmp_path, monkeypatch, "local", en=(), zh=())
    assert made.sub_batches == {"en": 64, "zh": 64}
    assert made.errors == []
    assert all(kernels.most_rows > 1 for kernels in made.kernels.values())


def test_encoders_behind_triton_are_tested_before_the_first_answer(
    front: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may not be called while the front loads."""
    made = Front(front, tmp_path, monkeypatch, "bls", en=(), zh=("vector",))
    assert made.kernels["zh"].most_rows == 0
    for _ in range(2):  # once
        assert made.model.execute([]) == []
        assert made.sub_batches == {"en": 64, "zh": 1}
        assert [line.partition(" ")[0] for line in made.errors] == ["encoder_zh"]

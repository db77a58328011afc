"""Which space a model's sentence vectors lie in, and what it is called."""

import json
from pathlib import Path

import pytest

from training.bases.encoders import ENCODERS
from training.bases.vector_space import VectorSpace, space_name, space_of
from training.errors import ConfigError
from training.export.saved_models import predictor_of
from training.network.run_folder import manifest_of

_SHIPPED = Path(__file__).resolve().parents[3] / "model_repository"


def test_the_space_of_what_is_served_keeps_its_name() -> None:
    assert VectorSpace.of("all-MiniLM-L6-v2").name == "minilm-l6/1"
    versions = sorted(_SHIPPED.glob("encoder_*/[0-9]*"))
    assert len(versions) >= 3
    for version in versions:
        space = space_of(manifest_of(version))
        assert space == VectorSpace.of("all-MiniLM-L6-v2")
    assert predictor_of(_SHIPPED).labels.vector_space == "minilm-l6/1"


def test_every_encoder_has_a_space_of_its_own(tmp_path: Path) -> None:
    names = [VectorSpace.of(name).name for name in ENCODERS]
    for folder, weights in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        mine = tmp_path / folder / "my base"
        mine.mkdir(parents=True)
        (mine / "config.json").write_text("{}")
        (mine / "model.safetensors").write_bytes(weights)
    one, other, copy = (VectorSpace.of(str(tmp_path / f / "my base")).name for f in "abc")
    assert one == copy
    assert one.startswith("my-base-")
    assert len({*names, one, other}) == len(names) + 2


def test_a_manifest_says_it_and_one_of_before_means_what_all_declared() -> None:
    said = {"vector_space": {"encoder": "bases/mine", "name": "mine-12345678/1"}}
    assert space_of(said) == VectorSpace("bases/mine", "mine-12345678/1")
    assert space_of({"vector_space": None}) is None
    assert space_name({"vector_space": None}) == ""
    assert space_name({}) == space_name({"arguments": {}}) == "minilm-l6/1"
    untaught = {"loss": {"vector": 0.0}}
    assert space_of({"arguments": untaught}) is None
    begun = untaught | {"model": {"start": "model_repository/encoder_en/6"}}
    assert space_name({"arguments": begun}) == "minilm-l6/1"
    with pytest.raises(ConfigError, match="vector_space is damaged"):
        space_of(json.loads('{"vector_space": {"name": "x/1"}}'))

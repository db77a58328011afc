"""`intentstream evaluate`, for real: a tiny model, files of one's own, the page, another model, Triton."""

import asyncio
import json
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner, Result

from streams.decoding import Decoder
from streams.labels import INTENTS, SENTIMENTS
from tests.training.conftest import Shipped, Trained
from tests.training.tiny_run import write_jsonl
from training import cli
from training.data.examples import Example
from training.data.generator import compose
from training.errors import ConfigError, DataError
from training.evaluation import command
from training.evaluation.bars import judged
from training.evaluation.chinese import EnglishVectors
from training.evaluation.entity_scores import entity_scores, words_of
from training.evaluation.figures import Step, intent_metrics, steps_on
from training.evaluation.measuring import Measured, measured
from training.evaluation.metrics import count
from training.evaluation.opened_models import OpenModel, opened
from training.evaluation.report import figures_with_slices
from training.evaluation.run_figures import measure_of
from training.export.model_card import card
from training.export.saved_models import predictor_of
from training.inference.answers import Asked, answers_of
from training.network.run_folder import RunFolder
from workers.embedded.triton import EmbeddedTriton

_VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page whose elements all close, in order; what it would fetch; its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in _VOID:
            self.open.append(tag)
        self.fetched += [
            value or ""
            for name, value in attrs
            if name in ("src", "href") and value[:1] != "#"  # type: ignore[index] # no link is empty
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's own file, with a wrong label and a text that is no friend."""
    folder = tmp_path_factory.mktemp("a shop's own")
    requests = compose("requests", 150, 21)
    hostile = Example(
        "<script>alert(1)</script> write to jane.doe@example.com", "own", intent="newsletter"
    )
    return write_jsonl(
        folder / "held out.jsonl", [*requests, *compose("products", 80, 22), hostile]
    )


def test_a_served_model_on_ones_own_texts_with_a_page(
    shipped: Shipped, own: Path, tmp_path: Path
) -> None:
    done = evaluate(shipped.repository, "--on", own, "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "report" / "evaluation.json").read_text("utf-8"))
    figures = facts["figures"]
    tasks = ("entities", "intents", "sentiment", "relations")
    assert set(figures) == {f"{task}_held_out" for task in tasks}
    assert figures["intents_held_out"]["accuracy"] > 0.3
    assert {"untyped_f1", "precision_by_type"} <= set(figures["entities_held_out"])
    assert {s["dimension"] for s in facts["slices"]} >= {"length", "written style", "typing noise"}
    html = (tmp_path / "report" / "evaluation.html").read_text("utf-8")
    page = Page(html)
    assert page.fetched == []
    assert "script" not in page.names
    assert page.names.count("svg") >= 5
    assert "jane" not in html + (tmp_path / "report" / "label_errors.jsonl").read_text("utf-8")
    for line in (tmp_path / "report" / "label_errors.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line)["given"] != json.loads(line)["suggested"]
    written = [f"written: {file}" for file in sorted((tmp_path / "report").iterdir())]
    assert sorted(line for line in done.stderr.splitlines() if "written" in line) == written


def test_a_place_that_cannot_be_written_is_said_before_anything_is_opened(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", "utf-8")
    for option in (("--report", taken), ("--json", taken / "facts.json")):
        assert "cannot be written" in evaluate(tmp_path / "nowhere", *option).stderr
    kept = tmp_path / "facts.json"
    kept.write_text("mine", "utf-8")
    refused = evaluate(tmp_path / "nowhere", "--json", kept, "--report", tmp_path / "new")
    assert "there is no model at" in refused.stderr
    assert kept.read_text("utf-8") == "mine"
    assert not list((tmp_path / "new").iterdir())


def test_a_few_texts_are_no_table_of_kinds(shipped: Shipped, tmp_path: Path) -> None:
    few = write_jsonl(tmp_path / "few.jsonl", compose("requests", 12, 3))
    done = evaluate(shipped.repository, "--on", few)
    assert "too few texts to compare kinds of them" in done.stdout
    assert "the rest" not in done.stdout


def test_a_recipe_says_how_a_csv_is_read(shipped: Shipped, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("message,topic\nwhere is my parcel,WISMO\nbuy cheap pills,SPAM\n", "utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
[data.generated]
requests = 1
[[data.validation]]
path = {json.dumps(str(table))}
[data.validation.columns]
text = "message"
intent = "topic"
[data.validation.columns.label_map]
WISMO = "track_order"
SPAM = ""
""",
        encoding="utf-8",
    )
    out = tmp_path / "facts.json"
    done = evaluate(shipped.repository, "--recipe", recipe, "--json", out)
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text("utf-8"))["figures"]["intents_mine"]["examples"] == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("wrong.csv", "text,intent\nred shoes,shopping\n", "not have intent 'shopping' (1x"),
        ("columns.csv", "query,label\nred shoes,product_search\n", "has no column 'text'"),
        ("unlabelled.csv", "text,topic\nred shoes,product_search\n", "texts without any label"),
        ("tags.conll", "red color\nshoes B-core_product_type\n", "'color' is not a BIO tag"),
        ("kind.xlsx", "x", "unknown kind of file '.xlsx'"),
        ("offsets.jsonl", '{"text": "a", "entities": [{"type": "color", "start": 0, "end": 9}]}\n',
         "leaves the text"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(
    shipped: Shipped, tmp_path: Path, name: str, content: str, said: str
) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    done = evaluate(shipped.repository, "--on", file)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_the_public_sets_are_named_where_there_is_none_of_a_name(shipped: Shipped) -> None:
    done = evaluate(shipped.repository, "--on", "tweets")
    assert done.exit_code == 1
    assert "no public set is called tweets" in done.stderr
    assert "tweeteval" in done.stderr


def test_without_a_data_folder_a_run_is_measured_by_ones_own_and_hand_written_texts(
    trained: Trained, own: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    arguments: dict[str, Any] = trained.manifest["arguments"]  # type: ignore[assignment] # JSON
    data = arguments["data"] | {"validation": [{"path": str(own), "columns": {}}]}
    run.record(arguments=arguments | {"data": data})
    figures = measure_of(tmp_path, trained.nothing)(predictor_of(trained.run))
    assert {"intents_held_out", "relations_held_out", "relations_crossed"} <= set(figures)
    assert figures["slices"]["tested"] > 0
    with pytest.raises(DataError, match="queryner"):
        measure_of(tmp_path, tmp_path)


def test_without_a_data_folder_evaluate_measures_what_needs_none_and_leaves_the_runs_figures(
    trained: Trained, tmp_path: Path
) -> None:
    out = tmp_path / "facts.json"
    before = RunFolder(trained.run).manifest()
    done = evaluate(trained.run, "--data", trained.nothing, "--json", out)
    assert done.exit_code == 0, done.output
    assert f"no data folder {trained.nothing}: no public set is measured" in done.stderr
    assert "--data" in done.stderr
    figures = json.loads(out.read_text("utf-8"))["figures"]
    assert {"intents_hand_written", "relations_crossed"} <= set(figures)
    assert "entities_queryner_validation" not in figures
    assert RunFolder(trained.run).manifest() == before


def test_a_validation_file_takes_no_name_of_the_projects_own_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "hand_written.csv"
    table.write_text("text,intent\nred shoes,product_search\n", "utf-8")
    data = {"validation": [{"path": str(table), "columns": {}}]}
    RunFolder(tmp_path / "run").record(arguments={"data": data})
    names: list[str] = []

    def nothing(_model: object, steps: list[Step], _brands: object) -> Measured:
        names.extend(step.name for step in steps)
        return Measured(_model, {}, {})  # type: ignore[arg-type] # it is not looked at

    monkeypatch.setattr("training.evaluation.run_figures.measured", nothing)
    measure_of(tmp_path / "run", tmp_path / "no data")(None)  # type: ignore[arg-type] # nor asked
    assert {"intents_hand_written", "intents_hand_written_2"} <= set(names)
    assert len(names) == len(set(names))


def test_a_model_folder_is_of_its_runs_language(trained: Trained, tmp_path: Path) -> None:
    copytree(trained.run / "model", tmp_path / "model")
    RunFolder(tmp_path).record(**trained.manifest | {"language": "zh"})
    for name in (tmp_path, tmp_path / "model"):
        with opened(str(name)) as model:
            assert model.languages == ("zh",)
            assert model.predictor(["红色的鞋子"]).languages == ("zh",)


def test_each_model_is_held_against_the_english_of_its_own_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def project(_data: object, _languages: object, english: EnglishVectors) -> list[Step]:
        return [Step("zh_vectors", 0, lambda model: {"english": english(model)})]

    def model(place: float) -> OpenModel:
        def english(_: object) -> Any:
            return np.full(2, place)

        return OpenModel("", "", None, ("zh",), english)  # type: ignore[arg-type] # it is not asked

    monkeypatch.setattr("training.evaluation.measured_texts.project_steps", project)
    both = model(1.0), model(2.0)
    steps, _, _ = command._texts(command.Wanted("now", tmp_path, before="then"), *both)
    found = [steps(one)[0].figures(None)["english"][0] for one in both]  # type: ignore[arg-type] # nor here
    assert found == [1.0, 2.0]


def test_names_that_are_no_model_or_no_file_are_said(shipped: Shipped, tmp_path: Path) -> None:
    assert "there is no model at" in evaluate(tmp_path / "nowhere").stderr
    assert "is not there" in evaluate(shipped.repository, "--on", tmp_path / "gone.csv").stderr
    assert "names no port" in evaluate("--triton", "localhost").stderr
    refused = evaluate("--triton", "127.0.0.1:9")
    assert refused.exit_code == 1
    assert "does not answer" in refused.stderr


def test_before_and_after_are_held_against_each_other(
    trained: Trained, shipped: Shipped, own: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    done = evaluate(trained.run, "--before", shipped.exported.folder, "--on", own, "--report", out)
    assert done.exit_code == 0, done.output
    facts = json.loads((out / "evaluation.json").read_text("utf-8"))
    assert facts["model"]["kind"] == "run, as its fp32 graph"
    assert facts["before"]["kind"] == "exported encoder"
    changes = {(c["measured"], c["kind"], c["name"]): c for c in facts["changes"]}
    whole = changes["intents_held_out", "", "accuracy"]
    assert whole["difference"]["low"] <= whole["after"] - whole["before"] + 1e-4
    assert any(kind for _, kind, _ in changes)
    assert "Before and after" in Page((out / "evaluation.html").read_text("utf-8")).text


def test_a_repository_answers_by_script_as_its_front_does(shipped: Shipped) -> None:
    texts = ["red shoes", "新しい靴", "where is my order", "красные туфли"]
    with opened(str(shipped.repository)) as model:
        outputs = model.predictor(texts)
    assert outputs.languages == ("en", "und", "en", "und")
    found = Decoder(model.predictor.labels).decode(outputs, texts)
    alone = answers_of(predictor_of(shipped.repository), texts).found
    assert (found[0], found[2]) == (alone[0], alone[2])
    assert not found[1].spans


def test_a_text_in_another_script_is_wrong_and_no_part_of_calibration(shipped: Shipped) -> None:
    other = Example("красные туфли", "own", intent=INTENTS[0], sentiment=SENTIMENTS[0])
    examples = [other, *compose("requests", 10, 3)]
    with opened(str(shipped.repository)) as model:
        alone = intent_metrics(model.predictor, [other])
        studies = measured(model, steps_on("own", examples), {}, shown=False).studies
    assert (alone["accuracy"], alone["calibration_error"]) == (0.0, 0.0)
    for study in (studies["intents_own"], studies["sentiment_own"]):
        assert sum(one.count for one in study.bins) == len(study.tally) - 1


def test_a_graph_of_another_contract_is_refused(shipped: Shipped, tmp_path: Path) -> None:
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1])
    made = helper.make_tensor_value_info("intent", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["pixels"], ["intent"])
    graph = helper.make_graph([node], "other", [given], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    tokenizer = (shipped.exported.folder / "tokenizer.json").read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(tokenizer)
    with pytest.raises(ConfigError, match="no output 'sentiment'"), opened(str(tmp_path)):
        pass


@pytest.mark.parametrize("graph", ["text", "cut off", "empty"])
def test_a_graph_that_cannot_be_read_is_said(shipped: Shipped, tmp_path: Path, graph: str) -> None:
    whole = (shipped.exported.folder / "model.onnx").read_bytes()
    content = {"text": b"not a graph", "cut off": whole[: len(whole) // 2], "empty": b""}[graph]
    (tmp_path / "model.onnx").write_bytes(content)
    tokenizer = (shipped.exported.folder / "tokenizer.json").read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(tokenizer)
    done = evaluate(tmp_path)
    assert done.exit_code == 1
    assert "model.onnx is no ONNX model" in done.stderr
    assert "intentstream export" in done.stderr


def test_a_tokenizer_that_is_not_the_models_is_said(shipped: Shipped, tmp_path: Path) -> None:
    graph = (shipped.exported.folder / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(graph)
    (tmp_path / "tokenizer.json").write_bytes(b'{"a": 1')
    with pytest.raises(ConfigError, match="is no tokenizer"), opened(str(tmp_path)):
        pass
    larger = next(Path("model_repository/encoder_en").glob("[0-9]*/tokenizer.json"))
    (tmp_path / "tokenizer.json").write_bytes(larger.read_bytes())
    with opened(str(tmp_path)) as model, pytest.raises(ConfigError, match="from one export"):
        model.predictor(["zealous zebras"])


def test_a_text_is_asked_once(shipped: Shipped) -> None:
    asked: list[int] = []
    model = predictor_of(shipped.repository)

    class Counted:
        labels = model.labels

        def __call__(self, texts: list[str]) -> object:
            asked.append(len(texts))
            return model(texts)

    remembering = Asked(Counted())  # type: ignore[arg-type] # a list is a sequence
    first = remembering.answers(["red shoes", "refund", "red shoes"])
    again = remembering.answers(["refund"])
    assert asked == [2]
    assert np.array_equal(again.intents[0], first.intents[1])
    assert again.found[0] == first.found[1]


def test_seqeval_counts_what_sets_of_spans_count(shipped: Shipped) -> None:
    examples = compose("products", 150, 9)
    texts = [e.text for e in examples]
    found = answers_of(predictor_of(shipped.repository), texts).found
    scores = entity_scores(
        texts, [(a.spans, e.spans or ()) for a, e in zip(found, examples, strict=True)]
    )

    def places(text: str, spans: object) -> set[tuple[str, int, int]]:
        return {(s.type, *words_of(text, s.start, s.end)) for s in spans}  # type: ignore[attr-defined] # spans of either kind

    counted = count(
        (places(e.text, a.spans), places(e.text, e.spans))
        for a, e in zip(found, examples, strict=True)
    )
    assert scores["f1"] == pytest.approx(
        counted.f1, abs=0.01
    )  # a word has one tag, but may have two spans
    assert scores["entities"] == pytest.approx(counted.there, abs=3)


def test_a_card_says_who_is_served_worse(shipped: Shipped) -> None:
    examples = compose("requests", 120, 31)
    with opened(str(shipped.repository)) as model:
        found = measured(model, steps_on("mine", examples), {}, shown=False)
    figures = figures_with_slices(found)
    manifest = json.loads((shipped.exported.folder / "manifest.json").read_text("utf-8"))
    text = card(manifest | {"figures": figures}, 1, 1000)
    fairness = text.partition("## Fairness")[2].partition("## ")[0]
    assert f"of {figures['slices']['tested']} kinds of texts" in fairness
    assert "typing noise: one typing mistake" in fairness


def test_bars_stand_beside_what_was_measured_and_only_that() -> None:
    found = {
        "entities_queryner_validation": {"f1": 0.73},
        "entities_queryner_one_typo": {"f1": 0.66},
    }
    by_name = {one.name: one for one in judged(found)}
    assert len(by_name) == 2
    assert by_name["entities, QueryNER validation: typed F1"].reached
    drop = by_name["entities, one typo per query: drop of F1"]
    assert drop.value == pytest.approx(0.07)
    assert not drop.reached


async def test_what_triton_serves_is_what_its_files_say(
    triton: EmbeddedTriton, tmp_path: Path
) -> None:
    texts = write_jsonl(tmp_path / "texts.jsonl", compose("requests", 30, 3))
    served, files = tmp_path / "served.json", tmp_path / "files.json"
    for out, model in ((served, f"grpc://{triton.grpc_address}"), (files, "model_repository")):
        done = await asyncio.to_thread(evaluate, model, "--on", texts, "--json", out)
        assert done.exit_code == 0, done.output
    one, other = (json.loads(out.read_text("utf-8")) for out in (served, files))
    assert one["model"]["languages"] == other["model"]["languages"] == ["en", "zh"]
    accuracies = [facts["figures"]["intents_texts"]["accuracy"] for facts in (one, other)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.04)

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from training.config import FileConfig, TrainConfig
from training.data.corpus import load_corpus
from training.errors import ConfigError
from training.recipe_page import described, render
from training.recipes import config_of, load_config, recipe_at

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"
ENOUGH = "[data.generated]\nrequests = 10\n"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_of_the_project_is_valid(path: Path) -> None:
    config = load_config(path)
    assert not config.data.unlicensed


@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "experiments").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_experiment_is_valid_and_holds_out_what_decides(path: Path) -> None:
    config = load_config(path)
    assert not set(config.data.validation_sources) & set(config.data.sources)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede = 1", "unknown name 'sede'"),
        ("[optimizer]\nlearning_rat = 1", "unknown name 'learning_rat'"),
        ("[optimizer]\nepochs = 0\n" + ENOUGH, "epochs must be at least 1"),
        ("[optimizer]\nlearning_rate = 3\n" + ENOUGH, "learning_rate must lie"),
        ('[optimizer]\nbatch = "many"\n' + ENOUGH, "batch = 'many' is not a int"),
        ("[model]\ndropout = 1.5\n" + ENOUGH, "dropout must lie"),
        ('[model]\nlanguage = "fr"\n' + ENOUGH, "language is one of en, zh"),
        ("[data]\nvalidation_sources = [1]\n" + ENOUGH, "is not a list of words"),
        ('[data]\non_leak = "ignore"\n' + ENOUGH, "on_leak is"),
        ("[data.sources]\nqueryner = -2\n", "a count of examples"),
        ("[data.generated]\nrequests = -1\n", "of them there is no all"),
        ("seed = 1", "nothing to train on"),
        ('[optimizer]\nkind = "adam"\n' + ENOUGH, "kind is one of adamw, sgd"),
        ("[optimizer]\nepochs = true\n" + ENOUGH, "epochs = True is not a int"),
        ("[optimizer]\nlearning_rate = nan\n" + ENOUGH, "learning_rate = nan is not a finite"),
        ("[optimizer]\nclip = inf\n" + ENOUGH, "clip = inf is not a finite"),
        ("[loss]\ntags = inf\n" + ENOUGH, "tags = inf is not a finite"),
        ("[optimizer]\naccumulate = 0\n" + ENOUGH, "accumulate must be"),
        ("[loss]\nintent = -1\n" + ENOUGH, "a loss weight must be"),
        ("[loss]\ntags = 0\nconsistency = 1\n" + ENOUGH, "consistency is that of tags"),
        ('[tuning]\nmethod = "qlora"\n' + ENOUGH, "method is one of full, lora"),
        ('[tuning]\nmethod = "lora"\nfreeze = "layers"\n' + ENOUGH, "freeze goes with full"),
        ("[tuning]\nrank = 0\n" + ENOUGH, "rank, bottleneck and prefix are 1"),
        ("[data]\ncasing = 2\n" + ENOUGH, "noise is a probability"),
        ('[data]\nstop_words = "the"\n' + ENOUGH, "is not a list of words"),
        ("[data]\ndrop_stop_words = 0.5\n" + ENOUGH, "needs a list of stop_words"),
        ("seed = = 1", "is not TOML"),
        ("data = 5", "data.* = 5 is not a table"),
        ("[data]\nsources = 3\n", "sources = 3 is not a table"),
        ('[data]\nfiles = "own.csv"\n', r"not a list of tables.*\[\[data.files\]\]"),
    ],
)
def test_nonsense_is_said_before_the_first_step(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_the_projects_recipes_go_by_name_and_a_file_of_ones_own_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_at(Path("quick")) == CONFIGS / "quick.toml"
    (tmp_path / "quick").touch()
    assert recipe_at(Path("quick")) == Path("quick")
    assert recipe_at(Path("gone")) == Path("gone")


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    with pytest.raises(ConfigError, match=r"no configuration at .*chinese, english, .*quick"):
        load_config(tmp_path / "gone.toml")


def test_data_without_a_licence_for_it_cannot_train_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[data.sources]\nairline_tweets = -1\n" + ENOUGH, encoding="utf-8")
    with pytest.raises(ConfigError, match="licence of airline_tweets"):
        load_corpus(load_config(path).data, tmp_path, 1)


def test_arguments_of_an_older_run_are_read_with_todays_defaults() -> None:
    older = {"data": {"generated": {"requests": 10}}, "seed": 2}
    assert config_of(older).seed == 2
    assert config_of(older).tuning == TrainConfig().tuning


def test_every_key_is_described() -> None:
    kinds = [FileConfig, TrainConfig, *(f.type for f in fields(TrainConfig))]
    for kind in filter(is_dataclass, kinds):
        assert list(described(kind)[1]) == [f.name for f in fields(kind)]


def test_the_page_of_recipes_is_the_one_that_is_committed() -> None:
    page = (CONFIGS.parents[1] / "docs" / "recipes.md").read_text("utf-8")
    assert page == render(), "run: python -m training.recipe_page > docs/recipes.md"

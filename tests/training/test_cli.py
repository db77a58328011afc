import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from training import cli
from training.environment import require_extra
from training.errors import MissingExtraError


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[train\]'"):
        require_extra(("torch_is_not_here",))


def test_the_commands_load_nothing_heavy() -> None:
    code = "import sys, training.cli; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_an_error_is_one_message_and_status_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli.app, ["train", "--config", str(tmp_path / "gone.toml"), "--run", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "error: no configuration at" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "gone"], "there is no run in gone"),
        (["export", "--tolerance", "-1"], "--tolerance"),
        (["train", "--config", "training/configs/quick.toml", "--run", __file__], "run's folder"),
    ],
)
def test_nonsense_arguments_are_said(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code != 0
    assert said in result.stderr


@pytest.mark.parametrize("command", ["train", "distill", "pretrain", "evaluate", "export"])
def test_every_commands_help_shows_commands_that_are_read(command: str) -> None:
    result = CliRunner().invoke(cli.app, [command, "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    assert "\\[" not in result.stdout
    named = re.findall(r"^ *intentstream (train|distill|pretrain|evaluate|export)((?: .*)?)$",
                       result.stdout.replace("\\", ""), re.MULTILINE)  # fmt: skip
    assert command in {name for name, _ in named}
    commands = typer.main.get_group(cli.app).commands
    for name, rest in named:
        known = {option for one in commands[name].params for option in one.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


def test_tables_of_a_recipe_are_named_in_the_help() -> None:
    for command, table in (("train", "[search]"), ("distill", "[distillation.texts]")):
        assert table in CliRunner().invoke(cli.app, [command, "--help"]).stdout

"""`intentstream enrich` says what is wrong before it connects to anything."""

import os
import subprocess
import sys

import pytest

SECRET = {"INTENTSTREAM_PSEUDONYMS__SECRET": "ab" * 16}


def enrich(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", "enrich", *arguments],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ((), {}, "INTENTSTREAM_PSEUDONYMS__SECRET is not set"),
        (("--from", "tomorrow"), SECRET, "INTENTSTREAM_START: use earliest, latest or time:"),
        ((), SECRET | {"INTENTSTREAM_TRITON__TIMEOUT_S": "1"}, "INTENTSTREAM_TRITON__TIMEOUT_S"),
        ((), SECRET | {"INTENTSTREAM_KAFKA_BOOTSTRAP": "x"}, "did you mean"),
    ],
)
def test_a_wrong_setting_is_named(
    arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    done = enrich(*arguments, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_what_one_needs() -> None:
    said = enrich("--help").stdout
    for word in ("--kafka", "--triton", "--from", "--skip-lost", "Exit codes"):
        assert word in said

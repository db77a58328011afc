"""`intentstream personalize` takes its addresses from options, and names a wrong one."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kafka", "broker:port"), "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS"),
        (("--redis", "localhost:6379"), "url must begin with redis://"),
        (("--prefix", "a b"), "INTENTSTREAM_PREFIX"),
    ],
)
def test_a_wrong_option_is_named(arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "personalize", *arguments],
        env={"PATH": os.environ["PATH"], "INTENTSTREAM_PSEUDONYMS__SECRET": "ab" * 16},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr

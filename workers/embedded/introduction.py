"""What `intentstream up` tells its user: what runs where, and what to try."""

import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from workers.embedded.run_env import RUN_DIR
from workers.embedded.stack import EmbeddedStack


def introduction(stack: EmbeddedStack, run_dir: Path, seconds: float) -> str:
    """Said once when everything is up, which took `seconds`."""
    addresses = stack.addresses
    command = (
        _command() if run_dir == RUN_DIR else f"{_command()} --run-dir {shlex.quote(str(run_dir))}"
    )
    http = f", {addresses.triton_http} (HTTP)" if addresses.triton_http else ""
    return f"""
Everything is up after {seconds:.1f} s.
  Kafka   {addresses.kafka}
  Triton  {addresses.triton} (gRPC){http}
  Redis   {addresses.redis}
  logs    {stack.logs}

Try, from this folder in another terminal:
  {command} profile u-1                        what is known of a user
  {command} dead list                          what could not be processed, and why
  {command} replay --from -10m --to latest     the same again: is every answer identical?
  {command} doctor                             every connection, the topics and the model

Ctrl-C stops everything.
"""


def footer(stack: EmbeddedStack) -> str:
    """Two lines that stay on the screen."""
    addresses = stack.addresses
    return (
        f"Kafka {addresses.kafka}   Triton {addresses.triton}   Redis {addresses.redis}\n"
        f"In another terminal: {_command()} profile u-1      Ctrl-C stops everything"
    )


def _command() -> str:
    """How this command can be called again from here."""
    found = shutil.which("intentstream")
    ours = Path(sys.argv[0])
    if found is not None and ours.exists() and Path(found).samefile(ours):
        return "intentstream"
    with suppress(ValueError):
        ours = ours.absolute().relative_to(Path.cwd())
    return shlex.quote(str(ours))

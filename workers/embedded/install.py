"""Fetching and laying out all that the embedded stack needs, ahead of its first start."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from workers.embedded import kafka, preflight, triton_runtime
from workers.embedded.concurrency import in_thread, side_by_side
from workers.embedded.home import state_folder
from workers.embedded.progress import Phase, Progressed, Report, shown, silent
from workers.embedded.valkey import valkey_binary
from workers.errors import IntentstreamError

_PARTS = ("kafka", "triton", "valkey")


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the parts are.

    Attributes:
        kafka: The folder of Kafka's jars.
        java: The launcher that runs them.
        triton: The root of the Python that Triton lives in.
        valkey: The server's binary.
    """

    kafka: Path
    java: Path
    triton: Path
    valkey: Path


async def install_all(report: Report = silent) -> Installed:
    """Install what is missing; does nothing where all is there.

    Raises:
        PreflightError: This machine lacks something; the error names the command that mends it.
        InstallError: A part could not be fetched or checked.
    """
    downloads = kafka.needs_download() + triton_runtime.needs_download()
    preflight.require(preflight.find_problems(Path.cwd(), _PARTS, download_bytes=downloads))
    valkey = valkey_binary()
    report(Progressed("valkey", Phase.READY, str(valkey)))
    node, triton = await side_by_side(_install_kafka(report), _install_triton(report))
    return Installed(node.libs, node.java, triton, valkey)


async def _install_kafka(report: Report) -> kafka.KafkaRuntime:
    runtime = await kafka.prepare_kafka(report)
    report(Progressed("kafka", Phase.READY, f"{runtime.libs}, run by {runtime.java}"))
    return runtime


async def _install_triton(report: Report) -> Path:
    python = await in_thread(triton_runtime.install_triton, report)
    report(Progressed("triton", Phase.READY, str(python)))
    return python


def main() -> int:
    """``python -m workers.embedded.install``: install all and say where it is. Returns an exit code."""
    try:
        with shown() as report:
            asyncio.run(install_all(report))
    except IntentstreamError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"installed in {state_folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

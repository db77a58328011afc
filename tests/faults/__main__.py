"""`python -m tests.faults`: the fault suite as a command; exits 1 when a promise was broken."""

import argparse
import asyncio
import logging
import secrets
import sys
import tempfile
from pathlib import Path

from tests.faults.chain import SMALL, shipped_model
from tests.faults.run import Plan, as_json, run, table
from tests.faults.schedule import counted, draw_schedule

_SHOWN = 30


def main() -> int:
    """Runs one schedule. The table goes to stdout, all else to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs in the schedule")
    parser.add_argument("--seed", type=int, help="repeats a run; drawn and printed where not given")
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between faults")
    parser.add_argument("--rate", type=float, default=60.0, help="records a second")
    parser.add_argument("--small-model", action="store_true", help="the tests' own model")
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of the table")
    parser.add_argument("--keep", type=Path, help="run here, and keep logs and data")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers are away is the point
    seed = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed
    faults = draw_schedule(seed, kills=chosen.kills, every_s=chosen.every)
    told = f"--seed {seed} --kills {chosen.kills} --every {chosen.every:g} --rate {chosen.rate:g}"
    print(f"{told}: {dict(counted(faults))}, {faults[-1].at:.0f} s", file=sys.stderr)
    model = SMALL if chosen.small_model else shipped_model()
    plan = Plan(seed, faults, chosen.rate, model)
    with tempfile.TemporaryDirectory(prefix="intentstream-faults-") as scratch:
        outcome = asyncio.run(run(plan, chosen.keep or Path(scratch)))
    print(as_json(outcome) if chosen.json else table(outcome))
    for line in (*outcome.restarts, *outcome.bad_ends, *outcome.problems[:_SHOWN]):
        print(line, file=sys.stderr)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())

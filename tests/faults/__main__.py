"""`python -m tests.faults`: the fault suite as a command; exits 1 when a promise was broken."""

import argparse
import asyncio
import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tests.faults.chain import SMALL, shipped_model
from tests.faults.report import as_json, table
from tests.faults.run import Outcome, Plan, run
from tests.faults.schedule import Guarantee, counted, draw_schedule

_SHOWN = 30


def main() -> int:
    """Runs a schedule for each guarantee. The table goes to stdout, all else to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs in all schedules together")
    parser.add_argument("--seed", type=int, help="repeats a run; drawn and printed where not given")
    parser.add_argument("--every", type=float, default=4.0, help="mean seconds between faults")
    parser.add_argument("--rate", type=float, default=60.0, help="records a second")
    parser.add_argument("--guarantee", choices=get_args(Guarantee), help="only this one")
    parser.add_argument("--small-model", action="store_true", help="the tests' own model")
    parser.add_argument("--json", action="store_true", help="lines of JSON instead of the table")
    parser.add_argument("--keep", type=Path, help="run here, and keep logs and data")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers are away is the point
    outcomes = []
    for plan in _plans(chosen):
        told = f"--seed {plan.seed} --kills {chosen.kills} --every {chosen.every:g}"
        faults = f"{dict(counted(plan.faults))}, {plan.faults[-1].at:.0f} s"
        print(f"{told} --rate {plan.rate:g}: {plan.guarantee}, {faults}", file=sys.stderr)
        outcomes.append(_outcome(plan, chosen.keep))
        if chosen.json:
            print(as_json(outcomes[-1]), flush=True)
        else:
            print(f"{table(outcomes[-1])}\n", file=sys.stderr)
    if not chosen.json:
        print(table(*outcomes))
    for one in outcomes:
        for line in (*one.restarts, *one.bad_ends, *one.problems[:_SHOWN]):
            print(f"{one.plan.guarantee}: {line}", file=sys.stderr)
    return 1 if any(one.problems for one in outcomes) else 0


def _plans(chosen: argparse.Namespace) -> Iterator[Plan]:
    """The kills are shared out among the guarantees."""
    seed = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed
    model = SMALL if chosen.small_model else shipped_model()
    guarantees = [chosen.guarantee] if chosen.guarantee else get_args(Guarantee)
    for guarantee in guarantees:
        faults = draw_schedule(seed, kills=chosen.kills // len(guarantees), every_s=chosen.every)
        yield Plan(seed, faults, chosen.rate, model, guarantee)


def _outcome(plan: Plan, keep: Path | None) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="intentstream-faults-") as scratch:
        folder = Path(scratch) if keep is None else keep / plan.guarantee
        folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(run(plan, folder))


if __name__ == "__main__":
    sys.exit(main())

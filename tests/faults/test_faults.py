"""The fault suite in small, so that every run of the tests has it; `make faults` is the long one."""

from pathlib import Path

import pytest

from tests.faults.chain import SMALL
from tests.faults.report import table
from tests.faults.run import Plan, run
from tests.faults.schedule import ENRICHERS, Fault, FaultKind, Guarantee

SHORT = (
    Fault(FaultKind.KILL, "enricher-1", 0.5, 0.5),
    Fault(FaultKind.FREEZE, "enricher-2", 1.5, 4.0),
    Fault(FaultKind.KILL, "triton", 3.0, 0.5),
    Fault(FaultKind.KILL, "valkey", 3.5, 0.5),
    Fault(FaultKind.KILL, "personalizer-1", 5.0, 0.0),
    Fault(FaultKind.KILL, "kafka", 7.0, 3.0),
    Fault(FaultKind.KILL, "personalizer-1", 7.2, 0.0),  # starts while Kafka is away
    Fault(FaultKind.TERMINATE, "enricher-3", 8.0, 0.5),
)
SHORT_TOO = (
    Fault(FaultKind.KILL, "enricher-1", 0.5, 0.5),
    Fault(FaultKind.FREEZE, "enricher-2", 1.5, 4.0),
    Fault(FaultKind.CRASH, "model", 2.0, 0.0),
    Fault(FaultKind.CUT, "kafka", 6.0, 1.0),
    Fault(FaultKind.RELOAD, "model", 7.0, 0.5),
    Fault(FaultKind.KILL, "enricher-3", 8.0, 0.0),
)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("guarantee", "faults"), [("at_least_once", SHORT), ("exactly_once", SHORT_TOO)]
)
async def test_nothing_is_lost_doubled_or_reordered_whatever_dies(
    tmp_path: Path, guarantee: Guarantee, faults: tuple[Fault, ...]
) -> None:
    """CASES 1, 3, 4, 5, 10, 20, 21, 25, 30, 34, 35, 59, 62, 64, 65."""
    outcome = await run(Plan(1, faults, rate=40, model=SMALL, guarantee=guarantee), tmp_path)
    shown = "\n".join([table(outcome), *outcome.restarts, *outcome.problems])
    assert outcome.problems == [], shown
    assert outcome.restarts == [], shown
    assert outcome.verdict.records > 200, shown
    assert outcome.parity.users == 40, shown
    assert outcome.erasures > 3, shown
    assert outcome.repeated > 3, shown


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_rolling_restart_repeats_nothing(tmp_path: Path) -> None:
    """CASES 10, 20: a worker that stops in order has committed all that it has published."""
    faults = [
        Fault(FaultKind.TERMINATE, name, 1 + 12.0 * n, 1.0) for n, name in enumerate(ENRICHERS)
    ]
    outcome = await run(Plan(2, faults, rate=40, model=SMALL), tmp_path)
    shown = "\n".join([table(outcome), *outcome.restarts, *outcome.bad_ends, *outcome.problems])
    assert outcome.problems + outcome.bad_ends + outcome.restarts == [], shown
    assert outcome.repeats == 0, shown


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_enricher_that_commits_early_is_caught(tmp_path: Path) -> None:
    """A suite that cannot fail proves nothing: killed with work in flight, it loses."""
    faults = [
        fault
        for n, name in enumerate(ENRICHERS)
        for fault in (
            Fault(FaultKind.KILL, "triton", 1 + 8.0 * n, 2.0),
            Fault(FaultKind.KILL, name, 2.5 + 8.0 * n, 0.0),
        )
    ]
    plan = Plan(3, faults, rate=60, model=SMALL, enricher="tests.faults.early_committer")
    verdict = (await run(plan, tmp_path)).verdict
    assert verdict.early_commits
    assert verdict.lost


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_personalizer_that_does_not_forget_is_caught(tmp_path: Path) -> None:
    """What an erased user had said comes again in every run; here somebody counts it."""
    faults = [Fault(FaultKind.KILL, "personalizer-1", 12.0, 0.0)]
    personalizer = "tests.faults.unforgetting_personalizer"
    plan = Plan(4, faults, rate=40, model=SMALL, personalizer=personalizer)
    outcome = await run(plan, tmp_path)
    assert outcome.erasures > 3
    assert outcome.came_back

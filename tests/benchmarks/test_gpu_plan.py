"""The sum for a GPU that is not there."""

import pytest

from benchmarks.gpu_plan import Costs, Gpu, measured, plan

COSTS = Costs(worker=200e-6, broker=50e-6, front=70e-6, known=0.0)
GPU = Gpu(flops=1e13, call=0.0025)


def test_twice_the_queries_need_twice_of_all() -> None:
    one, two = (plan(rate, COSTS, GPU, 512, [7, 8] * 512) for rate in (10_000, 20_000))
    assert (one.workers, two.workers) == (3, 6)
    assert two.broker_cores == pytest.approx(2 * one.broker_cores)
    assert two.partitions >= 2 * two.workers


def test_larger_batches_need_fewer_calls_a_query() -> None:
    sample = [3, 5, 7, 9] * 512
    small, large = (plan(20_000, COSTS, GPU, rows, sample) for rows in (128, 1_024))
    assert small.calls == large.calls == 4
    assert large.seconds / large.rows < small.seconds / small.rows


def test_known_answers_need_no_gpu() -> None:
    costs = Costs(COSTS.worker, COSTS.broker, COSTS.front, known=0.8)
    sample = list(range(3, 19)) * 64
    all_asked, few = (plan(20_000, one, GPU, 512, sample) for one in (COSTS, costs))
    assert few.gpus < all_asked.gpus
    assert few.workers == all_asked.workers


def test_costs_are_read_from_what_was_measured() -> None:
    names = {"worker": 0.2, "broker": 0.05, "Triton": 1.5, "ideal batches": 1.4}
    values = {("R1 efficiency", f"{name}, of one core"): value for name, value in names.items()}
    values["R3 known answers", "known before the model is asked"] = 0.78
    found = measured(values)
    assert found.front == pytest.approx(0.0001)
    assert found.known == 0.78

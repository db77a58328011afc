"""What the benchmarks ask, and what they make of what they find."""

import os
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from benchmarks.accounting import cpu_seconds, resident_bytes
from benchmarks.load import Load
from benchmarks.queries import distinct, zipf
from benchmarks.ratios import NOISE, ratio
from streams.events import RawQuery


def test_distinct_queries_are_distinct_and_the_same_for_the_same_seed() -> None:
    queries = distinct(2_000, seed=1)
    assert len(set(queries)) == 2_000
    assert queries == distinct(3_000, seed=1)[:2_000]
    assert queries != distinct(2_000, seed=2)


def test_the_most_frequent_query_comes_about_as_often_as_zipf_says() -> None:
    queries = [str(number) for number in range(1_000)]
    drawn = Counter(zipf(queries, 20_000, seed=3))
    (_, first), (_, second), *_ = drawn.most_common()
    harmonic = sum(1 / rank for rank in range(1, 1_001))
    assert first / 20_000 == pytest.approx(1 / harmonic, rel=0.1)
    assert first / second == pytest.approx(2, rel=0.3)


def test_a_load_is_of_records_that_the_enricher_reads() -> None:
    records = Load(50, seed=4).records()
    texts = [msgspec.json.decode(value, type=RawQuery).text for _, value in records]
    assert texts == distinct(50, seed=4)
    assert Load(20, seed=4, skip=30).texts() == texts[30:]


def test_arrivals_are_in_order_and_as_frequent_as_asked_for() -> None:
    arrivals = Load(4_000, rate=250.0).arrivals()
    assert all(a < b for a, b in pairwise(arrivals))
    assert arrivals[-1] == pytest.approx(16.0, rel=0.1)


def test_a_ratio_is_the_median_of_its_rounds_and_its_noise_half_their_range() -> None:
    value, noise = ratio("R0", "some", [2.0, 3.0, 8.0], [2.0, 2.0, 2.0])
    assert (value.value, noise.value) == (1.5, 1.5)
    assert noise.case == f"some{NOISE}"


def test_the_time_of_this_process_counts() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(3_000_000))
    assert cpu_seconds(os.getpid()) > before
    assert resident_bytes(os.getpid()) > 2**20

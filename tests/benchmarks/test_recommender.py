"""The example of a recommender, small: profiles tell what shoppers buy next, and only their own do."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks import ranking
from benchmarks.recommender import chart, run


async def test_only_a_shoppers_own_profile_beats_popularity(tmp_path: Path) -> None:
    outcome = await run(tmp_path, seed=3, products=300, shoppers=240)
    ndcg = {name: quality.ndcg for name, quality in outcome.quality.items()}
    assert ndcg["own profile"] > 1.5 * ndcg["popularity"]
    assert ndcg["own profile"] > 1.5 * ndcg["another's profile"]
    assert ndcg["true tastes"] > ndcg["own profile"]
    assert 0 < outcome.newcomers < outcome.shoppers / 4
    for parts in (*outcome.brands.values(), *outcome.levels.values()):
        assert parts.sum() == pytest.approx(1.0)
    ET.fromstring(chart(outcome))  # noqa: S314 (made by us)


def test_measures_of_a_list() -> None:
    shown = np.arange(ranking.LIST)
    assert ranking.ndcg(shown, frozenset({0, 1})) == pytest.approx(1.0)
    assert ranking.ndcg(shown, frozenset({1})) == pytest.approx(1 / np.log2(3))
    assert ranking.ndcg(shown, frozenset({99})) == ranking.hit(shown, frozenset({99})) == 0.0
    assert ranking.gini(np.array([1.0, 1.0])) == pytest.approx(0.0)
    assert ranking.gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert list(ranking.top(np.array([1.0, 3.0, 2.0]), frozenset({1}))[:2]) == [2, 0]

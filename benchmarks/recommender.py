"""`python -m benchmarks.recommender`: do profiles help a recommender, and whom do they show?

Generated shoppers with hidden tastes (`benchmarks.shoppers`) search and buy for 45 days; their signals
go through the real fold into a real Valkey, and `ProfileReader` gives them to a small ranking. What
they buy in the 15 days after is to be among the ten products shown.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from benchmarks import ranking
from benchmarks.chart import Panel, svg
from benchmarks.shoppers import (
    BRANDS,
    Catalogue,
    Indices,
    Numbers,
    Shopper,
    make_catalogue,
    make_shoppers,
)
from streams.profile_hash import UserFeatures
from streams.profiles import Position, Profile, fold
from workers.embedded.valkey import EmbeddedValkey
from workers.profiles.profile_settings import profile_rules, profile_ttl
from workers.profiles.reader import ProfileReader
from workers.profiles.redis_store import open_store
from workers.sections import PseudonymSettings, RedisSettings
from workers.settings import Settings, load_settings

PRODUCTS: Final = 600
SHOPPERS: Final = 1_000
STRENGTHS: Final = (0.25, 0.5, 1.0, 2.0)
LEVELS: Final = ("lower third", "middle third", "upper third")
POPULARITY, OWN = "popularity", "own profile"

Lists = Mapping[str, Sequence[Indices]]
Fit = Callable[[Catalogue, UserFeatures, Mapping[str, Numbers]], Numbers]


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over shoppers, with half of their 95 % confidence intervals."""

    hit_rate: float
    hit_spread: float
    ndcg: float
    ndcg_spread: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured, by ranking; exposures are parts that sum to 1."""

    shoppers: int
    newcomers: int
    strength: float
    quality: Mapping[str, Quality]
    brands: Mapping[str, Numbers]
    levels: Mapping[str, Numbers]
    products_shown: Mapping[str, float]
    """Part of the catalogue that anybody is shown."""


async def run(folder: Path, *, seed: int, products: int, shoppers: int) -> Outcome:
    """Generates, folds, writes, reads back, ranks and measures. Starts a Valkey in `folder`."""
    draw = np.random.default_rng(seed)
    async with EmbeddedValkey(folder) as valkey:
        settings = load_settings(
            None,
            redis=RedisSettings(url=SecretStr(valkey.url)),
            pseudonyms=PseudonymSettings(secret=SecretStr("5a" * 32)),
        )
        key = settings.pseudonyms.pseudonymiser()
        catalogue = make_catalogue(draw, products)
        names = {f"u-{n}": key.user(f"u-{n}") for n in range(shoppers)}
        people = make_shoppers(draw, catalogue, shoppers, names)
        await _write_profiles(settings, people)
        async with ProfileReader.connect(settings) as reader:
            profiles = await reader.read([person.user_id for person in people])
    return _measured(draw, catalogue, people, profiles.found)


async def _write_profiles(settings: Settings, people: Sequence[Shopper]) -> None:
    rules = profile_rules(settings)
    async with open_store(
        settings.redis,
        namespace=settings.namespace,
        ttl=profile_ttl(settings),
        serve_weight=rules.vector_serve_weight,
    ) as store:
        made = []
        for person in people:
            profile: Profile | None = None
            for offset, signal in enumerate(person.signals):
                profile = fold(profile, signal, Position(settings.epoch, 0, offset), rules)
            if profile is not None:
                made.append(profile)
        for start in range(0, len(made), 500):
            await store.write(made[start : start + 500])


def _measured(
    draw: np.random.Generator,
    catalogue: Catalogue,
    people: Sequence[Shopper],
    found: Mapping[str, UserFeatures],
) -> Outcome:
    """The strength of the profile is set on one half of the shoppers and judged on the other."""
    buyers = [person for person in people if person.bought_after]
    tuning, judged = buyers[::2], buyers[1::2]
    popularity = _popularity(catalogue, people)
    usual = ranking.usual_shares(catalogue, found.values())

    def fits(users: Sequence[str], fit: Fit = ranking.affinity) -> list[Numbers]:
        """By shopper; of those of whom nothing is known, nothing: popularity decides."""
        nothing = np.zeros(len(popularity))
        known = [found.get(user) for user in users]
        return [fit(catalogue, one, usual) if one else nothing for one in known]

    def shown(to: Sequence[Shopper], scores: Sequence[Numbers]) -> list[Indices]:
        pairs = zip(to, scores, strict=True)
        return [ranking.top(score, person.bought_before) for person, score in pairs]

    own = fits([person.user_id for person in tuning])
    strength = max(
        STRENGTHS,
        key=lambda s: _quality(tuning, shown(tuning, [popularity + s * fit for fit in own])).ndcg,
    )
    users = [person.user_id for person in judged]
    scores = {
        "random": [draw.random(len(popularity)) for _ in judged],
        POPULARITY: [popularity for _ in judged],
        "another's profile": [popularity + strength * fit for fit in fits(users[1:] + users[:1])],
        "own types only": [
            popularity + strength * fit for fit in fits(users, ranking.type_affinity)
        ],
        OWN: [popularity + strength * fit for fit in fits(users)],
        "true tastes": [
            catalogue.appeal + person.utilities + np.log(person.types + 1e-9)[catalogue.types]
            for person in judged
        ],
    }
    lists = {name: shown(judged, values) for name, values in scores.items()}
    return _outcome(catalogue, judged, lists, sum(user not in found for user in users), strength)


def _popularity(catalogue: Catalogue, people: Sequence[Shopper]) -> Numbers:
    """Logarithm of how many bought each product before the split, plus one."""
    bought = np.zeros(len(catalogue.prices))
    for person in people:
        bought[list(person.bought_before)] += 1
    return np.asarray(np.log1p(bought))


def _outcome(
    catalogue: Catalogue, judged: Sequence[Shopper], lists: Lists, newcomers: int, strength: float
) -> Outcome:
    levels = ranking.price_levels(catalogue)
    size = len(levels)

    def parts(groups: Indices, count: int) -> dict[str, Numbers]:
        wanted = np.concatenate([sorted(person.bought_after) for person in judged])
        return {
            "catalogue": np.bincount(groups, minlength=count) / size,
            "bought": np.bincount(groups[wanted], minlength=count) / len(wanted),
            **{name: ranking.exposure(shown, groups, count) for name, shown in lists.items()},
        }

    return Outcome(
        shoppers=len(judged),
        newcomers=newcomers,
        strength=strength,
        quality={name: _quality(judged, shown) for name, shown in lists.items()},
        brands=parts(catalogue.brands, len(BRANDS)),
        levels=parts(levels, len(LEVELS)),
        products_shown={
            name: len(np.unique(np.concatenate(shown))) / size for name, shown in lists.items()
        },
    )


def _quality(judged: Sequence[Shopper], lists: Sequence[Indices]) -> Quality:
    pairs = list(zip(judged, lists, strict=True))
    hits = np.array([ranking.hit(shown, person.bought_after) for person, shown in pairs])
    gains = np.array([ranking.ndcg(shown, person.bought_after) for person, shown in pairs])
    spread = 1.96 / np.sqrt(len(pairs))
    return Quality(
        float(hits.mean()),
        float(hits.std() * spread),
        float(gains.mean()),
        float(gains.std() * spread),
    )


def tables(outcome: Outcome) -> tuple[Table, Table]:
    """Quality and exposure, for the terminal."""
    quality = Table(title=f"the next purchases of {outcome.shoppers} shoppers, ten products shown")
    for heading in ("ranking", "hit rate", "nDCG", "catalogue shown"):
        quality.add_column(heading, justify="left" if heading == "ranking" else "right")
    for name, one in outcome.quality.items():
        quality.add_row(
            name,
            f"{one.hit_rate:.3f} ± {one.hit_spread:.3f}",
            f"{one.ndcg:.3f} ± {one.ndcg_spread:.3f}",
            f"{outcome.products_shown[name]:.0%}",
        )
    exposed = Table(title="who is shown: parts of all attention")
    for heading in ("", *LEVELS, "3 largest brands", "Gini of brands"):
        exposed.add_column(heading, justify="right" if heading else "left")
    for name, parts in outcome.levels.items():
        brands = outcome.brands[name]
        exposed.add_row(
            name,
            *(f"{part:.1%}" for part in parts),
            f"{np.sort(brands)[-3:].sum():.1%}",
            f"{ranking.gini(brands):.3f}",
        )
    return quality, exposed


def chart(outcome: Outcome) -> str:
    """The same as SVG."""
    names = list(outcome.quality)
    shown = ("catalogue", "bought", POPULARITY, OWN)
    quality = outcome.quality
    order = np.argsort(-outcome.brands["catalogue"])
    return svg(
        [
            Panel(
                "Is it what they buy next? (± 95 %)",
                names,
                {
                    "hit rate at 10": [quality[name].hit_rate for name in names],
                    "nDCG at 10": [quality[name].ndcg for name in names],
                },
                {
                    "hit rate at 10": [quality[name].hit_spread for name in names],
                    "nDCG at 10": [quality[name].ndcg_spread for name in names],
                },
            ),
            Panel(
                "Exposure by price level",
                LEVELS,
                {name: list(map(float, outcome.levels[name])) for name in shown},
                {},
            ),
            Panel(
                "Exposure by brand",
                [BRANDS[index] for index in order],
                {name: list(map(float, outcome.brands[name][order])) for name in shown},
                {},
            ),
        ]
    )


def main() -> int:
    """Prints the tables and writes the chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommender", description=__doc__)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--shoppers", type=int, default=SHOPPERS)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--svg", type=Path, help="write the chart here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intentstream-recommender-") as scratch:
        outcome = asyncio.run(
            run(
                Path(scratch),
                seed=chosen.seed,
                products=chosen.products,
                shoppers=chosen.shoppers,
            )
        )
    console = Console()
    for table in tables(outcome):
        console.print(table)
    console.print(
        f"{outcome.newcomers} of them have no profile and get what is popular; "
        f"the profile counts {outcome.strength:g} times"
    )
    if chosen.svg:
        chosen.svg.write_text(chart(outcome), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

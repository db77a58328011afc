"""Sample traffic: shoppers who search, look, buy and complain, so that there is something to see.

A generator without clock or network: the same seed gives the same records for ever. Each shopper
wants one thing at a time, asks for it in a few ways, acts on what the shop shows, and afterwards
may ask where the order is, send it back or praise it; so the profiles that come out make sense.
"""

import asyncio
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from streams.events import Channel
from streams.records import Headers, OutputRecord
from streams.topics import TopicNames
from workers.embedded.traffic_words import (
    CHINESE,
    COLORS,
    ENGLISH,
    KINDS,
    OCCASIONS,
    WHOM,
)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a shopper has in mind."""

    product: str
    chinese: str
    brand: str
    color: str
    material: str
    size: str
    modifier: str
    whom: str
    occasion: str
    price: int


@dataclass(frozen=True, slots=True)
class _Shopper:
    user_id: str
    locale: str
    channel: Channel
    favourites: tuple[int, ...]
    color: str
    whom: str


_LOCALES = ("en-GB", "en-US", "en-AU", "en-IE")
_CHINESE_LOCALE = "zh-CN"
_EVERY = 4  # so many shoppers, and one of them asks in Chinese

_MALFORMED: tuple[tuple[bytes | None, Headers], ...] = (
    (b'{"text": "red sh', ()),
    (b'{"query": "lamp"}', ()),
    (b'{"text": "   "}', ()),
    (b'{"text": 42, "user_id": "u-3"}', ()),
    (b"\xff\xfe\x00not text", ()),
    (None, ()),
    (b'{"text": "sofa", "channel": "carrier pigeon"}', (("trace", None),)),
)


class _Sender(Protocol):
    """The part of a Kafka producer that the traffic needs."""

    async def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: list[tuple[str, bytes | None]],
    ) -> Any: ...


def sample_users(count: int = 8) -> tuple[str, ...]:
    """The ids of the shoppers."""
    return tuple(f"u-{number}" for number in range(1, count + 1))


def sample_traffic(
    topics: TopicNames, *, seed: int = 0, users: int = 8, malformed: float = 0.03
) -> Iterator[OutputRecord]:
    """Raw queries and user actions without end, interleaved over `users` shoppers.

    `malformed` is the share of records that cannot be processed, each of another kind. Keys are
    the raw user ids, as a shop's own systems would write them.
    """
    rng = random.Random(seed)  # noqa: S311 (repeatable sample data, nothing secret)
    shoppers = [_shopper(rng, user) for user in sample_users(users)]
    visits: dict[str, Iterator[OutputRecord]] = {}
    bad = 0
    while True:
        if rng.random() < malformed:
            value, headers = _MALFORMED[bad % len(_MALFORMED)]
            bad += 1
            yield OutputRecord(topics.raw, rng.choice(shoppers).user_id.encode(), value, headers)
            continue
        shopper = rng.choice(shoppers)
        visit = visits.get(shopper.user_id)
        record = next(visit, None) if visit else None
        if record is None:
            visits[shopper.user_id] = visit = _visit(topics, rng, shopper)
            record = next(visit)
        yield record


async def produce(sender: _Sender, records: Iterable[OutputRecord], *, rate: float) -> int:
    """Sends records at `rate` a second on average until they end; returns how many.

    Raises whatever the producer raises. Cancel it to stop earlier.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    sent = 0
    for record in records:
        # by the schedule, not by sleeps: a slow send does not lower the rate
        await asyncio.sleep(max(0.0, started + sent / rate - loop.time()))
        await sender.send(
            record.topic, value=record.value, key=record.key, headers=list(record.headers)
        )
        sent += 1
    return sent


def _shopper(rng: random.Random, user: str) -> _Shopper:
    return _Shopper(
        user_id=user,
        locale=_CHINESE_LOCALE if int(user[2:]) % _EVERY == 0 else rng.choice(_LOCALES),
        channel=rng.choices(list(Channel), (6, 2, 2))[0],
        favourites=tuple(rng.sample(range(len(KINDS)), 2)),
        color=rng.choice(("black", "red", "blue", "white", "green")),
        whom=rng.choice(WHOM),
    )


def _visit(topics: TopicNames, rng: random.Random, shopper: _Shopper) -> Iterator[OutputRecord]:
    """One visit of a shopper: from the first search to what happens after the purchase."""
    session = f"s-{rng.randrange(16**8):08x}"
    wish = _wish(rng, shopper)
    say = CHINESE if shopper.locale == _CHINESE_LOCALE else ENGLISH

    def asks(templates: tuple[str, ...], channel: Channel | None = None) -> OutputRecord:
        text = _say(rng, rng.choice(templates), wish)
        return _query(topics, rng, shopper, session, text, channel or shopper.channel)

    def does(action: str) -> OutputRecord:
        return _action(topics, shopper, session, wish, action)

    if rng.random() < 0.1:
        yield asks(say.small_talk, Channel.CHAT)
    yield asks(say.first)
    for _ in range(rng.randint(0, 2)):
        yield asks(say.refined)
    yield does("view")
    if rng.random() < 0.5:
        yield asks(say.questions, Channel.CHAT)
        wish = replace(wish, color=shopper.color)
        yield does("click")
    if rng.random() < 0.5:
        yield does("cart")
        if rng.random() < 0.3:
            yield asks(say.before, Channel.CHAT)
        if rng.random() < 0.7:
            yield does("purchase")
            yield asks(say.after, rng.choice((Channel.CHAT, Channel.VOICE)))


def _wish(rng: random.Random, shopper: _Shopper) -> _Wish:
    favourite = rng.random() < 0.7
    kind = KINDS[rng.choice(shopper.favourites) if favourite else rng.randrange(len(KINDS))]
    return _Wish(
        product=kind.name,
        chinese=kind.chinese,
        # the first brand is the favourite: profiles lean to something
        brand=kind.brands[0] if favourite and rng.random() < 0.7 else rng.choice(kind.brands),
        color=shopper.color if rng.random() < 0.5 else rng.choice(kind.colors),
        material=rng.choice(kind.materials),
        size=rng.choice(kind.sizes),
        modifier=rng.choice(kind.modifiers),
        whom=shopper.whom,
        occasion=rng.choice(OCCASIONS),
        price=5 * round(rng.uniform(*kind.price) / 5),
    )


def _say(rng: random.Random, template: str, wish: _Wish) -> str:
    text = template.format(
        product=wish.product,
        chinese=wish.chinese,
        shade=COLORS.get(wish.color, "黑色"),
        brand=wish.brand,
        color=wish.color,
        material=wish.material,
        size=wish.size,
        modifier=wish.modifier,
        whom=wish.whom,
        occasion=wish.occasion,
        price=wish.price,
        order=rng.randint(10_000_000, 99_999_999),
        email="sam@mail.example",
        phone=f"020 7946 0{rng.randint(100, 999)}",
    )
    return _typo(rng, text) if rng.random() < 0.08 else text


def _typo(rng: random.Random, text: str) -> str:
    """Two neighbouring letters swapped, as on a phone."""
    places = [n for n in range(len(text) - 1) if text[n : n + 2].isalpha()]
    if not places:
        return text
    n = rng.choice(places)
    return text[:n] + text[n + 1] + text[n] + text[n + 2 :]


def _query(
    topics: TopicNames,
    rng: random.Random,
    shopper: _Shopper,
    session: str,
    text: str,
    channel: Channel,
) -> OutputRecord:
    document = {
        "text": text,
        "query_id": f"q-{rng.randrange(16**12):012x}",
        "user_id": shopper.user_id,
        "session_id": session,
        "locale": shopper.locale,
        "channel": channel.value,
    }
    return OutputRecord(topics.raw, shopper.user_id.encode(), json.dumps(document).encode())


def _action(
    topics: TopicNames, shopper: _Shopper, session: str, wish: _Wish, action: str
) -> OutputRecord:
    document = {
        "user_id": shopper.user_id,
        "session_id": session,
        "action": action,
        "product": {
            "product_id": f"{wish.brand}-{wish.product}-{wish.color}".replace(" ", "-"),
            "product_type": wish.product,
            "brand": wish.brand,
            "color": wish.color,
            "material": wish.material,
            "size": wish.size,
            "price": float(wish.price),
            "currency": "USD",
        },
    }
    return OutputRecord(topics.actions, shopper.user_id.encode(), json.dumps(document).encode())

"""Profiles in a real Valkey: the layout, the compare-and-set, and what happens in trouble."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from pydantic import SecretStr
from redis.asyncio import Redis

from streams.events import ActionKind
from streams.profile_hash import features_of, hash_fields
from streams.profiles import Position, Profile, fold
from streams.pseudonyms import Pseudonymiser, PseudonymKey
from tests.streams.profile_signals import (
    NOON,
    RULES,
    USER,
    action,
    entity,
    erasure,
    folded,
    query,
    source,
    vector_of,
)
from tests.workers.switchboard import Switchboard
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import ContractError, UnreachableError
from workers.profiles.reader import ProfileReader
from workers.profiles.redis_store import (
    MARKER_TTL,
    ProfileStore,
    StoreUnavailableError,
    Written,
    open_store,
    profile_key,
)
from workers.sections import RedisSettings

TTL = timedelta(days=90)
DAY = timedelta(days=1)


@asynccontextmanager
async def store_at(url: str, namespace: str, **more: Any) -> AsyncIterator[ProfileStore]:
    settings = RedisSettings(url=SecretStr(url), **more)
    async with open_store(
        settings, namespace=namespace, ttl=TTL, serve_weight=RULES.vector_serve_weight
    ) as store:
        yield store


@pytest.fixture
def namespace() -> str:
    return f"t{uuid4().hex[:8]}"


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
async def store(valkey: EmbeddedValkey, namespace: str) -> AsyncIterator[ProfileStore]:
    async with store_at(valkey.url, namespace) as store:
        yield store


async def stored(redis: Redis, namespace: str, user: str = USER) -> dict[str, bytes]:
    found: dict[bytes, bytes] = await redis.hgetall(profile_key(namespace, user))  # type: ignore[assignment]  # bytes: the client does not decode
    return {name.decode(): value for name, value in found.items()}


def rich_profile() -> Profile:
    return folded(
        query(
            entity("core_product_type", "running shoes"),
            entity("creator", "acme"),
            vector=vector_of(0.6, 0.8),
            sentiment="positive",
            text="schuhe für 鞋",
        ),
        action(
            ActionKind.PURCHASE, product_type="tent", price=120.0, currency="EUR", color="green"
        ),
    )


async def test_what_is_written_is_what_the_contract_says(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    profile = rich_profile()
    assert await store.write([profile]) == Written(1, 0)
    fields = await stored(redis, namespace)
    assert fields == hash_fields(profile, serve_weight=RULES.vector_serve_weight)
    assert fields["layout"] == b"1"
    assert fields["product_types"] == b'{"top":{"tent":8.0,"running shoes":1.0},"rest":0.0}'
    assert fields["purchases"] == b"1"
    features = features_of(USER, fields)
    assert features.prices["EUR"].by_type["tent"].typical == pytest.approx(120.0)
    assert features.recent_queries[0].text == "schuhe für 鞋"
    vector = features.vector()
    assert vector is not None
    assert vector.tolist() == pytest.approx([0.6, 0.8], abs=1e-3)


async def test_every_write_gets_the_time_to_live(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    """CASES 56: also the write of an equal position; a refused one leaves it as it was."""
    key = profile_key(namespace, USER)
    older, newer = folded(query()), folded(query(), query())
    await store.write([newer])
    assert 0 <= TTL.total_seconds() - await redis.ttl(key) < 5
    await redis.expire(key, 100)
    await store.write([older])
    assert await redis.ttl(key) <= 100
    await store.write([newer])
    assert await redis.ttl(key) > 100
    assert await redis.dbsize() >= 1
    assert [k async for k in redis.scan_iter(f"{namespace}*")] == [key.encode()]


async def test_an_earlier_position_never_replaces_a_later_one(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    """CASES 57."""
    older, newer = folded(query(text="one")), folded(query(text="one"), query(text="two"))
    await store.write([newer])
    assert await store.write([older]) == Written(0, 1)
    assert (await stored(redis, namespace))["queries"] == b"2"


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        (("1", 10), ("1", 9), False),
        (("1", 9), ("1", 10), True),
        (("1", 10), ("2", 0), True),
        (("2", 0), ("1", 10), False),
        (("9", 5), ("10", 0), True),
        (("1", 2**53 - 2), ("1", 2**53 - 1), True),
    ],
)
async def test_positions_are_ordered_by_epoch_then_offset(
    store: ProfileStore,
    first: tuple[str, int],
    second: tuple[str, int],
    *,
    wins: bool,
) -> None:
    for (epoch, offset), written in ((first, True), (second, wins)):
        profile = fold(None, query(), Position(epoch, 0, offset), RULES)
        assert await store.write([profile]) == (Written(1, 0) if written else Written(0, 1))


async def test_fields_that_are_gone_leave_the_hash(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    await store.write([folded(query(vector=vector_of(1, 0), space="old"))])
    await store.write([fold(None, query(intent="unknown"), Position("1", 0, 5), RULES)])
    fields = await stored(redis, namespace)
    assert "vector:old" not in fields
    assert "last_intent" not in fields


async def test_an_erasure_leaves_a_marker_that_keeps_earlier_profiles_out(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    before = rich_profile()
    marker = folded(erasure(at=NOON + DAY), start=before, first=2)
    await store.write([before])
    await store.write([marker])
    fields = await stored(redis, namespace)
    assert fields.keys() == {"layout", "epoch", "epoch_order", "partition", "offset", "erased_at"}
    assert await redis.ttl(profile_key(namespace, USER)) > MARKER_TTL.total_seconds() - 5
    assert await store.write([before]) == Written(0, 1)
    later = NOON + 2 * DAY
    anew = folded(query(at=later, source=source(9, at=later)), start=marker, first=3)
    assert await store.write([anew]) == Written(1, 0)


async def test_a_server_that_forgot_the_script_is_told_again(
    store: ProfileStore, redis: Redis
) -> None:
    await store.write([folded(query())])
    await redis.script_flush()
    assert await store.write([folded(query(), query())]) == Written(1, 0)


async def test_a_foreign_key_in_our_namespace_is_reported(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    await redis.set(profile_key(namespace, USER), "something else")
    with pytest.raises(ContractError, match="WRONGTYPE"):
        await store.write([folded(query())])


async def test_a_cancelled_call_never_leaves_its_answer_to_the_next(
    valkey: EmbeddedValkey, namespace: str
) -> None:
    newer, older = folded(query(), query()), folded(query())
    assert valkey.port is not None
    async with (
        Switchboard(valkey.port) as between,
        store_at(between.url, namespace) as store,
    ):
        await store.write([newer])
        between.flowing.clear()
        call = asyncio.create_task(store.write([newer] * 3))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        between.flowing.set()
        assert await store.write([older]) == Written(0, 1)
        assert await store.write([newer]) == Written(1, 0)


async def test_after_a_failover_the_pool_leaves_the_demoted_server(
    valkey: EmbeddedValkey, namespace: str, tmp_path: Path
) -> None:
    """CASES 54."""
    replica_of = {"replicaof": f"127.0.0.1 {valkey.port}", "appendonly": "no"}
    async with EmbeddedValkey(tmp_path, options=replica_of) as demoted:
        assert demoted.port is not None
        assert valkey.port is not None
        async with (
            Switchboard(demoted.port) as between,
            store_at(between.url, namespace) as store,
        ):
            with pytest.raises(StoreUnavailableError, match=r"read.only"):
                await store.write([folded(query())])
            between.target = valkey.port
            assert await store.write([folded(query())]) == Written(1, 0)


async def test_a_full_server_is_trouble_that_passes(namespace: str, tmp_path: Path) -> None:
    async with (
        EmbeddedValkey(tmp_path, options={"appendonly": "no"}) as server,
        Redis.from_url(server.url) as redis,
        store_at(server.url, namespace) as store,
    ):
        await store.write([folded(query())])
        await redis.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailableError, match="maxmemory"):
            await store.write([folded(query())])
        await redis.config_set("maxmemory", "0")
        assert await store.write([folded(query())]) == Written(1, 0)


async def test_a_server_that_is_away_or_silent_is_trouble_that_passes(
    valkey: EmbeddedValkey, namespace: str
) -> None:
    assert valkey.port is not None
    async with (
        Switchboard(valkey.port) as between,
        store_at(between.url, namespace, timeout_s=0.3) as store,
    ):
        between.flowing.clear()
        with pytest.raises(StoreUnavailableError):
            await store.write([folded(query())])
        between.flowing.set()
        assert (await store.write([folded(query())])).written == 1
    async with store_at("redis://127.0.0.1:1/0", namespace) as store:
        with pytest.raises(StoreUnavailableError, match="INTENTSTREAM_REDIS__URL"):
            await store.write([folded(query())])


async def test_an_acl_user_with_the_documented_rights_can_write_and_read(
    valkey: EmbeddedValkey, redis: Redis, namespace: str
) -> None:
    keys, commands = [f"{namespace}:*"], "+@hash +evalsha +script|load +pexpire +ping"
    await redis.acl_setuser(
        namespace, enabled=True, passwords=["+sesame"], keys=keys, commands=commands.split()
    )
    mine = {"username": namespace, "password": SecretStr("sesame")}
    async with store_at(valkey.url, namespace, **mine) as store:
        await store.check()
        assert await store.write([folded(query())]) == Written(1, 0)
    async with store_at(valkey.url, "other", **mine) as store:
        with pytest.raises(UnreachableError, match="~other") as raised:
            await store.write([folded(query())])
        assert not isinstance(raised.value, StoreUnavailableError)
    wrong = mine | {"password": SecretStr("guess")}
    async with store_at(valkey.url, namespace, **wrong) as store:
        with pytest.raises(UnreachableError, match="refuses"):
            await store.check()
    await redis.acl_deluser(namespace)


async def test_tls_and_mutual_tls_are_passed_through(
    valkey: EmbeddedValkey, namespace: str, tmp_path: Path
) -> None:
    authority, ca, pem = trustme.CA(), tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(str(ca))
    client = authority.issue_cert("worker.shop.example")
    client.private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    assert valkey.port is not None
    async with Switchboard(valkey.port, tls=context) as between:
        mine = {"ssl_cafile": ca, "ssl_certfile": pem, "ssl_keyfile": pem}
        async with store_at(between.url, namespace, **mine) as store:
            await store.check()
            assert await store.write([folded(query())]) == Written(1, 0)
        for wanting in ({"ssl_cafile": ca}, mine | {"ssl_cafile": None}):
            async with store_at(between.url, namespace, **wanting) as store:
                with pytest.raises(UnreachableError):
                    await store.check()


# --- the reader


async def test_the_reader_takes_raw_ids_and_pseudonyms_and_names_the_missing(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    key = Pseudonymiser(PseudonymKey("k1", b"0123456789abcdef"))
    ann, bob, eve = (key.user(name) for name in ("ann", "bob", "eve"))
    erased = folded(query(user=eve), erasure(user=eve))
    await store.write([folded(query(user=ann)), folded(query(user=bob)), erased])
    reader = ProfileReader(redis, namespace=namespace, pseudonyms=key)
    profiles = await reader.read(["ann", bob, "eve", "nobody", "ann", "x:{y}\n\x00", ""])
    assert profiles.found.keys() == {"ann", bob}
    assert profiles.found["ann"].user == ann
    assert profiles.missing == ("eve", "nobody", "x:{y}\n\x00", "")


async def test_the_reader_reads_a_thousand_users_in_one_round_trip(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    users = [f"k1.{n:032x}" for n in range(1000)]
    await store.write([folded(query(user=user)) for user in users[::2]])
    before = (await redis.info("commandstats"))["cmdstat_hgetall"]["calls"]
    profiles = await ProfileReader(redis, namespace=namespace).read(users)
    after = (await redis.info("commandstats"))["cmdstat_hgetall"]["calls"]
    assert after - before == 1000
    assert len(profiles.found) == len(profiles.missing) == 500


async def test_during_a_rotation_the_reader_finds_profiles_of_both_keys(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    old = PseudonymKey("k1", b"0123456789abcdef")
    new = PseudonymKey("k2", b"fedcba9876543210")
    await store.write([folded(query(user=Pseudonymiser(old).user("ann")))])
    reader = ProfileReader(redis, namespace=namespace, pseudonyms=Pseudonymiser(new, old))
    assert (await reader.read(["ann"])).found["ann"].user.startswith("k1.")


async def test_the_reader_refuses_what_it_cannot_know(
    store: ProfileStore, redis: Redis, namespace: str
) -> None:
    reader = ProfileReader(redis, namespace=namespace)
    with pytest.raises(ContractError, match="pseudonym key"):
        await reader.read(["ann"])
    assert (await reader.read([])).missing == ()
    await store.write([folded(query())])
    await redis.hset(profile_key(namespace, USER), "layout", "2")
    with pytest.raises(ContractError, match="layout 2"):
        await reader.read([USER])
    await redis.hdel(profile_key(namespace, USER), "layout")
    with pytest.raises(ContractError, match="layout"):
        await reader.read([USER])

"""The embedded Valkey speaks to redis-py and keeps its data through a kill."""

from pathlib import Path

from redis.asyncio import Redis

from workers.embedded.valkey import EmbeddedValkey


async def test_it_answers(valkey: EmbeddedValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        assert await client.set("embedded.probe", "1", ex=60)
        assert await client.get("embedded.probe") == b"1"


async def test_data_survive_a_kill(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path / "a b") as server:
        async with Redis.from_url(server.url) as client:
            await client.set("k", "v")
        await server.kill()
        await server.start()
        async with Redis.from_url(server.url) as client:
            assert await client.get("k") == b"v"


async def test_options_reach_the_server(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path, options={"requirepass": "a secret"}) as server:
        url = f"redis://:a%20secret@127.0.0.1:{server.port}/0"
        async with Redis.from_url(url) as client:
            assert await client.ping()

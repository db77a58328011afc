"""TLS to Triton and Redis, with and without certificates of our own.

Triton terminates TLS itself. The packaged Valkey is built without it, so a proxy does it there.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme
from redis.exceptions import RedisError

from tests.workers.rig import MODELS
from workers.embedded.ports import LOOPBACK
from workers.embedded.triton import EmbeddedTriton
from workers.embedded.valkey import EmbeddedValkey
from workers.profiles.redis_store import client
from workers.sections import RedisSettings, TritonSettings
from workers.triton import ModelUnavailableError, TritonModel


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of an authority, and of a server and a client that it vouches for."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, identity in (("server", LOOPBACK), ("client", "worker.shop.example")):
        issued = authority.issue_cert(identity)
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(folder / f"{name}.pem"), append=True)
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    return Certificates(
        folder / "ca.pem",
        folder / "server.pem",
        folder / "server.key",
        folder / "client.pem",
        folder / "client.key",
    )


# --- Redis


@pytest_asyncio.fixture(loop_scope="session")
async def tls_port(certificates: Certificates, valkey: EmbeddedValkey) -> AsyncIterator[int]:
    """A port that wants a client's certificate and hands all on to the real server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.authority)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.verify_mode = ssl.CERT_REQUIRED

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(LOOPBACK, valkey.port)
        await asyncio.gather(pump(reader, behind_writer), pump(behind_reader, writer))

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def redis_settings(port: int, certificates: Certificates, **changes: Any) -> RedisSettings:
    given: dict[str, Any] = {
        "url": f"rediss://{LOOPBACK}:{port}/0",
        "ssl_cafile": certificates.authority,
        "ssl_certfile": certificates.client,
        "ssl_keyfile": certificates.client_key,
    }
    return RedisSettings(**given | changes)


async def test_redis_over_mutual_tls(tls_port: int, certificates: Certificates) -> None:
    async with client(redis_settings(tls_port, certificates)) as redis:
        assert await redis.ping()


@pytest.mark.parametrize(
    "changes", [{"ssl_cafile": None}, {"ssl_certfile": None, "ssl_keyfile": None}]
)
async def test_redis_refuses_and_is_refused(
    tls_port: int, certificates: Certificates, changes: dict[str, Any]
) -> None:
    async with client(redis_settings(tls_port, certificates, **changes)) as redis:
        with pytest.raises((RedisError, OSError)):
            await redis.ping()


async def test_a_redis_that_names_another_host_is_refused(
    tls_port: int, certificates: Certificates
) -> None:
    url = f"rediss://localhost:{tls_port}/0"  # the certificate is for 127.0.0.1
    async with client(redis_settings(tls_port, certificates, url=url)) as redis:
        with pytest.raises((RedisError, OSError)):
            await redis.ping()
    unchecked = redis_settings(tls_port, certificates, url=url, ssl_check_hostname=False)
    async with client(unchecked) as redis:
        assert await redis.ping()


# --- Triton


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tls_triton(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The address of a real Triton that wants a client's certificate."""
    folder = tmp_path_factory.mktemp("tls-triton")
    rigging = folder / "rigging"
    rigging.mkdir()
    options = (
        "--grpc-use-ssl=true",
        "--grpc-use-ssl-mutual=true",
        f"--grpc-server-cert={certificates.server}",
        f"--grpc-server-key={certificates.server_key}",
        f"--grpc-root-cert={certificates.authority}",
    )
    server = EmbeddedTriton(
        folder, MODELS, load_models=("rigged",), options=options, env={"RIGGED": str(rigging)}
    )
    async with server:
        yield server.grpc_address


def triton_settings(address: str, certificates: Certificates, **changes: Any) -> TritonSettings:
    given: dict[str, Any] = {
        "address": address,
        "model_name": "rigged",
        "tls": True,
        "tls_cafile": certificates.authority,
        "tls_certfile": certificates.client,
        "tls_keyfile": certificates.client_key,
        "timeout_s": 10,
    }
    return TritonSettings(**given | changes)


async def test_triton_over_mutual_tls(tls_triton: str, certificates: Certificates) -> None:
    async with TritonModel(triton_settings(tls_triton, certificates)) as model:
        assert (await model.understand(["red shoes"])).model.name == "rigged"


@pytest.mark.parametrize(
    "changes",
    [
        {"tls": False, "tls_cafile": None, "tls_certfile": None, "tls_keyfile": None},
        {"tls_certfile": None, "tls_keyfile": None},
    ],
)
async def test_triton_refuses(
    tls_triton: str, certificates: Certificates, changes: dict[str, Any]
) -> None:
    with pytest.raises(ModelUnavailableError):
        async with TritonModel(triton_settings(tls_triton, certificates, **changes)):
            pass

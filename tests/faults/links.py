"""What stands between the workers and the servers: proxies that can be cut and delayed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from tests.workers.switchboard import Switchboard
from workers.embedded.ports import LOOPBACK, free_ports

DELAY_S = 0.15
"""Of each piece of data on a delayed link, each way: a slow satellite, not a dead line."""


@asynccontextmanager
async def links(targets: Mapping[str, int]) -> AsyncIterator[dict[str, Switchboard]]:
    """A proxy for each server, by name; `targets` are the servers' own ports."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(Switchboard(port))
            for name, port in targets.items()
        }


def two_listeners(port: int, proxied: int, proxy: int) -> dict[str, str]:
    """Settings of a broker that is reached directly at `port`, and by workers through a proxy.

    A broker tells its clients where to dial. On the listener `proxied` it tells them the proxy.
    """
    (controller,) = free_ports(1)
    direct, control = f"PLAINTEXT://{LOOPBACK}:{port}", f"CONTROLLER://{LOOPBACK}:{controller}"
    return {
        "listeners": f"{direct},WORKERS://{LOOPBACK}:{proxied},{control}",
        "advertised.listeners": f"{direct},WORKERS://{LOOPBACK}:{proxy},{control}",
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller}",
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,WORKERS:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
    }

"""Ports on loopback for the embedded servers."""

import random
import socket

from workers.errors import PreflightError

LOOPBACK = "127.0.0.1"

# Below the kernel's range for outgoing connections (32768 and up), so that between our look and the
# server's bind no client socket of this machine takes the port by chance.
_FIRST, _LAST = 18000, 32000
_dice = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different free ports.

    Raises:
        PreflightError: None was found, which means the machine forbids listening on loopback.
    """
    found: list[int] = []
    for _ in range(1000):
        port = _dice.randint(_FIRST, _LAST)
        if port not in found and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PreflightError(
        f"no free port between {_FIRST} and {_LAST} on {LOOPBACK}",
        "allow this process to listen on loopback (a sandbox or firewall forbids it)",
    )

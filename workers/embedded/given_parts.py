"""Parts that run already and were given by address: is anything there at all?"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from workers.errors import UnreachableError

_PATIENCE_S = 5.0
_DEFAULT_PORTS = {"--kafka": 9092, "--redis": 6379, "--triton": 8001}


async def require_reachable(given: Mapping[str, str | None]) -> None:
    """Connects to each address once, before anything is started for nothing.

    Args:
        given: option (`--kafka`, `--redis`, `--triton`) to address; None where it was not given.

    Raises `UnreachableError` that names the first option behind which nobody listens.
    """
    for option, address in given.items():
        if address is None or address.startswith("unix://"):
            continue
        reasons = [await _refusal(option, one) for one in address.split(",")]
        if all(reasons):
            raise UnreachableError(
                f"nothing answers at {option} {_without_password(address)}: {reasons[0]}",
                "check the address, and that the server runs and listens there",
            )


async def _refusal(option: str, address: str) -> str | None:
    """Why a connection to `host[:port]` or a URL fails; None when it does not."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[option]
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:.0f} s"
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:
        return "that is no HOST:PORT"
    writer.close()
    return None


def _without_password(address: str) -> str:
    scheme, separator, rest = address.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]

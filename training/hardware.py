"""What the processor can do, found out before it is asked to."""

import platform
import time
from functools import cache
from pathlib import Path

import torch
from torch.nn import functional

_TOKENS, _WIDTH, _INNER = 1024, 384, 1536  # most of a small encoder's time goes to such products
_WORTH = 1.1  # conversions between the two types cost something too


def cpu_flags() -> frozenset[str]:
    """The processor's features as Linux names them; empty where they cannot be read."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    line = next((row for row in text.splitlines() if row.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def best_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is worth while: computed in hardware, and faster there than fp32.

    A processor is timed, for its flags do not tell: with AVX512's instructions alone bfloat16 may be
    half as fast as fp32, with AMX's several times as fast; emulated it is many times slower.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(cpu_flags() & {"amx_bf16", "avx512_bf16"}) and _bf16_pays()


@cache
def _bf16_pays() -> bool:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for each other where the machine has other work
    try:
        plain, short = _seconds(torch.float32), _seconds(torch.bfloat16)
    finally:
        torch.set_num_threads(threads)
    return plain > _WORTH * short


def _seconds(dtype: torch.dtype) -> float:
    """The shortest time of a matrix product."""
    inputs, weights = (
        torch.ones(_TOKENS, _WIDTH, dtype=dtype),
        torch.ones(_INNER, _WIDTH, dtype=dtype),
    )
    times = []
    for _ in range(12):
        began = time.perf_counter()
        functional.linear(inputs, weights)
        times.append(time.perf_counter() - began)
    return min(times)


def processor() -> str:
    """The processor's name, for a manifest."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    line = next((row for row in text.splitlines() if row.startswith("model name")), "")
    return line.partition(":")[2].strip() or platform.processor()

"""What the processor can do, found out before it is asked to."""

import platform
from pathlib import Path

import torch


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
    """Whether bfloat16 is computed in hardware: emulated, it is many times slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(cpu_flags() & {"amx_bf16", "avx512_bf16"})


def processor() -> str:
    """The processor's name, for a manifest."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    line = next((row for row in text.splitlines() if row.startswith("model name")), "")
    return line.partition(":")[2].strip() or platform.processor()

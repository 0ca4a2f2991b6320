"""How much memory this process holds, and has held at most since it was last asked to forget."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): reset the peak resident set size to the current value
KIBI = 1024


def reset_peak() -> None:
    """Start the peak anew from what is held now; where the system cannot, the peak is that of the whole process."""
    with suppress(OSError):
        CLEAR.write_text(RESET_PEAK, "ascii")


def peak_bytes() -> int:
    """Return the most resident memory since `reset_peak`."""
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * KIBI


def held_bytes() -> int:
    """Return the resident memory now; where the system does not say, the most it has been."""
    held = _status("VmRSS")
    return peak_bytes() if held is None else held


def _status(name: str) -> int | None:
    try:
        lines = STATUS.read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * KIBI for line in lines if line.startswith(f"{name}:")), None)

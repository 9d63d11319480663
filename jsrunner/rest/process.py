"""The coordinator's process in Prometheus's text format."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsrunner.coordinator.view import RunView


def process_metrics(view: RunView) -> bytes:
    """Return `process_...` by the names that Prometheus's clients use, and figures of the run."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    lines = [f'python_info{{version="{platform.python_version()}"}} 1']
    metrics = {
        "process_cpu_seconds_total": ("counter", usage.ru_utime + usage.ru_stime),
        "process_resident_memory_bytes": ("gauge", _resident(usage.ru_maxrss)),
        "process_max_fds": ("gauge", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "jsrunner_vus": ("gauge", view.active_vus),
        "jsrunner_vus_max": ("gauge", view.initialized_vus),
        "jsrunner_workers": ("gauge", view.worker_count),
    }
    for name, (kind, value) in metrics.items():
        lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
    return ("\n".join(lines) + "\n").encode()


def _resident(largest: int) -> int:
    """Return the bytes in memory now, or at most ever where the system does not know that.

    Args:
        largest: The most KiB that were ever in memory.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return largest * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")

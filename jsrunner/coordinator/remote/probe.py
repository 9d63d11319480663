"""The first function of a run on a Dask worker.

It travels by value (cloudpickle), so that it also runs where jsrunner is missing or another version.
"""

from __future__ import annotations

from typing import Any


def probe(dask_worker: Any) -> dict[str, Any]:
    """Return a Dask worker's number of threads, its version of jsrunner and that of the messages."""
    described: dict[str, Any] = {
        "threads": dask_worker.state.nthreads,
        "jsrunner": None,
        "messages": None,
    }
    try:
        from jsrunner.messages.stream import VERSION
        from jsrunner.version import __version__
    except ImportError:
        return described
    return {**described, "jsrunner": __version__, "messages": VERSION}

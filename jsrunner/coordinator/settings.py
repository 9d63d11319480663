"""The settings of a run: everything that is no option of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from jsrunner.errors import UsageError
from jsrunner.messages.plan import Limits
from jsrunner.options.selection import Selection
from jsrunner.secrets.sources import SecretSources
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.outputs.base import OutputConfig


class RunSettings(Struct, frozen=True):
    """Settings of the command line, or of the library's caller."""

    outputs: tuple[OutputConfig, ...] = ()
    #: The selection of scenarios.
    selection: Selection = field(default_factory=Selection)
    summary_mode: str = "compact"
    summary_export: str | None = None
    no_thresholds: bool = False
    no_color: bool = False
    quiet: bool = False
    #: True if the summary is only made as data and not printed.
    silent: bool = False
    #: `__ENV` of the script.
    script_environment: Mapping[str, str] = field(default_factory=dict)
    #: The process's environment, with options (`K6_...`).
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Sources for `k6/secrets`.
    secrets: SecretSources = field(default_factory=lambda: SecretSources({}))
    #: Number of worker processes (with `dask`: of each Dask worker); None for one per core.
    workers: int | None = None
    #: Address of a Dask scheduler, or `local:N`, where workers run on other machines; and whether plain
    #: connections to them are accepted.
    dask: str | None = None
    dask_insecure: bool = False
    #: True if a run whose scenarios have begun goes on without a lost worker.
    tolerate_loss: bool = False
    limits: Limits = field(default_factory=Limits)
    #: User agent of requests and handshakes, unless the option userAgent is set.
    user_agent: str = f"Grafana k6/{K6_VERSION} (jsrunner/{__version__})"
    #: Names of k6's feature flags that are on.
    features: frozenset[str] = frozenset()
    #: handleSummary and the exported summary have k6's newer schema.
    machine_readable: bool = False
    #: True if a run that is over waits for a signal.
    linger: bool = False

    def __post_init__(self) -> None:
        """Check the values. Raises UsageError."""
        workers = self.workers
        if workers is not None and (not isinstance(workers, int) or workers < 1):
            raise UsageError(f"invalid number of workers {workers}, there must be at least 1")

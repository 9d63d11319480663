"""How to run, besides the test's own options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from jsrunner.errors import UsageError
from jsrunner.messages.plan import Limits
from jsrunner.options.selection import Selection
from jsrunner.secrets.sources import Secrets
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.outputs.base import OutputConfig


class RunSettings(Struct, frozen=True):
    """The command line's, or the library's."""

    outputs: tuple[OutputConfig, ...] = ()
    #: Which scenarios run.
    selection: Selection = field(default_factory=Selection)
    summary_mode: str = "compact"
    summary_export: str | None = None
    no_thresholds: bool = False
    no_color: bool = False
    quiet: bool = False
    #: Without a summary in words; it is there as data.
    silent: bool = False
    #: Where scripts find their variables.
    script_environment: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Where `k6/secrets` has its secrets from.
    secrets: Secrets = field(default_factory=lambda: Secrets({}))
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    #: Of requests and handshakes; the option userAgent wins.
    user_agent: str = f"Grafana k6/{K6_VERSION} (jsrunner/{__version__})"
    #: Names of k6's feature flags that are on.
    features: frozenset[str] = frozenset()
    #: handleSummary and the exported summary have k6's newer schema.
    machine_readable: bool = False
    #: When all is done, wait for a signal.
    linger: bool = False

    def __post_init__(self) -> None:
        """Check the values. Raises UsageError."""
        workers = self.workers
        if workers is not None and (not isinstance(workers, int) or workers < 1):
            raise UsageError(f"invalid number of workers {workers}, there must be at least 1")

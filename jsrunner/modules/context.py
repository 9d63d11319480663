"""Protocols of the VU, the process and the run, for the Python halves of modules.

`HostModule.vu` is a `ModuleContext`. Modules use only these protocols and the layers below. In a worker
`worker.context.VUContext`, `worker.process.Process` and `worker.instance.Instance` implement them. The
worker's only thread uses them; blocking methods are documented as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jsrunner.engine.engine import Engine
    from jsrunner.engine.interpreter import Interpreter
    from jsrunner.engine.metric_context import MetricContext
    from jsrunner.engine.recorder import SampleRecorder
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.messages.plan import WorkerPlan
    from jsrunner.metrics.registry import Registry
    from jsrunner.options.model import Options
    from jsrunner.options.segment import Striping
    from jsrunner.secrets.sources import SecretSources
    from jsrunner.transport.deflate import Deflate
    from jsrunner.transport.dial import Dialer
    from jsrunner.transport.jars import CookieJars


class ScriptContext(Protocol):
    """The script with its modules and files (`script.script.ScriptBundle`)."""

    @property
    def url(self) -> str:
        """The URL of the main script."""
        ...

    @property
    def folder(self) -> Path:
        """The folder of the main script."""
        ...

    def resolve(self, base: str, specifier: str) -> str:
        """Return the URL of the module that a specifier means in another module. Raises ScriptError."""
        ...

    def kind(self, url: str, spelled: str) -> str:
        """Return what a module is: `module`, `commonjs`, ... Raises ScriptError."""
        ...

    def syntax_error(self, text: str) -> str:
        """Return k6's text of a syntax error of the engine's."""
        ...

    def open_file(self, path: str, *, first: bool) -> bytes:
        """Return a file's content. Raises ScriptError."""
        ...


class InstanceContext(Protocol):
    """The run as this process knows it, over all processes: `exec.instance`."""

    @property
    def started_at(self) -> float:
        """The moment when the run began (time.monotonic)."""
        ...

    @property
    def striping(self) -> Striping:
        """The part of the test that this instance runs."""
        ...

    @property
    def planned_vus(self) -> int:
        """Count of the VUs that are made before the run begins."""
        ...

    @property
    def initialized_vus(self) -> int:
        """Count of the run's VUs."""
        ...

    @property
    def active_vus(self) -> int:
        """Count of the VUs that iterate now."""
        ...

    @property
    def iterations_completed(self) -> int:
        """Count of the iterations that have ended by themselves."""
        ...

    @property
    def iterations_interrupted(self) -> int:
        """Count of the iterations that were interrupted."""
        ...

    def next_start(self, now_ns: int, interval_ns: int) -> int:
        """Return the next request's start (time.monotonic_ns), `interval_ns` after the one before."""
        ...


class ProcessContext(Protocol):
    """The process of a VU, and the state that its VUs share."""

    #: The compression of sessions that have agreed on permessage-deflate, by the session's key.
    deflates: dict[int, Deflate]
    #: Count of failed WebSocket handshakes, and the first failure's reason ("" for none).
    failed_handshakes: int
    handshake_failure: str

    @property
    def script(self) -> ScriptContext:
        """The script with its modules and files."""
        ...

    @property
    def instance(self) -> InstanceContext:
        """The run; not available in the first init."""
        ...

    @property
    def options(self) -> Options:
        """The run's options; not available in the first init."""
        ...

    @property
    def plan(self) -> WorkerPlan | None:
        """The coordinator's plan; None in the first init."""
        ...

    @property
    def environment(self) -> dict[str, str]:
        """The variables of `__ENV`."""
        ...

    @property
    def features(self) -> frozenset[str]:
        """Names of k6's features that are on."""
        ...

    @property
    def secrets(self) -> SecretSources:
        """The sources for `k6/secrets`."""
        ...

    @property
    def engine(self) -> Engine:
        """The core of this process, with its functions (`library`)."""
        ...

    @property
    def recorder(self) -> SampleRecorder:
        """Series of samples."""
        ...

    @property
    def registry(self) -> Registry:
        """The script's own metrics."""
        ...

    @property
    def system_tags(self) -> frozenset[str]:
        """Names of the tags that the runner adds by itself."""
        ...

    @property
    def dialer(self) -> Dialer:
        """The maker of connections, by the run's options."""
        ...

    @property
    def user_agent(self) -> str:
        """The User-Agent of requests that have none of the script's."""
        ...

    @property
    def is_strict(self) -> bool:
        """True if WebSockets follow the RFCs where k6 does not."""
        ...

    def redact(self, secret: str) -> None:
        """Keep a text out of the log from now on."""
        ...

    def mark_failed(self, text: str) -> None:
        """Mark the run as failed; it goes on."""
        ...

    def log_fault(self, error: BaseException) -> None:
        """Log an unexpected exception of jsrunner's code, once for each place."""
        ...


class ScenarioContext(Protocol):
    """The scenario for which a VU iterates."""

    @property
    def config(self) -> ExecutorConfig:
        """The scenario's options."""
        ...

    @property
    def plan(self) -> ScenarioPlan:
        """The schedule of the scenario's VUs and iterations."""
        ...

    @property
    def start_epoch(self) -> float:
        """The scenario's start, in seconds since the epoch."""
        ...

    def progress(self) -> float:
        """Return the scenario's progress, from 0 to 1."""
        ...


class ModuleContext(Protocol):
    """The VU as its modules see it."""

    #: Modules' state for all VUs of the process, by names of the modules' choice.
    shared: dict[str, Any]

    @property
    def process(self) -> ProcessContext:
        """The VU's process."""
        ...

    @property
    def interpreter(self) -> Interpreter:
        """The VU's JavaScript: `post` a payload to a listener, `run_aside` a long computation."""
        ...

    @property
    def context(self) -> MetricContext:
        """Tags and metadata of the samples that are taken now."""
        ...

    @property
    def jars(self) -> CookieJars:
        """The VU's own cookie jar, empty at each iteration's start, and the script's jars."""
        ...

    @property
    def modules(self) -> Mapping[str, object]:
        """The Python halves in use, by the prefix of their operations."""
        ...

    # -- position in the test ---------------------------------------------------------------------

    @property
    def id(self) -> int:
        """The VU's number in the test, from 1; 0 for the first init and for stages."""
        ...

    @property
    def stage(self) -> str:
        """The stage `setup`, `teardown` or `handleSummary`; "" for VUs that iterate."""
        ...

    @property
    def in_init(self) -> bool:
        """True while the VU runs its init code."""
        ...

    @property
    def scenario(self) -> ScenarioContext | None:
        """The scenario under way; None between scenarios and in stages."""
        ...

    @property
    def iteration(self) -> int:
        """The number of the VU's iteration, from 0; -1 before the first iteration."""
        ...

    @property
    def iteration_in_scenario(self) -> int:
        """The number of the VU's iteration in its scenario, from 0."""
        ...

    @property
    def iteration_in_test(self) -> int:
        """The number of the iteration among all of the scenario in this instance, from 0."""
        ...

    # -- services for modules ----------------------------------------------------------------------

    def log(self, level: str, message: str, **fields: object) -> None:
        """Log a message; the fields follow it in the log."""
        ...

    def record(self, metric: str, value: float, time_s: float | None = None) -> None:
        """Record a sample of a built-in metric with the VU's tags, now or at a time since the epoch."""
        ...

    def add_bytes(self, sent: int, received: int) -> None:
        """Count bytes that Python has sent and received for the VU."""
        ...

    def enter_group(self, path: str) -> None:
        """Begin a group, e.g. `::outer::inner`."""
        ...

    def leave_group(self) -> None:
        """End the innermost group."""
        ...

    def open_file(self, path: str) -> bytes:
        """Return a file's content. Raises HostError; after the init only what was opened in it."""
        ...

    def abort_test(self, text: str) -> None:
        """End the whole test. Raises Interrupted."""
        ...

"""A run from its beginning to its end.

`Run` connects the parts. Each part has one concern:

- `loop`: waits for streams, timers and calls, in the only thread of the coordinator
- `workers`, over a `transport`: starts and ends workers, sends messages to them and receives theirs
- `inbox`: distributes the workers' messages to the other parts
- `decide`, `planning`, `partition`: the test, and the workers' shares of it
- `phases`: runs the phases of the test
- `collector` with `outputs`: the samples of the workers
- `stages`: setup, teardown and handleSummary
- `stopping` with `signals`: an early end
- `verdict`, `report`: the result of the test
- `state`: the state of the run; `view` reads it and `control` changes it for others
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from jsrunner.coordinator.control import RunControl
from jsrunner.coordinator.decide import decide, script_options
from jsrunner.coordinator.inbox import Inbox
from jsrunner.coordinator.local import LocalTransport
from jsrunner.coordinator.loop import Loop
from jsrunner.coordinator.outputs import OutputSet
from jsrunner.coordinator.parts import RunParts
from jsrunner.coordinator.signals import Signals
from jsrunner.coordinator.state import RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.coordinator.workers import Workers
from jsrunner.errors import ExitCode, JsrunnerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from jsrunner.coordinator.decide import Decision
    from jsrunner.coordinator.display import Display
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.coordinator.transport import Transport
    from jsrunner.coordinator.view import RunView
    from jsrunner.messages.protocol import Loaded
    from jsrunner.options.model import Options
    from jsrunner.script.script import ScriptBundle

#: Seconds that workers get to exit before they are killed.
_EXIT_PATIENCE: Final = 3.0
#: More worker processes than these, or than there are cores, are never started: each costs memory and
#: descriptors, and none would have a core for itself.
_MOST_WORKERS: Final = 64


class Companion(Protocol):
    """A process that the run needs besides its workers: readable when it has ended."""

    def fileno(self) -> int:
        """Return a file descriptor that is readable when the process has ended."""
        ...

    def failure(self) -> JsrunnerError:
        """Return the error of a companion that has ended during the run."""
        ...


def _transport(script: ScriptBundle, settings: RunSettings) -> Transport:
    """Return the transport of messages to the workers of a run. Raises UsageError."""
    environment, secrets, features = settings.script_environment, settings.secrets, settings.features
    local = LocalTransport(script, environment, secrets, features)
    if settings.dask is None:
        return local
    try:
        from jsrunner.coordinator.remote.transport import RemoteTransport
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--dask needs the package {error.name}: install it with pip install 'jsrunner[dask]'"
        ) from None
    return RemoteTransport(
        script,
        environment,
        secrets,
        features,
        loader=local,
        address=settings.dask,
        is_insecure=settings.dask_insecure,
        workers=settings.workers,
    )


class Run:
    """One run of a script. It is used once: by `execute`, `look` or `examine`."""

    #: The view of the run, from the decision on the test on.
    view: RunView

    def __init__(
        self,
        script: ScriptBundle,
        *,
        config: Options | None,
        flags: Options,
        settings: RunSettings,
        logger: RunLog,
        display: Display,
        companion: Companion | None = None,
        service: Callable[[RunControl], AbstractContextManager[object]] | None = None,
        observe: Callable[[RunView], None] | None = None,
    ) -> None:
        """Make a run without starting it.

        Args:
            script: The script.
            config: Options of the configuration file.
            flags: Options of the command line or the library's caller.
            settings: The settings of the run.
            logger: The log, which the caller closes.
            display: The display of the run.
            companion: A process whose end fails the run.
            service: Makes a context for the time from the decision on the test to its end: the server
                of the REST API.
            observe: Called with the view as soon as the test is known, before the outputs are opened.
        """
        self._config = config
        self._flags = flags
        self._service = service
        self._observe = observe
        loop, state = Loop(), RunState()
        stopping = Stopping(state, logger, interrupt=self._interrupt)
        inbox = Inbox(state, stopping, logger)
        transport = _transport(script, settings)
        self._parts = RunParts(
            script=script,
            settings=settings,
            log=logger,
            display=display,
            loop=loop,
            state=state,
            stopping=stopping,
            inbox=inbox,
            workers=Workers(
                transport,
                loop,
                logger,
                hear=inbox.put,
                fail=stopping.fail,
                tolerates_loss=settings.tolerate_loss,
            ),
            signals=Signals(loop, stop=self._stop_for_signal, quit=self._quit),
            outputs=OutputSet(settings.outputs, logger),
        )
        #: The operations on the run.
        self.control = RunControl(loop, state, stopping, logger)
        if companion is not None:
            loop.watch(companion, partial(self._lose_companion, companion))

    # -- what it is used for -----------------------------------------------------------------------

    def execute(self) -> ExitCode:
        """Run the test to its end.

        Returns:
            The exit code, k6's.

        Raises:
            JsrunnerError: The test cannot begin, or cannot be completed.
        """
        with self._workers_started(self._worker_limit()):
            from jsrunner.coordinator.phases import Phases  # while the worker loads the script

            phases = Phases(self._parts, self._decide())
            self.view = self.control.view = phases.view
            self.control.stages = phases.stages
            if self._observe is not None:
                self._observe(phases.view)
            with self._service(self.control) if self._service else contextlib.nullcontext():
                return phases.run(is_steered=self._service is not None)

    def look(self) -> tuple[Options, list[str]]:
        """Run the script's init code and nothing else.

        Returns:
            The script's own options, and the modules that it loads.

        Raises:
            JsrunnerError: The script does not load, or its options are wrong.
        """
        with self._workers_started(1):
            loaded = self._load()
            parts = self._parts
            return script_options(loaded, parts.script, parts.log), loaded.imports

    def examine(self) -> Decision:
        """Run the script's init code, and work out the test without running it.

        Raises:
            JsrunnerError: The script does not load, or describes no test.
        """
        with self._workers_started(1):
            return self._decide()

    @property
    def summary(self) -> dict[str, Any] | None:
        """The data that handleSummary gets, when the run is over; None if there is no summary."""
        return self._parts.state.summary

    @property
    def reason(self) -> str:
        """Why the exit code is not 0, in the words of the log; "" for a run that has passed."""
        return self._parts.state.reason or self._parts.stopping.request

    # -- init --------------------------------------------------------------------------------------

    def _worker_limit(self) -> int:
        """Return the number of worker processes that may take part."""
        cores = os.cpu_count() or 1
        wanted, most = self._parts.settings.workers or cores, max(cores, _MOST_WORKERS)
        if wanted > most:
            text = f"{wanted} worker processes are too many for this machine, there are at most {most}"
            self._parts.log.log("warning", text)
        return min(wanted, most)

    @contextlib.contextmanager
    def _workers_started(self, most: int) -> Iterator[None]:
        """Have up to `most` worker processes, which end with the context."""
        parts = self._parts
        parts.workers.start(most)
        parts.log.start()
        parts.signals.install()
        try:
            yield
        finally:
            parts.display.stop()
            parts.workers.dismiss()
            parts.outputs.close()
            # The first init runs before there is anybody to hear of the end.
            parts.workers.end(0.0 if parts.inbox.loaded is None else _EXIT_PATIENCE)
            parts.signals.restore()
            parts.loop.close()

    def _load(self) -> Loaded:
        """Wait for the script's first init. Raises JsrunnerError."""
        inbox, stopping = self._parts.inbox, self._parts.stopping
        self._parts.wait(lambda: inbox.loaded is not None)
        if stopping.error is not None:
            raise stopping.error
        assert inbox.loaded is not None
        return inbox.loaded

    def _decide(self) -> Decision:
        """Wait for the script's first init, and make the test. Raises JsrunnerError."""
        loaded, parts = self._load(), self._parts
        return decide(
            loaded,
            parts.script,
            config=self._config,
            flags=self._flags,
            settings=parts.settings,
            logger=parts.log,
        )

    # -- the end before the time -------------------------------------------------------------------

    def _interrupt(self) -> None:
        self._parts.workers.interrupt()

    def _lose_companion(self, companion: Companion) -> None:
        self._parts.loop.unwatch(companion)
        self._parts.stopping.fail(companion.failure())

    def _stop_for_signal(self, name: str) -> None:
        text = f"test run was aborted because k6 received a '{name}' signal"
        self._parts.stopping.stop_for(text, ExitCode.EXTERNAL_ABORT)

    def _quit(self) -> None:
        """End the process now, because of a second signal, which may have interrupted any code."""
        self._parts.display.stop()
        self._parts.workers.kill_all()
        os._exit(ExitCode.EXTERNAL_ABORT)

"""One virtual user: an interpreter with the script's modules, its operations, its interruption.

`scenario_vu.py` has the VUs that iterate, `stage_vu.py` those that run setup, teardown and
handleSummary. `context.py` has the context of a VU for its modules.
"""

from __future__ import annotations

import binascii
import time
from typing import TYPE_CHECKING, Final

from jsrunner.engine.engine import MERGE, SERIES, TAGS
from jsrunner.engine.errors import HostError, Interrupted, JSError
from jsrunner.engine.interpreter import NEVER, Interpreter
from jsrunner.errors import ScriptError
from jsrunner.modules import registry
from jsrunner.worker.context import VUContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.worker.process import Process

#: Seconds before its deadline from which an interruption counts as one at the deadline.
_DEADLINE_SLACK: Final = 0.01
_STUCK: Final = "the VU runs its init code anew, and the memory of its old state is not freed"


class VU:
    """A virtual user: of itself it runs the script's init code, once or again after an interruption.

    The worker's one thread makes and uses it. `number` is 0 for the first init and for stages.
    """

    def __init__(self, process: Process, number: int, stage: str = "") -> None:
        self.process = process
        self.interpreter = Interpreter(
            process.engine,
            find_operation=self._find_operation,
            load=self._load_module,
            normalize=process.script.normalize,
            on_fault=process.log_fault,
        )
        self.context = VUContext(process, number, stage, self.interpreter, self._cookies_changed)
        #: Operations of the module `jsrunner:vu`.
        self._operations: dict[str, Callable[..., object]] = {
            "environment": lambda: {
                "environment": process.environment,
                "isEnvironmentFrozen": process.is_environment_frozen,
            },
            "base64": lambda data: binascii.b2a_base64(data, newline=False).decode(),
            "give_up": self._give_up,
            "started": self._started,
        }
        self.interpreter.operations[TAGS] = self.context.context.number
        self.interpreter.operations[SERIES] = process.recorder.series_number
        self.interpreter.operations[MERGE] = self._merged_tag_set
        #: Moment when the command under way is interrupted (time.monotonic).
        self._deadline = NEVER
        self.interrupted = False
        #: True if it was interrupted at its deadline.
        self.timed_out = False
        #: The error that has kept the script from running, after all of its modules were loaded.
        self._start_error: ScriptError | None = None

    # -- the script --------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Run the script's init code. Raises ScriptError, Interrupted."""
        script, context, plan = self.process.script, self.context, self.process.plan
        try:
            script.begin()
            failure = self.interpreter.call(
                "load",
                context.id,
                None if plan is None else plan.shown_options,
                deadline=self._deadline,
            )
        except Interrupted:
            if context.aborted is None:
                raise
            raise script.aborted(context.aborted) from None
        except JSError as error:
            failure = (str(error), False)
        if self._start_error is not None:
            raise self._start_error
        if failure is not None:
            text, is_rejection = failure
            raise script.failure(text, self.interpreter.load_error, is_rejection=is_rejection)
        context.in_init = False
        self.interpreter.rest()

    def _renew(self) -> None:
        """Run the init code anew: an interruption has cost the script's state."""
        self.interpreter.is_lost = False
        self.context.modules.clear()
        self.context.jars.clear()
        self.context.in_init = True
        self.initialize()

    def close(self) -> None:
        """Free the VU's interpreter."""
        self.interpreter.close()

    def _load_module(self, specifier: str) -> str:
        registry.note(specifier)
        return self.process.script.load(specifier)

    # -- operations --------------------------------------------------------------------------------

    def _find_operation(self, name: str) -> Callable[..., object]:
        """Return an operation by its name, e.g. `ws.connect` of the Python half of k6/ws."""
        prefix, _, method = name.rpartition(".")
        if prefix == "vu":
            return self._operations[method]
        if name == "errors.explain":
            return self.interpreter.explain
        modules = self.context.modules
        module = modules.get(prefix)
        if module is None:
            module = modules[prefix] = registry.half(prefix)(self.context)
        return module.find_operation(method)

    def _started(self) -> None:
        """Begin to run the script's code: all of its modules are loaded."""
        try:
            self.process.script.executing()
        except ScriptError as error:
            self._start_error = error
            raise HostError(str(error), "Error") from None

    def _merged_tag_set(self, metric: int, tags: dict[str, str]) -> int:
        """Return the number of the tag set of the VU's tags, overridden by `tags`."""
        return self.process.recorder.tag_set({**self.context.context.tags, **tags}).number

    def _cookies_changed(self) -> None:
        """Adapt to a change of the VU's own jar: recipes, which contain no cookies, need it empty."""
        has_no_cookies = self.context.jars.own is None
        library, index = self.process.engine.library, self.interpreter.index
        library.core_vu_repeats_dials(index, has_no_cookies)
        library.core_vu_repeats_requests(index, has_no_cookies)

    def report(self) -> None:
        """Have the modules record their pending counts as samples: a snapshot is due."""
        for module in self.context.modules.values():
            module.report()

    # -- interruption ------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Interrupt the command under way at once."""
        if not self.interrupted:
            self.interpreter.interrupt()

    def _note_interruption(self) -> None:
        self.interrupted = True
        self.timed_out = self._deadline != NEVER and time.monotonic() > self._deadline - _DEADLINE_SLACK
        if self.interpreter.was_stuck:
            self.interpreter.was_stuck = False
            text = f"VU {self.context.id} was stopped in a built-in function that did not end"
            self.process.log("warning", text, hint=_STUCK)

    def _give_up(self, timers: list[str]) -> None:
        """End the timers and background activities of an iteration or stage that has failed."""
        self._warn_of(timers)
        for module in self.context.modules.values():
            module.give_up()

    def _end_activities(self) -> None:
        """End the timers, the modules' activities and the groups of an interrupted VU."""
        self._warn_of(self.interpreter.stopped_timers)
        for module in self.context.modules.values():
            module.interrupted()
        self.context.close_groups()

    def _warn_of(self, timers: list[str]) -> None:
        for timer in timers:
            text = f"{timer} was stopped because the VU iteration was interrupted"
            self.process.log("warning", text)

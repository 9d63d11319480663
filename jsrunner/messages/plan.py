"""The test, and each worker's share of it. Pure data: it travels pickled in the message `Prepare`.

The coordinator makes the `Test` once, from all layers of options, and computes each scenario's plan
once (`coordinator.decide`). All processes of the run use this `Test`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.json_types import JsonObject
    from jsrunner.options.model import Options
    from jsrunner.options.segment import Striping
    from jsrunner.outputs.base import SampleFormatter


class Test(Struct, frozen=True):
    """A test: the options of all layers together, the scenarios, the script's exports."""

    options: Options
    scenarios: dict[str, ExecutorConfig]
    #: Plan of this instance's part of each scenario, in the order of the scenarios.
    plans: dict[str, ScenarioPlan]
    #: The part of the test that this instance runs.
    striping: Striping
    #: Type of each export of the script.
    exports: dict[str, str]
    #: Maximum number of VUs at one time, with those that arrival rates may add.
    max_vus: int


class Limits(Struct, frozen=True):
    """Maximum sizes, in bytes, of data that servers send."""

    #: The body of an HTTP response.
    body: int = 256 << 20
    #: A frame and a message of a WebSocket.
    frame: int = 256 << 20
    message: int = 256 << 20


class Share(Struct, frozen=True):
    """One worker's part of the test."""

    #: Numbers of the VUs that it makes.
    vu_ids: tuple[int, ...]
    #: Per scenario the indices of the plan's VUs that it plays.
    indices: dict[str, tuple[int, ...]]


class Machine(Struct, frozen=True):
    """A machine's place among the machines of a run, and its shares of VUs and iterations. Pure.

    Processes of one machine share counts in memory (see `board`). Machines share no memory, so numbers
    that processes draw from one cell are divided among the machines.
    """

    plan: WorkerPlan
    #: From 0.
    index: int

    @property
    def count(self) -> int:
        """The number of machines."""
        return len(self.plan.machines)

    @property
    def workers(self) -> range:
        """The numbers of this machine's workers, from 0."""
        first = sum(self.plan.machines[: self.index])
        return range(first, first + self.plan.machines[self.index])

    def vus(self, scenario: str) -> int:
        """Return the number of a scenario's planned VUs on this machine."""
        return self._vus(scenario, self.workers.start, self.workers.stop)

    def max_vus(self, scenario: str, most: int) -> int:
        """Return this machine's maximum of VUs of a scenario whose maximum is `most`."""
        more = most - self._vus(scenario, 0, len(self.plan.shares))
        return self.vus(scenario) + more // self.count + (self.index < more % self.count)

    def further_vu(self, count: int) -> int:
        """Return the number of a VU that was not planned.

        Args:
            count: The run's planned VUs and this machine's further VUs, that VU included.
        """
        planned = self.plan.planned_vus
        return planned + (count - planned - 1) * self.count + self.index + 1

    def draws(self, scenario: str, count: int) -> range:
        """Return which numbers of shared iterations this machine has at the beginning.

        Each VU of the plan has its first iteration reserved, with the number of the VU. The others are
        divided as the VUs are; later a machine that has none left gets some of another one.

        Args:
            scenario: The scenario's name.
            count: The number of iterations that all VUs share.
        """
        vus = self._vus(scenario, 0, len(self.plan.shares))
        before, own = self._vus(scenario, 0, self.workers.start), self.vus(scenario)
        first, end = ((count - vus) * part // (vus or 1) for part in (before, before + own))
        return range(vus + first, vus + end)

    def _vus(self, scenario: str, first: int, end: int) -> int:
        return sum(len(share.indices.get(scenario, ())) for share in self.plan.shares[first:end])


class WorkerPlan(Struct, frozen=True):
    """A test with all that workers need to play it. All workers get the same plan."""

    test: Test
    #: Of each worker.
    shares: tuple[Share, ...]
    #: Number of workers of each machine. The first workers are those of the first machine.
    machines: tuple[int, ...]
    #: Formatters for the outputs that write each sample.
    formatters: tuple[SampleFormatter, ...] = ()
    #: `exec.test.options`, as JSON.
    options_json: str = "{}"
    #: Contents of the script's own export `options`.
    shown_options: JsonObject = field(default_factory=dict)
    user_agent: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def planned_vus(self) -> int:
        """VUs of the whole run that are made before it begins."""
        return sum(len(share.vu_ids) for share in self.shares)

"""The main function of workers: load the script, fork, make VUs, play scenarios, run the stages.

Until the fork there is no gevent hub (processes must not share a hub): the first init runs with plain
blocking calls. Workers ignore SIGINT: the coordinator handles it and sends them messages.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import pickle
import resource
import signal
import socket
from typing import TYPE_CHECKING

import gevent

from jsrunner.engine.errors import Interrupted, JSError
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.executors.arrivals import Arrivals
from jsrunner.messages import protocol
from jsrunner.messages.plan import Machine
from jsrunner.messages.protocol import StageName
from jsrunner.messages.stream import MessageReader, receive, send
from jsrunner.worker.channel import CoordinatorChannel
from jsrunner.worker.player import YIELD, Player
from jsrunner.worker.process import Process
from jsrunner.worker.scenario import Scenario
from jsrunner.worker.template import make_template
from jsrunner.worker.vus import VUs, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gevent._types import _IoWatcher

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.messages.board import Board
    from jsrunner.messages.plan import WorkerPlan
    from jsrunner.script.script import ScriptBundle
    from jsrunner.secrets.sources import SecretSources

#: Seconds between two snapshots for the coordinator.
SNAPSHOT_EVERY = 1.0
#: Maximum VUs for which a template does not pay: it takes 1 ms, and saves a VU 0.24 ms.
_FEW_VUS = 4
_OUT_OF_MEMORY = "a worker process ran out of memory: the run is not complete"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def run(
    streams: Sequence[socket.socket],
    board: Board,
    script: ScriptBundle,
    environment: Mapping[str, str],
    secrets: SecretSources,
    features: frozenset[str],
) -> int:
    """Run the first worker process, which forks the others; all of them return or exit from here.

    Args:
        streams: The workers' sockets to the coordinator, by the workers' indices.
        board: The counts of all processes, in shared memory.
        script: The script, not loaded yet.
        environment: The variables of `__ENV`.
        secrets: The sources for `k6/secrets`.
        features: Names of k6's features that are on.

    Returns:
        The process's exit code.
    """
    _set_up_process()
    stream = streams[0]
    process = Process(
        script,
        environment=environment,
        secrets=secrets,
        features=features,
        send=lambda message: send(stream, message),
    )
    process.engine.begin_process()
    process.engine.is_wanted = lambda: not _is_over(stream)
    if not _load(process):
        return 1
    reader = MessageReader()
    waiting: list[protocol.WorkerMessage] = []
    prepare = _await_plan(process, stream, reader, waiting)
    if prepare is None:
        return 0
    plan = _prepare(process, board, prepare)
    forked = _fork(process, prepare.workers)
    if forked is None:
        return 1
    index, siblings = forked
    if index:
        reader, waiting = MessageReader(), []
    _close_others(streams, index)
    _yield_to_others()
    try:
        worker = Worker(process, streams[index], index, board, reader)
        return worker.run(Machine(plan, prepare.machine), waiting)
    finally:
        for child in siblings:
            os.waitpid(child, 0)
        if index:
            os._exit(0)


def _await_plan(
    process: Process,
    stream: socket.socket,
    reader: MessageReader,
    waiting: list[protocol.WorkerMessage],
) -> protocol.Prepare | None:
    """Return the coordinator's plan, None if the run is over; pack the script if it asks for that.

    Args:
        process: The process, which has loaded the script.
        stream: The socket to the coordinator.
        reader: The reader of the stream, which may have read a part of a message behind the plan.
        waiting: Receives messages that have arrived with the plan.
    """
    message = receive(stream, reader, waiting)
    if isinstance(message, protocol.Pack):
        process.send(protocol.Packed(_pack(process.script)))
        message = receive(stream, reader, waiting)
    return message if isinstance(message, protocol.Prepare) else None


def _prepare(process: Process, board: Board, prepare: protocol.Prepare) -> WorkerPlan:
    """Prepare what the workers share, before the fork; return the plan."""
    process.engine.stop_polling()
    plan: WorkerPlan = pickle.loads(prepare.plan)
    board.open(len(plan.test.scenarios))
    board.vus = plan.planned_vus
    if plan.test.max_vus > _FEW_VUS:
        make_template(process)
    gc.freeze()  # the loaded script stays: collections skip it, and its pages stay shared
    return plan


def _set_up_process() -> None:
    """Set signals and limits. The coordinator handles SIGINT and SIGTERM, and sends messages."""
    # gevent's default is of pprint, whose import takes 6 ms; it formats objects in messages of the hub.
    gevent.config.format_context = "builtins.repr"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _raise_limits()
    _keep_freed_memory()


def _close_others(streams: Sequence[socket.socket], index: int) -> None:
    """Close the sockets of the other workers, which `fork` has copied."""
    for number, stream in enumerate(streams):
        if number != index:
            stream.close()


def _load(process: Process) -> bool:
    """Run the script's first init and report its outcome. Return True if it has succeeded."""
    try:
        loaded = load(process)
    except JsrunnerError as error:
        process.send(protocol.WorkerFailed(str(error), error.exit_code, error.hint))
        return False
    except MemoryError:
        process.send(protocol.WorkerFailed(_OUT_OF_MEMORY, ExitCode.INTERNAL_ERROR))
        return False
    process.send(loaded)
    return True


def _fork(process: Process, count: int) -> tuple[int, list[int]] | None:
    """Fork the workers 1 to `count` - 1.

    Returns:
        In each process: its index, and the process ids of its children, which only worker 0 has.
        None if a fork has failed, which is reported.
    """
    children: list[int] = []
    for index in range(1, count):
        try:
            child = os.fork()
        except OSError as error:
            text = f"could not start worker {index + 1}: {(error.strerror or '').lower()}"
            process.send(protocol.WorkerFailed(text, ExitCode.GENERIC))
            return None
        if not child:
            return index, []
        children.append(child)
    return 0, children


def _pack(script: ScriptBundle) -> bytes:
    """Return the archive of a script whose init code has run."""
    from jsrunner.script import archive

    out = io.BytesIO()
    archive.write(script, {}, {}, out)
    return out.getvalue()


def _is_over(stream: socket.socket) -> bool:
    """Return True if the coordinator has ended."""
    try:
        return not stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _keep_freed_memory() -> None:
    """Make glibc keep freed buffers of messages instead of returning their pages each time.

    Measured with binary messages of 64 KB: 5 page faults less per message, a tenth of its CPU time.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, 64 << 20)
        mallopt(_M_MMAP_THRESHOLD, 4 << 20)


def _yield_to_others() -> None:
    """Let a worker that wakes up wait for the process that runs, instead of taking its place.

    Meanwhile further messages arrive, and there are fewer switches between processes. Measured with
    `echo-50` (2 cores, loopback): 6.3 us of CPU per message instead of 6.8, and 6 % more messages per
    second.
    """
    with contextlib.suppress(OSError):  # a container may forbid it, and musl has no such function
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _raise_limits() -> None:
    """Raise the limit of open files, for many sockets."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Worker:
    """A worker process from the fork on. It carries out the coordinator's messages until Exit."""

    def __init__(
        self,
        process: Process,
        stream: socket.socket,
        index: int,
        board: Board,
        reader: MessageReader,
    ) -> None:
        from gevent import socket as cooperative

        self.process = process
        #: Index among the workers of its machine, from 0.
        self.index = index
        self._board = board
        self._stream = cooperative.socket(fileno=stream.detach())
        self._reader = reader
        self._channel = CoordinatorChannel(self._stream, gone=self._abandon)
        self._send = process.send = self._channel.send
        self._leaving = False
        self._vus = VUs(process)
        self._players: list[Player] = []
        #: gevent's watcher of the mail pipe, which ends with its last reference.
        self._mail: _IoWatcher | None = None

    def run(self, machine: Machine, waiting: Sequence[protocol.WorkerMessage]) -> int:
        """Make the VUs, then carry out the coordinator's messages until Exit.

        Args:
            machine: The machine's place in the run, with the plan.
            waiting: Messages that have arrived already.

        Returns:
            The process's exit code.
        """
        process, plan = self.process, machine.plan
        share = plan.shares[machine.workers[self.index]]
        self._send(protocol.Forked(os.getpid()))
        process.configure(machine, self._board)
        for slot, (name, config) in enumerate(plan.test.scenarios.items()):
            player = self._player(machine, slot, name, config)
            self._players.append(player)
            process.counts.append(player.counts)
        hub = gevent.get_hub()
        # gevent need not print these errors: `_fault` reports them.
        hub.NOT_ERROR = (*hub.NOT_ERROR, JsrunnerError, MemoryError)
        self._watch_mail()
        commands = gevent.spawn(self._commands, waiting)
        try:
            self._make_vus(share.vu_ids)
            gc.freeze()
            gc.enable()
            self._send(protocol.Ready())
        except Interrupted:
            return 0
        except JsrunnerError as error:
            self._send(protocol.WorkerFailed(str(error), error.exit_code, error.hint))
            self._channel.flush()
            return 1
        except BaseException as error:
            self._fault(error)
            self._channel.flush()
            return 1
        commands.get()
        return 0

    def _player(self, machine: Machine, slot: int, name: str, config: ExecutorConfig) -> Player:
        process, plan = self.process, machine.plan
        counts = self._board.view(slot, self.index)
        scenario = Scenario(process, config, plan.test.plans[name], counts)
        indices = plan.shares[machine.workers[self.index]].indices.get(name, ())
        iterations = scenario.plan.iterations
        if not isinstance(iterations, Arrivals):
            return Player(process, self._vus, scenario, indices)
        from jsrunner.worker.arrivals import ArrivalPlayer  # few runs have arrival rates

        may_grow = iterations.max_vus > scenario.plan.vus
        workers = [
            number for number, share in enumerate(plan.shares) if may_grow or share.indices.get(name)
        ]
        return ArrivalPlayer(
            process, self._vus, scenario, indices,
            slot=slot, worker=self.index, workers=workers, machine=machine, memory=self._board,
        )  # fmt: skip

    def _watch_mail(self) -> None:
        """Receive starts of arrival rates that other processes hand over."""
        if any(isinstance(player.plan.iterations, Arrivals) for player in self._players):
            from jsrunner.worker.arrivals import deliver

            pipe = self._board.mail[self.index][0]
            self._mail = gevent.get_hub().loop.io(pipe, 1)
            self._mail.start(deliver, self._players, pipe)

    def _make_vus(self, numbers: Sequence[int]) -> None:
        process = self.process
        for count, number in enumerate(numbers, 1):
            self._vus.make(number)
            if count % 50 == 0 or count == len(numbers):
                self._send(protocol.Initialized(count))
                gevent.sleep(YIELD)
            if process.stopping:
                raise Interrupted

    # -- messages from the coordinator ---------------------------------------------------------------

    def _commands(self, waiting: Sequence[protocol.WorkerMessage]) -> None:
        for message in waiting:
            self._obey(message)
        while not self._leaving:
            try:
                data = self._stream.recv(65536)
            except OSError:
                data = b""
            if not data:
                self._abandon()
            for message in self._reader.feed(data):
                self._obey(message)
        self._vus.interrupt_all(even_stages=True)

    def _obey(self, message: protocol.WorkerMessage) -> None:
        match message:
            case protocol.RunStage():
                gevent.spawn(self._run_stage, message)
            case protocol.Start():
                gevent.spawn(self._play, message)
            case protocol.Interrupt():
                self._vus.interrupt_all()
            case protocol.Exit():
                self._leaving = True

    @staticmethod
    def _abandon() -> None:
        """End the process at once: the coordinator has gone."""
        os._exit(1)

    def _play(self, start: protocol.Start) -> None:
        snapshots = gevent.spawn(self._snapshots)
        scenarios = [gevent.spawn(player.run, start.at, start.setup_data) for player in self._players]
        try:
            gevent.joinall(scenarios, raise_error=True)
        except BaseException as error:
            self._fault(error)  # the coordinator then stops the other workers
            gevent.joinall(scenarios)
        snapshots.kill()
        self._snapshot()
        self._send(protocol.Finished())

    def _fault(self, error: BaseException) -> None:
        """Report a fault of jsrunner, so that the run ends with an error."""
        if isinstance(error, JsrunnerError):
            self._send(protocol.WorkerFailed(str(error), error.exit_code, error.hint))
        elif isinstance(error, MemoryError):
            self._send(protocol.WorkerFailed(_OUT_OF_MEMORY, ExitCode.INTERNAL_ERROR))
        else:
            import traceback

            text = "".join(traceback.format_exception(error))
            self._send(protocol.WorkerFailed(f"a worker has failed: {text}", ExitCode.INTERNAL_ERROR))

    def _run_stage(self, command: protocol.RunStage) -> None:
        from jsrunner.worker.stage_vu import run_stage

        try:
            done = run_stage(self.process, self._vus.running, command)
        except (JsrunnerError, JSError) as error:
            done = protocol.StageDone(str(error), None)
        except BaseException as error:
            self._fault(error)
            return
        if command.stage is not StageName.HANDLE_SUMMARY:  # too late for any output, as in k6
            self._snapshot()
        self._send(done)

    # -- snapshots for the coordinator ----------------------------------------------------------------

    def _snapshots(self) -> None:
        while True:
            gevent.sleep(SNAPSHOT_EVERY)
            self._snapshot()

    def _snapshot(self) -> None:
        process = self.process
        for vu in list(self._vus.running):
            vu.report()
        process.engine.library.core_sessions_count()
        process.engine.library.core_trim_parked()
        process.recorder.clock_lag = self._board.clock_lag / 1e9
        series, deltas, lines = process.recorder.collect()
        self._send(
            protocol.WorkerSnapshot(
                series=series,
                deltas=deltas,
                lines=lines,
                sessions_open=process.sessions_open,
                lateness=b"".join(player.take_lateness() for player in self._players),
                iteration_failures=process.iteration_failures,
                failed_handshakes=process.failed_handshakes,
                handshake_failure=process.handshake_failure,
                closes=process.take_closes(),
            )
        )

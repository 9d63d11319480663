"""The program's side of a run: a fresh interpreter, and a thread that reads what it sends.

The program is never forked (`subprocess` execs at once), nothing of it is patched, and its event loop
and its signal handlers are left alone. The run is a session, and so a process group, of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from codecs import getincrementaldecoder
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

import jsrunner.errors
from jsrunner.api import messages
from jsrunner.api.result import Result
from jsrunner.errors import ExitCode, JsrunnerError, WorkerError
from jsrunner.text import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.api.records import LogRecord, Snapshot

#: The child sees the program's modules. `-c` would find modules in the current folder first.
_PROGRAM: Final = (
    "import sys; descriptor, *sys.path = sys.argv[1:]; "
    "from jsrunner.api.child import main; main(int(descriptor))"
)
#: Records of the log that a result keeps, of warnings and errors and of others.
_RECORDS_MAX: Final = 1000
_READ_SIZE: Final = 1 << 18

#: Runs of this process, whose descriptors are closed where the program forks.
_runs: weakref.WeakSet[RunProcess] = weakref.WeakSet()


class RunProcess:
    """The process of one run, from its start until nothing of it is left.

    `Execution` has it, and the reading thread; every method may be called from any thread.
    """

    def __init__(
        self, begin: messages.Begin, on_log: Callable[[LogRecord], object] | None, *, samples: bool
    ) -> None:
        """Start the process.

        Args:
            begin: The first message.
            on_log: Called with each record of the log in the reading thread. What it raises ends the
                run, and is raised by `result`.
            samples: True if the run keeps every sample.

        Raises:
            WorkerError: The process cannot be started.
        """
        #: Set when the run is over and none of its processes is left.
        self.ended = threading.Event()
        #: The newest snapshot; None before the test is known.
        self.snapshot: Snapshot | None = None
        #: Number of received snapshots.
        self.snapshots = 0
        self.changed = threading.Condition()
        self._on_log = on_log
        self._name = mend_surrogates(os.path.basename(os.fsdecode(begin.path)))
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._outcome: messages.Ended | messages.Refused | None = None
        self._urgent: list[LogRecord] = []
        self._others: list[LogRecord] = []
        self._dropped = 0
        self._replies: dict[int, messages.Replied] = {}
        self._serial = 0
        self._killed = False
        self._listeners: set[Callable[[], None]] = set()
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._samples: IO[bytes] | None = tempfile.TemporaryFile() if samples else None  # noqa: SIM115
        self._start(begin)
        _runs.add(self)
        # A daemon: a program that ends does not wait for its runs, they end with it.
        name = f"jsrunner {self._process.pid}"
        self._reader = threading.Thread(target=self._read, name=name, daemon=True)
        self._reader.start()

    def _start(self, begin: messages.Begin) -> None:
        if not sys.executable:
            raise WorkerError("sys.executable names no Python interpreter that could be started")
        self._stream, theirs = socket.socketpair()
        # Numbers up to 2, which a program without standard streams has free, are the child's own.
        with theirs:
            descriptor = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 3)
        kept = [descriptor]
        if self._samples is not None:
            kept.append(fcntl.fcntl(self._samples, fcntl.F_DUPFD_CLOEXEC, 3))
            begin = msgspec.structs.replace(begin, samples=kept[1])
        paths = [path or os.getcwd() for path in sys.path]
        command = [sys.executable, "-c", _PROGRAM, str(descriptor), *paths]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=kept,
                start_new_session=True,
            )
        except OSError as error:
            self._stream.close()
            reason = (error.strerror or str(error)).lower()
            raise WorkerError(f"could not start {sys.executable}: {reason}") from None
        finally:
            for number in kept:
                os.close(number)
        self._send(begin)

    # -- what the program asks for -----------------------------------------------------------------

    @property
    def process_id(self) -> int:
        """The process id of the coordinator, which is its process group's too."""
        return self._process.pid

    def wait(self, timeout: float | None) -> bool:
        """Wait until nothing of the run is left; False after `timeout` seconds."""
        self._refuse_reader()
        return self.ended.wait(timeout)

    def _refuse_reader(self) -> None:
        if threading.current_thread() is self._reader:
            raise RuntimeError("on_log cannot wait for the run that calls it")

    def result(self) -> Result:
        """Return the result of a run that has ended.

        Raises:
            JsrunnerError: The run could not begin, or could not be completed.
        """
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def stop(self) -> None:
        """Ask the run to end."""
        self._send(messages.Stop())

    def kill(self) -> None:
        """Kill all processes of the run."""
        with self._lock:
            if self._owner == os.getpid() and self._process.returncode is None:
                self._killed = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def request(self, kind: type[messages.Pause | messages.Resume]) -> None:
        """Have the run do something, and wait for its answer.

        Raises:
            JsrunnerError: The run refuses it, or ends before it answers.
        """
        self._refuse_reader()
        with self.changed:
            self._serial += 1
            serial = self._serial
        self._send(kind(serial))
        with self.changed:
            self.changed.wait_for(lambda: serial in self._replies or self.ended.is_set())
            reply = self._replies.pop(serial, None)
        if reply is None:
            raise JsrunnerError("the run has ended")
        if reply.error is not None:
            raise JsrunnerError(reply.error)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the reading thread when there is a snapshot, or the run has ended."""
        with self.changed:
            self._listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Remove a listener."""
        with self.changed:
            self._listeners.discard(listener)

    def _send(self, message: messages.Message) -> None:
        data = messages.encode(message)
        with self._lock, contextlib.suppress(OSError):  # the reading thread says that it has ended
            if self._owner == os.getpid():
                self._stream.sendall(data)

    def abandon(self) -> None:
        """Close what a forked copy of the program has inherited: the run is not its own."""
        self._stream.close()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.returncode = 0

    # -- the reading thread ------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            self._read_events()
            self._process.wait()
            self._conclude()
        except BaseException as error:
            self._error = self._error or error
            self.kill()
        finally:
            with self._lock:
                self._process.wait()
                self._stream.close()
            if self._samples is not None:
                self._samples.close()
            self.ended.set()
            self._notify()

    def _read_events(self) -> None:
        """Read until the control stream ends: then no process of the run is left."""
        frames = messages.Frames()
        relays = {self._process.stdout: _Relay("stdout"), self._process.stderr: _Relay("stderr")}
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            for source in relays:
                assert source is not None
                os.set_blocking(source.fileno(), False)
                selector.register(source, selectors.EVENT_READ, relays[source])
            is_open = True
            while is_open:
                for key, _ in selector.select():
                    if key.data is not None:
                        if not key.data.copy(key.fd):
                            selector.unregister(key.fileobj)
                        continue
                    try:
                        data = self._stream.recv(_READ_SIZE)
                    except OSError:
                        data = b""
                    for event in frames.events(data):
                        self._handle(event)
                    is_open = bool(data)
        for source, relay in relays.items():
            assert source is not None
            relay.finish(source.fileno())
            source.close()

    def _handle(self, event: messages.Event) -> None:
        match event:
            case messages.Logged(record):
                self._keep(record)
                if self._on_log is not None and self._error is None:
                    try:
                        self._on_log(record)
                    except BaseException as error:
                        self._error = error
                        self.stop()
            case messages.Snapped(snapshot):
                self.snapshot = snapshot
                self.snapshots += 1
                self._notify()
            case messages.Replied():
                with self.changed:
                    self._replies[event.serial] = event
                self._notify()
            case _:
                self._outcome = event

    def _keep(self, record: LogRecord) -> None:
        kept = self._urgent if record.level in ("warning", "error") else self._others
        if len(kept) < _RECORDS_MAX:
            kept.append(record)
        else:
            self._dropped += 1

    def _conclude(self) -> None:
        outcome = self._outcome
        if self._killed or outcome is None:
            code = self._process.returncode
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            text = f"the process of the run has ended ({how}): there is no result"
            if self._killed:
                text = "the run was killed: there is no result"
            self._error = self._error or WorkerError(text, exit_code=ExitCode.EXTERNAL_ABORT)
        elif isinstance(outcome, messages.Refused):
            kind: type[JsrunnerError] = getattr(jsrunner.errors, outcome.kind, JsrunnerError)
            exit_code = ExitCode(outcome.exit_code)
            error = kind(outcome.text, exit_code=exit_code, hint=outcome.hint)
            self._error = self._error or error
        else:
            self._result = self._result_of(outcome)

    def _result_of(self, outcome: messages.Ended) -> Result:
        import json

        samples = None
        if self._samples is not None:
            from jsrunner.api.samples import Samples

            samples = Samples(self._samples, outcome.series)
        records = sorted(self._urgent + self._others, key=lambda record: record.time)
        return Result(
            exit_code=ExitCode(outcome.exit_code),
            reason=outcome.reason,
            duration=outcome.duration,
            thresholds=outcome.thresholds,
            summary=json.loads(outcome.summary),
            log=tuple(records),
            log_dropped=self._dropped + outcome.records_lost,
            samples=samples,
            name=self._name,
        )

    def _notify(self) -> None:
        with self.changed:
            self.changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


class _Relay:
    """Copies what the run writes to the program's `sys.stdout` or `sys.stderr`, whatever that is now.

    A notebook, or a test that captures, replaces these objects and would not see a descriptor's output.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def copy(self, descriptor: int) -> bool:
        """Copy available output. Return False at its end."""
        try:
            data = os.read(descriptor, _READ_SIZE)
        except BlockingIOError:
            return True
        self._write(self._decoder.decode(data, final=not data))
        return bool(data)

    def finish(self, descriptor: int) -> None:
        """Copy the remaining output. A process that an extension has started may keep the pipe open."""
        with contextlib.suppress(OSError):
            while data := os.read(descriptor, _READ_SIZE):
                self._write(self._decoder.decode(data))

    def _write(self, text: str) -> None:
        stream: Any = getattr(sys, self._name)
        if text and stream is not None:
            with contextlib.suppress(Exception):  # closed, or whatever the program has put there
                stream.write(text)
                stream.flush()


def _abandon_all() -> None:
    for run in list(_runs):
        run.abandon()


os.register_at_fork(after_in_child=_abandon_all)

"""`run`, `start` and `run_async`: arguments are checked here, before a process is started."""

from __future__ import annotations

import inspect
import json
import os
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

from jsrunner.api.execution import Execution
from jsrunner.api.messages import Begin
from jsrunner.api.process import RunProcess
from jsrunner.api.script import Script
from jsrunner.errors import ConfigError, UsageError
from jsrunner.text import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Unpack

    from jsrunner.api.records import LogRecord
    from jsrunner.api.result import Result


#: Seconds that a run that is stopped gets for teardown() and handleSummary() before it is killed.
STOP_TIMEOUT: Final = 30.0
#: Options that set the load.
_LOAD: Final = ("vus", "duration", "iterations", "stages")
_SEGMENTS: Final = ("executionSegment", "executionSegmentSequence")


class RunArguments(TypedDict, total=False):
    """The arguments of `run` and `run_async`: those of `start`, which describes them."""

    options: Mapping[str, Any] | None
    env: Mapping[str, str] | None
    outputs: Sequence[str]
    secrets: Sequence[str]
    scenario: str | Sequence[str] | None
    once: bool
    thresholds: bool
    server: bool
    samples: bool
    save: str | os.PathLike[str] | None
    report: str | os.PathLike[str] | None
    workers: int | None
    dask: str | None
    dask_insecure: bool
    tolerate_loss: bool
    on_log: Callable[[LogRecord], object] | None
    stop_timeout: float


def start(
    script: str | os.PathLike[str] | Script,
    *,
    options: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    secrets: Sequence[str] = (),
    scenario: str | Sequence[str] | None = None,
    once: bool = False,
    thresholds: bool = True,
    server: bool = False,
    paused: bool = False,
    samples: bool = False,
    save: str | os.PathLike[str] | None = None,
    report: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    dask: str | None = None,
    dask_insecure: bool = False,
    tolerate_loss: bool = False,
    on_log: Callable[[LogRecord], object] | None = None,
    stop_timeout: float = STOP_TIMEOUT,
) -> Execution:
    """Start a run of a script in processes of its own, and return at once.

    Only the script's output and log are printed, to `sys.stdout` and `sys.stderr`.

    Args:
        script: The path of a script or of an archive, or a `Script`.
        options: Options of the test, as in a script or a config file; they win over the script's own.
        env: Variables for the script's `__ENV`, which has the program's own environment too.
        outputs: Destinations of samples, as for `--out`, e.g. `json=out.json`.
        secrets: Sources for `k6/secrets`, as for `--secret-source`, e.g. `file=path`.
        scenario: The names of the scenarios to run; by default all of them.
        once: Run the scenario once: 1 VU, 1 iteration.
        thresholds: True if thresholds are evaluated.
        server: Start the bundled server for the run. `__ENV` has its addresses (`WS_URL`, `HTTP_URL`).
        paused: Wait before setup() until `Execution.resume`.
        samples: Keep every sample for `Result.samples`, in a temporary file of 24 bytes per sample.
        save: The file to record the run in, for `jsrunner report` and `jsrunner compare`. A run that is
            killed leaves a record of all seconds before.
        report: The HTML file for a report of the run, which is written when the run is over. If that
            fails, the log has an error.
        workers: The most worker processes (with `dask`: of each Dask worker); by default one per core.
        dask: Run on the machines of a Dask cluster, as `--dask`: the address of its scheduler.
        dask_insecure: Accept Dask connections to other machines without TLS.
        tolerate_loss: Go on without workers that are lost.
        on_log: Called with each record of the log, in a thread of jsrunner's. Nothing of the log is
            printed then. An exception of it stops the run, and is raised in place of the result.
        stop_timeout: Seconds that a run that is stopped gets for teardown() and handleSummary().

    Raises:
        UsageError: An argument is wrong.
        ConfigError: `options` contradict other arguments, or are nothing that JSON can express.
        WorkerError: The process of the run cannot be started.
    """
    source = script if isinstance(script, Script) else None
    begin = Begin(
        path=os.fsencode(source.path) if source else _script_path(script),
        source=mend_surrogates(source.text) if source else None,
        options=_options(options, scenario=scenario, once=once),
        env=_variables(env),
        outputs=_texts("outputs", outputs, "json=out.json"),
        secrets=_texts("secrets", secrets, "file=path"),
        save=_file("save", save),
        report=_file("report", report),
        workers=_workers(workers),
        dask=_dask(dask),
        dask_insecure=bool(dask_insecure),
        tolerate_loss=bool(tolerate_loss),
        scenarios=_scenarios(scenario),
        once=bool(once),
        thresholds=bool(thresholds),
        server=bool(server),
        paused=bool(paused),
        prints_log=on_log is None,
        samples=None,
    )
    return Execution(RunProcess(begin, on_log, samples=samples), stop_timeout)


_Function = TypeVar("_Function", bound="Callable[..., object]")


def _shows_arguments_of_start(function: _Function) -> _Function:
    """Show the arguments of `start` in a function's signature, for help() and notebooks."""
    signature = inspect.signature(start)
    parameters = [
        parameter for parameter in signature.parameters.values() if parameter.name != "paused"
    ]
    function.__dict__["__signature__"] = signature.replace(
        parameters=parameters, return_annotation="Result"
    )
    return function


@_shows_arguments_of_start
def run(script: str | os.PathLike[str] | Script, **arguments: Unpack[RunArguments]) -> Result:
    """Run a script to its end, and return the result.

    The arguments are those of `start`. An exception that interrupts it, such as KeyboardInterrupt,
    stops the run as leaving an `Execution` does.

    Args:
        script: The path of a script or of an archive, or a `Script`.
        arguments: The arguments of `start` but `paused`.

    Returns:
        The result, also of a run that has not passed: see `Result.passed`.

    Raises:
        JsrunnerError: The run could not begin, as with a script that does not load or options that
            describe no test (the error names the option), or could not be completed.
    """
    with start(script, **arguments) as execution:
        return execution.wait()


@_shows_arguments_of_start
async def run_async(
    script: str | os.PathLike[str] | Script, **arguments: Unpack[RunArguments]
) -> Result:
    """Run a script to its end in an event loop of asyncio, and return the result.

    The arguments are those of `start`. Cancelling it stops the run: teardown() and handleSummary()
    still run.

    Args:
        script: The path of a script or of an archive, or a `Script`.
        arguments: The arguments of `start` but `paused`.

    Returns:
        The result, also of a run that has not passed: see `Result.passed`.

    Raises:
        JsrunnerError: The run could not begin, or could not be completed.
    """
    async with start(script, **arguments) as execution:
        return await execution


def _script_path(script: object) -> bytes:
    """Return the path of a script. Raises UsageError."""
    try:
        return os.fsencode(script)  # type: ignore[arg-type]
    except TypeError:
        kind = type(script).__name__
        raise UsageError(f"script must be a path or a jsrunner.Script, not {kind}") from None


def _file(name: str, path: str | os.PathLike[str] | None) -> bytes | None:
    """Return the path of a file to write, None for no file. Raises UsageError."""
    if path is None:
        return None
    try:
        encoded = os.fsencode(path)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be the path of a file, not {path!r}") from None
    if not encoded:
        raise UsageError(f"{name} must be the path of a file, not an empty text")
    return encoded


def _options(
    options: Mapping[str, Any] | None, *, scenario: str | Sequence[str] | None, once: bool
) -> bytes:
    """Return the options of a run as JSON. Raises ConfigError."""
    if not hasattr(options or {}, "items"):
        raise ConfigError(f"options must be a mapping, not {type(options).__name__}")
    encoded = {}
    for name, value in (options or {}).items():
        try:
            encoded[str(name)] = json.loads(json.dumps(value))
        except (TypeError, ValueError, RecursionError) as error:
            text = f"the option {name} is nothing that JSON can express: {error}"
            raise ConfigError(text) from None
    clashing = {}
    if scenario is not None:
        clashing = dict.fromkeys(_LOAD, "scenario")
    if once:
        clashing |= dict.fromkeys((*_LOAD, *_SEGMENTS), "once")
    for name in clashing.keys() & encoded.keys():
        raise ConfigError(f"{clashing[name]} cannot be combined with the option {name}")
    return json.dumps(encoded).encode()


def _variables(env: Mapping[str, str] | None) -> dict[str, str]:
    """Check the variables of a script. Raises UsageError."""
    if not hasattr(env or {}, "items"):
        raise UsageError(f"env must be a mapping, not {type(env).__name__}")
    for name, value in (env or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"env: {name!r} is {value!r}, names and values must be strings")
    return {mend_surrogates(name): mend_surrogates(value) for name, value in (env or {}).items()}


def _texts(name: str, texts: Sequence[str], example: str) -> list[str]:
    """Check a list of texts. Raises UsageError."""
    is_list = isinstance(texts, (list, tuple))
    if not is_list or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{name} must be a list of texts such as '{example}', not {texts!r}")
    return [mend_surrogates(text) for text in texts]


def _workers(workers: int | None) -> int | None:
    """Check the number of worker processes. Raises UsageError."""
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise UsageError(f"invalid number of workers {workers}, there must be at least 1")
    return workers


def _dask(address: str | None) -> str | None:
    """Check the type of the scheduler's address. Raises UsageError."""
    if address is not None and not isinstance(address, str):
        raise UsageError(f"dask must be an address such as 'tls://host:8786', not {address!r}")
    return address


def _scenarios(scenario: str | Sequence[str] | None) -> list[str] | None:
    """Return the selected scenarios, None for all. Raises UsageError."""
    if scenario is None:
        return None
    names = [scenario] if isinstance(scenario, str) else _texts("scenario", scenario, "login")
    if not any(name.strip() for name in names):
        raise UsageError("scenario names no scenario")
    return names

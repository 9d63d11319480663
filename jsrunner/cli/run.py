"""`jsrunner run`: flags, files and variables become a run."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

from jsrunner.cli.features import enabled
from jsrunner.cli.inputs import (
    command,
    no_color,
    open_script,
    read_config,
    read_selection,
    script_environment,
)
from jsrunner.coordinator.run import Run
from jsrunner.coordinator.settings import RunSettings
from jsrunner.messages.plan import Limits
from jsrunner.options.flags import Flag, flags_of, options_from_flags
from jsrunner.options.runtime import Globals, Runtime, read_runtime
from jsrunner.options.selection import Selection
from jsrunner.outputs.registry import parse_output
from jsrunner.secrets.sources import parse_sources
from jsrunner.ui.quiet import QuietDisplay
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from jsrunner.cli.inputs import Given
    from jsrunner.cli.recording import Recording
    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.display import Display
    from jsrunner.script.script import Script
    from jsrunner.server.process import ServerProcess
    from jsrunner.ui.log import Logger

USAGE: Final = """Run a k6 script.

Usage:
  jsrunner run [flags] script.js
  jsrunner run [flags] -              the script comes from standard input"""


def flags() -> list[Flag]:
    return [*flags_of(), *flags_of(Selection), *flags_of(Runtime), *flags_of(Globals)]


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    return command(words, flags(), USAGE, _run)


def _run(given: Given) -> int:
    options = options_from_flags(dict(given.flags))
    selection = read_selection(given.flags)
    config, more = read_config(given)
    runtime = read_runtime(Runtime, given.flags, given.environment, more)
    script = open_script(given.arguments, runtime.type)
    if runtime.compatibility_mode == "experimental_enhanced":
        given.logger.log(
            "warning",
            "The compatibility mode experimental_enhanced is deprecated, scripts of both kinds run "
            "in any mode",
        )
    where = {
        "cli": "features" in given.flags,
        "env": "K6_FEATURES" in given.environment,
        "json": "features" in more,
    }
    features = enabled(runtime.features, where, given.logger)
    with _server(runtime) as server:
        if server is not None:
            os.environ.update(server.trust)
        recording = _recording(runtime, script, given.logger)
        settings = _settings(given, script, selection, runtime, features, server, recording)
        run = Run(
            script,
            config=config,
            flags=options,
            settings=settings,
            logger=given.logger,
            display=_display(settings, given.logger),
            companion=server,
            service=_service(given.globals),
            observe=recording.observe if recording else None,
        )
        return recording.execute(run) if recording else run.execute()


def _settings(
    given: Given,
    script: Script,
    selection: Selection,
    runtime: Runtime,
    features: frozenset[str],
    server: ServerProcess | None,
    recording: Recording | None,
) -> RunSettings:
    environment = given.environment
    outputs = [parse_output(spec, environment) for spec in runtime.out]
    if recording is not None:
        outputs.append(recording.recorder.config)
    return RunSettings(
        outputs=tuple(outputs),
        selection=selection,
        summary_mode="disabled" if runtime.no_summary else runtime.summary_mode,
        summary_export=runtime.summary_export,
        no_thresholds=runtime.no_thresholds,
        no_color=no_color(given.globals, environment),
        quiet=given.globals.quiet,
        script_environment=script_environment(
            script, runtime, environment, system=True, server=server.variables if server else None
        ),
        environment=environment,
        secrets=parse_sources(given.globals.secret_source, environment),
        workers=runtime.workers,
        limits=Limits(runtime.max_body_size, runtime.max_frame_size, runtime.max_message_size),
        features=features,
        machine_readable=runtime.new_machine_readable_summary,
        linger=runtime.linger,
    )


def _recording(runtime: Runtime, script: Script, logger: Logger) -> Recording | None:
    """The record of the run, if it is wanted, or a report that needs it."""
    if not (runtime.save or runtime.report):
        return None
    from jsrunner.cli.recording import Recording

    return Recording(runtime, script, logger)


def _service(shared: Globals) -> Callable[[RunControl], AbstractContextManager[object]] | None:
    """The REST API, if it is wanted."""
    if not shared.address:
        return None

    def service(control: RunControl) -> AbstractContextManager[object]:
        from jsrunner.rest.server import RestServer

        return RestServer(shared.address, control)

    return service


def _server(runtime: Runtime) -> AbstractContextManager[ServerProcess | None]:
    """The bundled server, if it is wanted."""
    if not runtime.with_server:
        return contextlib.nullcontext()
    from jsrunner.server.process import ServerProcess

    return ServerProcess()


def _display(settings: RunSettings, logger: Logger) -> Display:
    """The display for standard output as it is, below the banner; none of both if it is to be quiet."""
    if settings.quiet:
        return QuietDisplay()
    from jsrunner.ui.description import banner
    from jsrunner.ui.output import write

    live = _is_live(settings)
    color = live and not settings.no_color
    write(sys.stdout, banner(__version__, color=color))
    if live:
        from jsrunner.ui.live import LiveDisplay

        return LiveDisplay(sys.stdout, logger, color=color)
    from jsrunner.ui.plain import PlainDisplay

    return PlainDisplay(sys.stdout)


def _is_live(settings: RunSettings) -> bool:
    """Whether lines can be drawn in place: on a terminal that knows how, and that is ours alone."""
    shared = any(one.to_stdout for one in settings.outputs)
    return sys.stdout.isatty() and settings.environment.get("TERM", "dumb") != "dumb" and not shared

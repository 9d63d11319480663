"""The command `jsrunner run`: execute the run that flags, variables and files describe."""

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
from jsrunner.options.runtime import Dashboard, Globals, Runtime, read_runtime
from jsrunner.options.selection import Selection
from jsrunner.outputs.registry import parse_output
from jsrunner.secrets.sources import parse_sources
from jsrunner.ui.quiet import QuietDisplay
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from jsrunner.cli.inputs import Invocation
    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.display import Display
    from jsrunner.coordinator.recording import Recording
    from jsrunner.script.script import ScriptBundle
    from jsrunner.server.process import ServerProcess
    from jsrunner.ui.log import Logger

USAGE: Final = """Run a k6 script.

Usage:
  jsrunner run [flags] script.js
  jsrunner run [flags] -              the script comes from standard input"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    return [*flags_of(), *flags_of(Selection), *flags_of(Runtime), *flags_of(Globals)]


def run(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _run)


def _run(invocation: Invocation) -> int:
    options = options_from_flags(dict(invocation.flags))
    selection = read_selection(invocation.flags)
    config, more = read_config(invocation)
    runtime = read_runtime(Runtime, invocation.flags, invocation.environment, more)
    script = open_script(invocation.arguments, runtime.type)
    if runtime.compatibility_mode == "experimental_enhanced":
        invocation.logger.log(
            "warning",
            "The compatibility mode experimental_enhanced is deprecated, scripts of both kinds run "
            "in any mode",
        )
    layers = {
        "cli": "features" in invocation.flags,
        "env": "K6_FEATURES" in invocation.environment,
        "json": "features" in more,
    }
    features = enabled(runtime.features, layers, invocation.logger)
    with _server(runtime) as server:
        if server is not None:
            os.environ.update(server.trust)
        recording = _recording(runtime, script, invocation)
        settings = _settings(invocation, script, selection, runtime, features, server, recording)
        run = Run(
            script,
            config=config,
            flags=options,
            settings=settings,
            logger=invocation.logger,
            display=_display(settings, invocation.logger),
            companion=server,
            service=_service(invocation.globals, has_page=recording is not None and recording.has_page),
            observe=recording.observe if recording else None,
        )
        return recording.execute(run) if recording else run.execute()


def _settings(
    invocation: Invocation,
    script: ScriptBundle,
    selection: Selection,
    runtime: Runtime,
    features: frozenset[str],
    server: ServerProcess | None,
    recording: Recording | None,
) -> RunSettings:
    environment = invocation.environment
    outputs = [parse_output(spec, environment) for spec in runtime.out]
    if recording is not None:
        outputs.append(recording.output)
    return RunSettings(
        outputs=tuple(outputs),
        selection=selection,
        summary_mode="disabled" if runtime.no_summary else runtime.summary_mode,
        summary_export=runtime.summary_export,
        no_thresholds=runtime.no_thresholds,
        no_color=no_color(invocation.globals, environment),
        quiet=invocation.globals.quiet,
        script_environment=script_environment(
            script, runtime, environment, system=True, server=server.variables if server else None
        ),
        environment=environment,
        secrets=parse_sources(invocation.globals.secret_source, environment),
        workers=runtime.workers,
        dask=runtime.dask,
        dask_insecure=runtime.dask_insecure,
        tolerate_loss=runtime.tolerate_loss,
        limits=Limits(runtime.max_body_size, runtime.max_frame_size, runtime.max_message_size),
        features=features,
        machine_readable=runtime.new_machine_readable_summary,
        linger=runtime.linger,
    )


def _recording(runtime: Runtime, script: ScriptBundle, invocation: Invocation) -> Recording | None:
    """Return the recording of the run; None if nothing needs a record."""
    dashboard = read_runtime(Dashboard, {}, invocation.environment)
    save, report = runtime.save or dashboard.record, runtime.report or dashboard.report
    if not (save or report or runtime.web or runtime.web_dashboard):
        return None
    from jsrunner.cli.live_page import live_page, step_length, web_address
    from jsrunner.coordinator.recording import Recording

    page = None
    if runtime.web or runtime.web_dashboard:
        address = web_address(runtime.web, dashboard)
        if address is not None:
            page = live_page(address, invocation.logger, opens_browser=dashboard.open == "true")
    if not (save or report or page):
        return None
    return Recording(
        script,
        invocation.logger,
        save=save,
        report=report,
        page=page,
        step=step_length(dashboard, invocation.logger),
        split_tags=dashboard.tags,
    )


def _service(
    shared: Globals, *, has_page: bool
) -> Callable[[RunControl], AbstractContextManager[object]] | None:
    """Return the factory of the REST API, of an empty service for a live page, or None for neither."""
    if not shared.address:
        return contextlib.nullcontext if has_page else None

    def service(control: RunControl) -> AbstractContextManager[object]:
        from jsrunner.rest.server import RestServer

        return RestServer(shared.address, control)

    return service


def _server(runtime: Runtime) -> AbstractContextManager[ServerProcess | None]:
    """Start the bundled server if the command line asks for it."""
    if not runtime.with_server:
        return contextlib.nullcontext()
    from jsrunner.server.process import ServerProcess

    return ServerProcess()


def _display(settings: RunSettings, logger: Logger) -> Display:
    """Print the banner and return the display that fits standard output."""
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
    """Return True if lines can be redrawn: on a capable terminal to which no output writes."""
    is_shared = any(output.to_stdout for output in settings.outputs)
    has_terminal = sys.stdout.isatty() and settings.environment.get("TERM", "dumb") != "dumb"
    return has_terminal and not is_shared

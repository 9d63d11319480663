"""The command `jsrunner inspect`: show the options of a script without running it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from jsrunner.cli.inputs import command, open_script, read_config, script_environment
from jsrunner.coordinator.run import Run
from jsrunner.coordinator.settings import RunSettings
from jsrunner.errors import ExitCode
from jsrunner.executors.registry import scenarios_from_json
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.model import Options, rows, to_json
from jsrunner.options.runtime import Globals, Runtime, read_runtime
from jsrunner.secrets.sources import parse_sources
from jsrunner.ui.quiet import QuietDisplay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation

USAGE: Final = """Show the options of a script as JSON.

Usage:
  jsrunner inspect [flags] script.js"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    requirements = Flag(
        "execution-requirements",
        "show the consolidated options, with the scenarios, the longest duration and the most VUs",
        bare="true",
        parse=kinds.Bool().from_text,
    )
    return [requirements, *flags_of(Runtime), *flags_of(Globals)]


def inspect(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _inspect)


def _inspect(invocation: Invocation) -> int:
    run = load(invocation)
    if not invocation.flags.get("execution-requirements"):
        options, _ = run.look()
        shown = _shown(options, consolidated=False)
        if options.scenarios is not None:
            scenarios = scenarios_from_json(options.scenarios)
            shown["scenarios"] = {name: config.to_json() for name, config in scenarios.items()}
    else:
        test = run.examine().test
        shown = _shown(test.options, consolidated=True)
        shown["scenarios"] = {name: config.to_json() for name, config in test.scenarios.items()}
        longest = max(plan.latest_end for plan in test.plans.values())
        shown |= {"totalDuration": format_duration(longest), "maxVUs": test.max_vus}
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    print(re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text))
    return ExitCode.SUCCESS


def load(invocation: Invocation) -> Run:
    """Return a run of the script that can be examined, but is not executed.

    By default the script does not get the system's environment variables, as in k6.
    """
    config, more = read_config(invocation)
    runtime = read_runtime(Runtime, invocation.flags, invocation.environment, more)
    script = open_script(invocation.arguments, runtime.type)
    settings = RunSettings(
        no_thresholds=runtime.no_thresholds,
        script_environment=script_environment(script, runtime, invocation.environment, system=False),
        environment=invocation.environment,
        secrets=parse_sources(invocation.globals.secret_source, invocation.environment),
    )
    return Run(
        script,
        config=config,
        flags=Options(),
        settings=settings,
        logger=invocation.logger,
        display=QuietDisplay(),
    )


def _shown(options: Options, *, consolidated: bool) -> dict[str, Any]:
    """Return options as JSON: those of a script, or consolidated ones."""
    shown = to_json(options, consolidated=False)
    filled = to_json(options, consolidated=True)
    shown["dns"] = filled["dns"]
    if consolidated:
        shown |= {name: filled[name] for name in ("summaryTrendStats", "systemTags")}
    hidden = {"cloud"} if options.cloud is None else set()
    return {row.json: shown[row.json] for _, row in rows() if row.json and row.json not in hidden}

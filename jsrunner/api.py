"""The library: run a script from Python, and look at what came of it.

result = jsrunner.run("script.js", options={"vus": 10, "duration": "30s"})
assert result.passed, result.failed_thresholds
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsrunner.errors import ConfigError, ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.options.model import Options
    from jsrunner.ui.log import Logger


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    #: As `jsrunner run` would have exited (k6's exit codes).
    exit_code: ExitCode
    #: What handleSummary gets: root_group, metrics, options, state, setup_data.
    summary: dict[str, Any] = field(repr=False)

    @property
    def passed(self) -> bool:
        """No threshold was crossed, and nothing ended the run early."""
        return self.exit_code == ExitCode.SUCCESS

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The values of each metric (times in ms): counter count, rate; gauge value, min, max; rate
        rate, passes, fails; trend avg, min, med, max, p(90), p(95) or what summaryTrendStats says.
        """
        return {name: one["values"] for name, one in self.summary.get("metrics", {}).items()}

    @property
    def failed_thresholds(self) -> dict[str, list[str]]:
        """The thresholds that were crossed, by metric."""
        found = {}
        for name, one in self.summary.get("metrics", {}).items():
            wrong = [source for source, each in one.get("thresholds", {}).items() if not each["ok"]]
            if wrong:
                found[name] = wrong
        return found

    @property
    def checks(self) -> dict[str, tuple[int, int]]:
        """(passes, fails) of each check by its path, e.g. `::login::status is 200`."""
        found: dict[str, tuple[int, int]] = {}
        groups = [self.summary["root_group"]] if "root_group" in self.summary else []
        while groups:
            group = groups.pop(0)
            found.update({one["path"]: (one["passes"], one["fails"]) for one in group["checks"]})
            groups += group["groups"]
        return found


def run(
    script: str | os.PathLike[str],
    *,
    options: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    workers: int | None = None,
) -> Result:
    """Run a script, or an archive of one, to its end.

    Nothing is printed but what the script itself writes and logs.

    `options` are a test's options as in a script or a config file, and win over the script's own;
    `env` is added to the script's `__ENV`; `outputs` are as for `--out`, e.g. `json=out.json`.
    Worker processes are forked: call it before the program has started threads of its own.

    Raises JsrunnerError (see `jsrunner.errors`) for what cannot be run at all, such as a script that
    does not load or options that describe no test; the error of a wrong option names it. Options that
    there are none of are warned of on standard error.
    """
    from jsrunner.coordinator.run import Run
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.outputs.registry import parse_output
    from jsrunner.script.script import Script
    from jsrunner.ui.display import QuietDisplay
    from jsrunner.ui.log import Logger

    environment = dict(os.environ)
    logger = Logger()
    try:
        source = Script.at(os.fspath(script))
        work = Run(
            source,
            config=None,
            flags=_options(options, logger),
            settings=RunSettings(
                outputs=tuple(parse_output(one, environment) for one in _outputs(outputs)),
                silent=True,
                quiet=True,
                script_environment={**source.archived_variables, **environment, **_variables(env)},
                environment=environment,
                workers=workers,
            ),
            logger=logger,
            display=QuietDisplay(),
        )
        code = work.execute()
        return Result(code, work.summary or {})
    finally:
        logger.close()


def _options(options: Mapping[str, Any] | None, logger: Logger) -> Options:
    """Read the options of a run. Raises ConfigError, which names the wrong option."""
    import json

    from jsrunner.executors.registry import scenarios_from_json
    from jsrunner.options.numbers import quote
    from jsrunner.options.parse import options_from_json

    if not hasattr(options or {}, "items"):
        raise ConfigError(f"options must be a mapping, not {type(options).__name__}")
    data = {}
    for name, value in (options or {}).items():
        try:
            data[str(name)] = json.loads(json.dumps(value))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(f"the option {name} is nothing that JSON can say: {error}") from None
    try:
        read, unknown = options_from_json(data)
        scenarios_from_json(read.scenarios or {})
    except ConfigError as error:
        text = f"{error.hint}: {error}" if error.hint else str(error)
        raise ConfigError(text, exit_code=error.exit_code, hint=error.hint) from None
    if unknown:
        logger.log(
            "warning",
            "There were unknown fields in the options given to jsrunner.run()",
            error=f"json: unknown field {quote(min(unknown))}",
        )
    return read


def _variables(env: Mapping[str, str] | None) -> dict[str, str]:
    """Check the variables of a script. Raises UsageError."""
    if not hasattr(env or {}, "items"):
        raise UsageError(f"env must be a mapping, not {type(env).__name__}")
    for name, value in (env or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"env: {name!r} is {value!r}, names and values must be strings")
    return dict(env or {})


def _outputs(outputs: Sequence[str]) -> Sequence[str]:
    """Check the outputs of a run. Raises UsageError."""
    is_list = isinstance(outputs, (list, tuple))
    if not is_list or not all(isinstance(one, str) for one in outputs):
        raise UsageError(f"outputs must be a list of texts such as 'json=out.json', not {outputs!r}")
    return outputs

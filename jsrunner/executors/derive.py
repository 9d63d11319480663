"""Derivation of the scenarios from consolidated options, and the check of the whole test.

The scenarios are those of the script, or the scenario `default` that the options vus, duration,
iterations and stages stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsrunner.errors import ConfigError
from jsrunner.executors.registry import scenarios_from_json, shortcut
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.options.model import Options

_EMPTY = "`{}` was explicitly set to an empty value, running the script with 1 iteration in 1 VU"


def derive_scenarios(options: Options) -> tuple[dict[str, ExecutorConfig], list[str]]:
    """Derive the scenarios from consolidated options.

    Args:
        options: The consolidated options.

    Returns:
        The scenarios by name, ordered by (startTime, name), and warnings for the log.

    Raises:
        ConfigError: The options clash, or a scenario cannot be parsed.
    """
    _check_conflicts(options)
    warnings = []
    vus: dict[str, Any] = {} if options.vus is None else {"vus": options.vus}
    scenarios: dict[str, ExecutorConfig] = {}
    if options.iterations is not None:
        limit = {} if options.duration is None else {"maxDuration": options.duration}
        values = {"iterations": options.iterations, **vus, **limit}
        scenarios["default"] = shortcut("shared-iterations", values)
    elif options.duration is not None:
        if options.duration <= 0:
            raise ConfigError(
                "`duration` option should be more than 0, for infinite duration use the "
                "externally-controlled executor"
            )
        scenarios["default"] = shortcut("constant-vus", {"duration": options.duration, **vus})
    elif options.stages:
        start = {} if options.vus is None else {"startVUs": options.vus}
        scenarios["default"] = shortcut("ramping-vus", {"stages": options.stages, **start})
    elif options.vus is not None and options.stages is None:
        if options.scenarios is not None:
            warnings.append(f"`vus={options.vus}` overrides scenarios configuration")
        scenarios["default"] = shortcut("shared-iterations", {"iterations": options.vus, **vus})
    elif options.scenarios:
        scenarios = scenarios_from_json(options.scenarios)
    else:
        if options.stages is not None:
            warnings.append(_EMPTY.format("stages"))
        if options.scenarios is not None:
            warnings.append(_EMPTY.format("scenarios"))
        scenarios["default"] = shortcut("per-vu-iterations", {})
    ordered = sorted(scenarios.items(), key=lambda item: (item[1].start_time, item[0]))
    return dict(ordered), warnings


def _check_conflicts(options: Options) -> None:
    """Check that the options describe the load in one way only.

    Iterations and duration may be combined: the duration limits how long the iterations may take.

    Raises:
        ConfigError: The options describe the load in several ways.
    """
    loads = [
        name
        for name in ("iterations", "duration", "stages")
        if getattr(options, name) not in (None, ())
    ]
    if options.scenarios is not None:
        loads.append("scenarios")
    for clashing in loads[1:]:
        if clashing != "duration":
            raise ConfigError(
                f"using `{loads[0]}` and `{clashing}` options simultaneously is not allowed"
            )


def validate(
    options: Options, scenarios: Mapping[str, ExecutorConfig], exports: Mapping[str, str]
) -> None:
    """Check the scenarios, the execution segment and setupTimeout, as k6 does before a run.

    Args:
        options: The consolidated options.
        scenarios: The scenarios by name.
        exports: The types of the script's exports, as JavaScript's `typeof` has them, by name.

    Raises:
        ConfigError: There are errors; the text lists all of them as k6 does.
    """
    errors = []
    try:
        Striping(options.segment, options.segment_sequence)
    except ValueError as error:
        errors.append(str(error))
    for name, scenario in scenarios.items():
        if own := scenario.validate():
            errors.append(f"scenario {name} has configuration errors: {', '.join(own)}")
    if options.setup_timeout is not None and options.setup_timeout <= 0:
        errors.append("setupTimeout must be positive")
    for name, scenario in scenarios.items():
        function = scenario.exec or "default"
        if exports.get(function) != "function":
            errors.append(f"executor {name}: function '{function}' not found in exports")
    if errors:
        raise ConfigError(
            "There were problems with the specified script configuration:"
            + "".join(f"\n\t- {error}" for error in errors)
        )

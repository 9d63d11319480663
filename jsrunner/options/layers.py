"""Layers of options become one: config file < script < environment < flags; then shortcuts become
scenarios, and the whole is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jsrunner.errors import ConfigError
from jsrunner.executors.registry import scenario_from_json
from jsrunner.executors.registry import shortcut as executor
from jsrunner.options.model import SHORTCUTS, Options, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.base import ExecutorConfig

_EXCLUSIVE = (
    ("iterations", "stages"),
    ("iterations", "scenarios"),
    ("duration", "stages"),
    ("duration", "scenarios"),
    ("stages", "scenarios"),
)


def consolidate(layers: Mapping[str, Options]) -> tuple[Options, list[str]]:
    """Merge the layers (lowest first; their names are for warnings): (options, warnings).

    A layer that says anything of the load replaces all that lower layers say of it.
    """
    merged = Options()
    warnings = []
    for name, layer in layers.items():
        values = {
            one.name: value for one, _ in rows() if (value := getattr(layer, one.name)) is not None
        }
        if any(shortcut in values for shortcut in SHORTCUTS):
            if merged.scenarios is not None:
                warnings.append(
                    f'"{name}" level configuration overrode scenarios configuration entirely'
                )
            merged = replace(merged, **dict.fromkeys(SHORTCUTS))
        merged = replace(merged, **values)
    return merged, warnings


def derive_scenarios(options: Options) -> tuple[dict[str, ExecutorConfig], list[str]]:
    """The scenarios by (startTime, name), and warnings. Raises ConfigError."""
    for first, second in _EXCLUSIVE:
        if getattr(options, first) is not None and getattr(options, second):
            raise ConfigError(f"using `{first}` and `{second}` options simultaneously is not allowed")
    warnings = []
    found: dict[str, ExecutorConfig] = {}
    vus: dict[str, Any] = {} if options.vus is None else {"vus": options.vus}
    if options.iterations is not None:
        limit = {} if options.duration is None else {"maxDuration": options.duration}
        found["default"] = executor(
            "shared-iterations", {"iterations": options.iterations, **vus, **limit}
        )
    elif options.duration is not None:
        if options.duration <= 0:
            raise ConfigError(
                "`duration` option should be more than 0, for infinite duration use the "
                "externally-controlled executor"
            )
        found["default"] = executor("constant-vus", {"duration": options.duration, **vus})
    elif options.stages:
        start = {} if options.vus is None else {"startVUs": options.vus}
        found["default"] = executor("ramping-vus", {"stages": options.stages, **start})
    elif options.scenarios and options.vus is not None:
        warnings.append(f"`vus={options.vus}` overrides scenarios configuration")
    elif options.scenarios:
        found = {name: scenario_from_json(name, one) for name, one in options.scenarios.items()}
    if not found and options.vus is not None and options.vus != 1:
        found["default"] = executor("shared-iterations", {"iterations": options.vus, **vus})
    if not found:
        warnings += [
            f"`{empty}` was explicitly set to an empty value, running the script with 1 iteration "
            "in 1 VU"
            for empty in ("stages", "scenarios")
            if getattr(options, empty) is not None and not getattr(options, empty)
        ]
        found["default"] = executor("per-vu-iterations", {})
    ordered = sorted(found.items(), key=lambda item: (item[1].start_time, item[0]))
    return dict(ordered), warnings


def validate(
    options: Options, scenarios: Mapping[str, ExecutorConfig], exports: Mapping[str, str]
) -> None:
    """Raises ConfigError with all that is wrong, as k6 lists it."""
    wrong = []
    for name, timeout in (
        ("setupTimeout", options.setup_timeout),
        ("teardownTimeout", options.teardown_timeout),
    ):
        if timeout is not None and timeout <= 0:
            wrong.append(f"{name} must be positive")
    for name, scenario in scenarios.items():
        if errors := scenario.validate():
            wrong.append(f"scenario {name} has configuration errors: {', '.join(errors)}")
        elif scenario.exec and exports.get(scenario.exec) != "function":
            wrong.append(f"executor {name}: function '{scenario.exec}' not found in exports")
    if wrong:
        raise ConfigError(
            "There were problems with the specified script configuration:"
            + "".join(f"\n\t- {one}" for one in sorted(wrong))
        )

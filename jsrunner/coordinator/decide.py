"""The decision on the test: options of all layers, scenarios with their plans, thresholds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from jsrunner.coordinator.partition import max_vus
from jsrunner.errors import ConfigError, JsrunnerError
from jsrunner.executors.config import WrongType
from jsrunner.executors.derive import derive_scenarios, validate
from jsrunner.executors.registry import scenarios_from_json
from jsrunner.messages.plan import Test
from jsrunner.metrics.registry import Registry
from jsrunner.metrics.thresholds import ThresholdSet, parse_thresholds, scenario_of
from jsrunner.options.kinds import TrendStats
from jsrunner.options.layers import consolidate
from jsrunner.options.model import Options, to_json
from jsrunner.options.network import DNS
from jsrunner.options.parse import options_from_env, options_from_json, script_mismatch
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.messages.protocol import Loaded
    from jsrunner.script.script import ScriptBundle

_STAGES = ("setup", "teardown")
_REPLACED: Final = (
    "vus, duration, iterations or stages on the command line or in the environment replace the "
    "script's scenarios by one that runs the default function; --scenario and --once keep the scenarios"
)


class Decision(Struct, frozen=True):
    """The test, and its thresholds."""

    test: Test
    thresholds: ThresholdSet
    #: The script's own metrics.
    registry: Registry


def decide(
    loaded: Loaded,
    script: ScriptBundle,
    *,
    config: Options | None,
    flags: Options,
    settings: RunSettings,
    logger: RunLog,
) -> Decision:
    """Make the test from all layers of options.

    Args:
        loaded: The exports and options that the script's first init has reported.
        script: The script itself.
        config: Options of the configuration file.
        flags: Options of the command line or the library's caller.
        settings: The selected scenarios, and the environment with further options.
        logger: Gets warnings, and the layers as debug records.

    Returns:
        The test with its thresholds. This function alone computes the plans of scenarios.

    Raises:
        JsrunnerError: The options describe no test.
    """
    registry = Registry()
    for metric in loaded.metrics:
        registry.declare(metric.name, metric.type, metric.contains)
    layers = {
        "config": config or Options(),
        "script": script_options(loaded, script, logger),
        "env": options_from_env(settings.environment),
        "cli": flags,
    }
    options = _combined(layers, registry, settings, logger)
    thresholds = _thresholds(options, registry, settings, logger)
    scenarios = _scenarios(options, layers, loaded, logger)
    _check_late("dns.ttl", (options.dns or {}).get("ttl") or "", DNS.check_ttl)
    striping = Striping(options.segment, options.segment_sequence)
    plans = {name: config.plan(striping) for name, config in scenarios.items()}
    test = Test(
        options=options,
        scenarios=scenarios,
        plans=plans,
        striping=striping,
        exports=loaded.exports,
        max_vus=max_vus(plans.values()),
    )
    return Decision(test, thresholds, registry)


def _combined(
    layers: dict[str, Options], registry: Registry, settings: RunSettings, logger: RunLog
) -> Options:
    """Return the options of all layers together, with the selected scenarios only."""
    if logger.is_verbose:
        for name, layer in layers.items():
            logger.log("debug", f"Options of the layer {name}: {_listed(layer)}")
    layers, dropped = settings.selection.without_load(layers)
    options, warnings = consolidate(layers, merge_tags="merge-run-tags" in settings.features)
    _check_late("summaryTrendStats", options.summary_trend_stats or (), TrendStats.checked)
    if settings.features:
        tags = {f"k6_feature_{name.replace('-', '_')}": "true" for name in settings.features}
        options = replace(options, tags=dict(options.tags or {}) | tags)
    for warning in dropped + warnings:
        logger.log("warning", warning)
    configured = set(options.scenarios or {})
    options = settings.selection.apply(options)
    if excluded := configured - set(options.scenarios or {}):
        if not settings.no_thresholds:  # wrong ones count even if their scenario does not run
            parse_thresholds(options.thresholds or {}).validate(registry)
        options = _without_thresholds_of(excluded, options, logger)
    if logger.is_verbose:
        logger.log("debug", f"Options in effect: {_listed(options)}")
    return options


def _scenarios(
    options: Options, layers: dict[str, Options], loaded: Loaded, logger: RunLog
) -> dict[str, ExecutorConfig]:
    """Return the scenarios that the options describe. Raises ConfigError."""
    scenarios, warnings = derive_scenarios(options)
    for warning in warnings:
        logger.log("warning", warning)
    try:
        validate(options, scenarios, loaded.exports)
    except ConfigError as error:
        is_replaced = any(
            layer.scenarios and "default" not in layer.scenarios for layer in layers.values()
        )
        if is_replaced and "default" in scenarios and "default" not in loaded.exports:
            raise ConfigError(str(error), hint=_REPLACED) from None
        raise
    return scenarios


def _check_late(name: str, value: Any, check: Callable[[Any], object]) -> None:
    """Check a value that k6 checks only after merging, because a higher layer may replace it."""
    try:
        check(value)
    except ValueError as error:
        hint = f"the option {name} is {json.dumps(value)}"
        raise JsrunnerError(str(error), hint=hint) from None


def script_options(loaded: Loaded, script: ScriptBundle, logger: RunLog) -> Options:
    """Read the options that the script exports, or those of its archive.

    Args:
        loaded: The result of the script's first init.
        script: The script.
        logger: Gets k6's warnings about the options.

    Raises:
        JsrunnerError: The options or the exports are wrong. The text is k6's.
    """
    prefix = f"could not initialize '{script.name}': could not load JS test '{script.url}': "
    if loaded.options_error is not None:
        raise JsrunnerError(f"{prefix}error parsing script options: {loaded.options_error}")
    functions = {name for name, kind in loaded.exports.items() if kind == "function"}
    for name in _STAGES:
        if name in loaded.exports and name not in functions:
            raise JsrunnerError(f"{prefix}exported '{name}' must be a function")
    try:
        exported = script.archived_options
        if exported is None:
            exported = json.loads(loaded.options or "{}")
        options, unknown = options_from_json(exported, of_script=True)
        # Wrong scenarios count even if they are overridden.
        scenarios_from_json(options.scenarios or {})
    except ConfigError as error:
        text = str(error)
        if isinstance(error, WrongType):
            text = script_mismatch(text, json.dumps(options.scenarios))
        raise ConfigError(prefix + text, hint=error.hint) from None
    try:
        DNS.check_ttl((options.dns or {}).get("ttl") or "")
    except ValueError as error:
        raise JsrunnerError(f"{prefix}{error}") from None
    if not functions:
        raise JsrunnerError(f"{prefix}no exported functions in script")
    if options.features:
        logger.log(
            "warning",
            "Feature flags in script options are not supported; "
            "use --features, K6_FEATURES, or the JSON config",
            source="options",
        )
    if unknown:
        logger.log(
            "warning",
            "There were unknown fields in the options exported in the script",
            error=f'json: unknown field "{min(unknown)}"',
        )
    return options


def _listed(options: Options) -> str:
    """Return the options that are set as JSON for the log, which must not show certificates' keys."""
    shown = {name: value for name, value in to_json(options, consolidated=False).items() if value}
    if options.tls_auth:
        shown["tlsAuth"] = f"{len(options.tls_auth)} certificates"
    return json.dumps(shown, ensure_ascii=False)


def _without_thresholds_of(scenarios: Collection[str], options: Options, logger: RunLog) -> Options:
    """Return the options without thresholds that filter by a scenario that does not run."""
    thresholds = options.thresholds or {}
    kept = {
        key: expressions for key, expressions in thresholds.items() if scenario_of(key) not in scenarios
    }
    if len(kept) < len(thresholds):
        logger.log(
            "warning",
            f"--scenario skipped thresholds for excluded scenarios: "
            f"{'; '.join(sorted(thresholds.keys() - kept.keys()))}; these thresholds remain skipped "
            "even if another scenario emits matching tags",
        )
    return replace(options, thresholds=kept)


def _thresholds(
    options: Options, registry: Registry, settings: RunSettings, logger: RunLog
) -> ThresholdSet:
    raw = options.thresholds or {}
    if settings.no_thresholds:
        for key in raw:
            if registry.get(key.partition("{")[0]) is None:
                logger.log("warning", f"Invalid metric '{key}' in threshold definitions")
        return ThresholdSet()
    thresholds = parse_thresholds(raw)
    thresholds.validate(registry)
    for warning in thresholds.warnings:
        logger.log("warning", warning)
    return thresholds

"""Arguments of `jsrunner.run` from the configuration file, markers and the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Options of the test that the command line sets.
_OPTIONS: Final = ("vus", "duration", "iterations")
#: Options of the load, which are dropped if each scenario runs once.
_LOAD: Final = (*_OPTIONS, "stages", "executionSegment", "executionSegmentSequence")


def arguments(
    node: pytest.Item | pytest.Collector, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments for the scripts of a test.

    Later sources override earlier ones: configuration file, markers (the closest last), `more`, command
    line. Options and variables are merged by name.

    Raises:
        pytest.UsageError: The configuration, or the command line, is wrong.
    """
    config = node.config
    marked = [dict(marker.kwargs) for marker in reversed(list(node.iter_markers("k6")))]
    merged: dict[str, Any] = {}
    for layer in (_from_ini(config), *marked, more or {}, _from_flags(config)):
        for name in ("options", "env"):
            merged[name] = {**merged.get(name, {}), **(layer.pop(name, None) or {})}
        merged |= layer
    if merged["once"]:
        merged["options"] = {
            name: value for name, value in merged["options"].items() if name not in _LOAD
        }
    return merged


def is_strict(config: pytest.Config, run: dict[str, Any]) -> bool:
    """Return True if failed checks and exceptions fail a test. With `once` they always do."""
    return bool(config.getoption("k6_strict") or config.getini("k6_strict") or run.get("once"))


def items_per_scenario(config: pytest.Config) -> bool:
    """Return True if each scenario is a test item of its own.

    Raises:
        pytest.UsageError: The setting k6_items has another value than script or scenario.
    """
    items = config.getini("k6_items")
    if items not in ("script", "scenario"):
        raise pytest.UsageError(f"k6_items is {items!r}, it must be script or scenario")
    return bool(items == "scenario")


def _from_ini(config: pytest.Config) -> dict[str, Any]:
    text = config.getini("k6_options")
    try:
        options = json.loads(text)
    except ValueError as error:
        raise pytest.UsageError(f"k6_options is no JSON: {error}") from None
    if not isinstance(options, dict):
        raise pytest.UsageError(f"k6_options must be a JSON object, not {text}")
    return {
        "options": options,
        "env": _variables("k6_env", config.getini("k6_env")),
        "once": config.getini("k6_once"),
        "server": config.getini("k6_server"),
    }


def _from_flags(config: pytest.Config) -> dict[str, Any]:
    values = {name: config.getoption(f"k6_{name}") for name in _OPTIONS}
    layer: dict[str, Any] = {
        "options": {name: value for name, value in values.items() if value is not None},
        "env": _variables("--k6-env", config.getoption("k6_env")),
    }
    layer |= {name: True for name in ("once", "server") if config.getoption(f"k6_{name}")}
    return layer


def _variables(source: str, pairs: Iterable[str]) -> dict[str, str]:
    variables = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise pytest.UsageError(f"{source}: {pair!r} is no NAME=value")
        variables[name] = value
    return variables

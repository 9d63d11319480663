"""k6's feature flags, and the command `jsrunner features`, which lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.cli.inputs import Invocation
    from jsrunner.ui.log import Logger

#: The meaning of each feature flag. All are experimental, as in k6.
FEATURES: Final = {
    "async-metric-context": "Keep tags and metadata of samples along asynchronous code; async group()",
    "freeze-env": "Freeze __ENV, so that a script cannot change it",
    "merge-run-tags": "Merge run tags over the layers of configuration instead of replacing them",
    "native-histograms": "Accepted; trends keep exact values, or fine buckets, anyway",
}

USAGE: Final = """List the feature flags that `jsrunner run --features` takes.

Usage:
  jsrunner features [--json]"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    json = Flag("json", "print JSON", bare="true", parse=kinds.Bool().from_text)
    return [json, *flags_of(Globals)]


def features(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _list)


def _list(invocation: Invocation) -> int:
    if invocation.arguments:
        raise UsageError(f'unknown command "{invocation.arguments[0]}" for "jsrunner features"')
    if invocation.flags.get("json"):
        import json

        listed = [
            {"feature": name, "lifecycle": "Experimental", "description": text}
            for name, text in FEATURES.items()
        ]
        print(json.dumps(listed, indent=2))
        return ExitCode.SUCCESS
    rows = [("FEATURE", "LIFECYCLE", "DESCRIPTION")]
    rows += [(name, "Experimental", text) for name, text in FEATURES.items()]
    width = max(len(row[0]) for row in rows)
    for name, lifecycle, text in rows:
        print(f"{name:<{width}}   {lifecycle:<12}   {text}")
    return ExitCode.SUCCESS


def enabled(texts: Sequence[str] | None, layers: Mapping[str, bool], logger: Logger) -> frozenset[str]:
    """Return the enabled features, and log each of them.

    An unknown name is logged as an error and ignored, as in k6.

    Args:
        texts: Names of features, with commas between them.
        layers: True if a layer of options sets features, by its name in the log, the highest first.
        logger: The log.
    """
    source = next((layer for layer, has_features in layers.items() if has_features), "")
    features = set()
    for name in dict.fromkeys(part.strip() for text in texts or () for part in text.split(",")):
        if not name:
            continue
        if name not in FEATURES:
            logger.log("error", "Unknown feature flag", feature=name, outcome="unknown", source=source)
            continue
        features.add(name)
        logger.log("info", "Experimental feature enabled", feature=name, lifecycle="experimental")
    return frozenset(features)

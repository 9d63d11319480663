"""k6's feature flags: which there are, which are on; and `jsrunner features`, which lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.cli.inputs import Given
    from jsrunner.ui.log import Logger

#: What each does. All are experimental, as in k6.
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
    json = Flag("json", "as JSON", bare="true", parse=kinds.Bool().from_text)
    return [json, *flags_of(Globals)]


def features(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    return command(words, flags(), USAGE, _list)


def _list(given: Given) -> int:
    if given.arguments:
        raise UsageError(f'unknown command "{given.arguments[0]}" for "jsrunner features"')
    if given.flags.get("json"):
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


def enabled(given: Sequence[str] | None, where: Mapping[str, bool], logger: Logger) -> frozenset[str]:
    """The features that are on, said to the log; unknown names are errors there, and nothing else.

    `where` tells of each layer, the highest first, whether it says anything of features.
    """
    source = next((name for name, says in where.items() if says), "")
    found = set()
    for name in dict.fromkeys(part.strip() for text in given or () for part in text.split(",")):
        if not name:
            continue
        if name not in FEATURES:
            logger.log("error", "Unknown feature flag", feature=name, outcome="unknown", source=source)
            continue
        found.add(name)
        logger.log("info", "Experimental feature enabled", feature=name, lifecycle="experimental")
    return frozenset(found)

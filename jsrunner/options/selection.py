"""`--scenario` and `--once`: which of the configured scenarios run, and whether each runs only once.

k6 2.3: https://grafana.com/docs/k6/latest/using-k6/scenarios/#run-selected-scenarios
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ConfigError
from jsrunner.options import kinds
from jsrunner.options.model import Options, Row
from jsrunner.options.numbers import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Flags that set the load, by the option that each stands for.
_LOAD: Final = {"vus": "vus", "duration": "duration", "iterations": "iterations", "stages": "stage"}
_SEGMENTS: Final = {
    "segment": "execution-segment",
    "segment_sequence": "execution-segment-sequence",
}
#: How warnings name the options of `_LOAD` and `_SEGMENTS`, where an option has another name.
_SHOWN: Final = {"segment": "executionSegment", "segment_sequence": "executionSegmentSequence"}
#: Layers below the command line, with their names in warnings.
_LAYERS: Final = {"config": "config", "script": "script", "env": "environment"}
#: Fields of a scenario that `--once` keeps.
_KEPT: Final = ("exec", "env", "tags", "options")


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice that a command line makes among the configured scenarios."""

    #: Names, with commas between them; None without the flag.
    scenario: tuple[str, ...] | None = field(
        default=None,
        metadata={
            "row": Row(
                "", kinds.Texts(), "run only these scenarios of the script, e.g. `login,checkout`",
                flag="scenario", repeats=True, word="names",
            )
        },
    )  # fmt: skip
    once: bool = field(
        default=False,
        metadata={
            "row": Row(
                "", kinds.Bool(), "run the scenario once: 1 VU, 1 iteration", flag="once", bare="true"
            )
        },
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the selected scenarios; none if there is no selection."""
        listed = [name.strip() for text in self.scenario or () for name in text.split(",")]
        return tuple(dict.fromkeys(listed)) if any(listed) else ()

    def check(self, flags: Mapping[str, Any]) -> None:
        """Refuse flags that contradict the selection.

        Args:
            flags: The flags of the command line by name.

        Raises:
            ConfigError: A flag sets the load, or `--scenario` names nothing.
        """
        if self.scenario is not None:
            _refuse("scenario", _LOAD, flags)
            if not self.names:
                raise ConfigError("--scenario requires at least one scenario name")
        if self.once:
            _refuse("once", _LOAD | _SEGMENTS, flags)

    def without_load(self, layers: Mapping[str, Options]) -> tuple[dict[str, Options], list[str]]:
        """Drop what the layers below the command line say of the load outside of scenarios.

        Returns:
            The layers, and a warning for each layer and flag that has dropped anything.
        """
        kept, warnings = dict(layers), []
        dropping = {"scenario": [*_LOAD]} if self.scenario is not None else {}
        if self.once:
            dropping["once"] = [*_LOAD, *_SEGMENTS]
        for flag, names in dropping.items():
            for layer, shown in _LAYERS.items():
                options = kept[layer]
                dropped = [name for name in names if getattr(options, name) is not None]
                if dropped:
                    kept[layer] = replace(options, **dict.fromkeys(dropped))
                    listed = ", ".join(_SHOWN.get(name, name) for name in dropped)
                    warnings.append(f'--{flag} overrode {listed} in "{shown}" configuration')
        return kept, warnings

    def apply(self, options: Options) -> Options:
        """Return consolidated options with the selected scenarios only, each as `--once` has it.

        Raises:
            ConfigError: There is no scenario of a name, or `--once` would have to guess the scenario.
        """
        configured = options.scenarios or {}
        if self.scenario is not None:
            _check_names(self.names, configured)
            configured = {name: configured[name] for name in self.names}
            options = replace(options, scenarios=configured)
        elif self.once and len(configured) > 1:
            listed = ", ".join(sorted(configured))
            raise ConfigError(f"--once can run only with a single scenario, but got: {listed}")
        if self.once:
            once = {name: _once(one) for name, one in (configured or {"default": {}}).items()}
            options = replace(options, scenarios=once)
        return options


def _refuse(flag: str, clashing: Mapping[str, str], flags: Mapping[str, Any]) -> None:
    for name in clashing.values():
        if name in flags:
            raise ConfigError(f"--{flag} cannot be combined with --{name}")


def _check_names(names: tuple[str, ...], configured: Mapping[str, Any]) -> None:
    for name in names:
        if name not in configured:
            available = "the script does not have any named scenario"
            if configured:
                available = f"available scenarios: {', '.join(sorted(configured))}"
            raise ConfigError(f"scenario {quote(name)} not found; {available}")


def _once(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario that runs a scenario's function once."""
    fields = {key.lower(): value for key, value in scenario.items()}  # Go's JSON ignores their case
    kept = {name: fields[name] for name in _KEPT if fields.get(name) is not None}
    return {"executor": "shared-iterations", "vus": 1, "iterations": 1, **kept}

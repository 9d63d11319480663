"""The flags `--scenario` and `--once`: selection of configured scenarios, and runs of one iteration.

k6 2.3: https://grafana.com/docs/k6/latest/using-k6/scenarios/#run-selected-scenarios
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from jsrunner.errors import ConfigError
from jsrunner.options import kinds
from jsrunner.options.model import OptionRow, Options
from jsrunner.options.numbers import quote

#: The flags that set the load, by option.
_LOAD: Final = {"vus": "vus", "duration": "duration", "iterations": "iterations", "stages": "stage"}
#: The flags that select a part of the test, by option.
_SEGMENTS: Final = {
    "segment": "execution-segment",
    "segment_sequence": "execution-segment-sequence",
}
#: The names in warnings of those options of `_LOAD` and `_SEGMENTS` that have another name there.
_SHOWN: Final = {"segment": "executionSegment", "segment_sequence": "executionSegmentSequence"}
#: The names in warnings of the layers below the command line.
_LAYERS: Final = {"config": "config", "script": "script", "env": "environment"}
#: The fields of a scenario that `--once` keeps.
_KEPT: Final = ("exec", "env", "tags", "options")


class Selection(Struct, frozen=True):
    """A command line's choice among the configured scenarios."""

    #: Texts of names with commas between them; None without the flag.
    scenario: Annotated[tuple[str, ...] | None, OptionRow(
        "", kinds.Texts(), "run only these scenarios of the script, e.g. `login,checkout`",
        flag="scenario", repeats=True, word="names")] = None  # fmt: skip
    once: Annotated[bool, OptionRow(
        "", kinds.Bool(), "run the scenario once: 1 VU, 1 iteration",
        flag="once", bare="true")] = False  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the selected scenarios; empty without a selection."""
        listed = [name.strip() for text in self.scenario or () for name in text.split(",")]
        return tuple(dict.fromkeys(listed)) if any(listed) else ()

    def check(self, flags: Mapping[str, object]) -> None:
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
        """Unset the options of the load outside of scenarios in the layers below the command line.

        Args:
            layers: The options by the layer's name.

        Returns:
            The layers, and a warning for each pair of layer and flag for which an option was unset.
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
        """Apply the selection to consolidated options.

        Args:
            options: The consolidated options.

        Returns:
            The options with only the selected scenarios. With `--once` each runs once.

        Raises:
            ConfigError: No scenario has a selected name, or `--once` stands for several scenarios.
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
            scenarios = configured or {"default": {}}
            once = {name: _once(scenario) for name, scenario in scenarios.items()}
            options = replace(options, scenarios=once)
        return options


def _refuse(flag: str, clashing: Mapping[str, str], flags: Mapping[str, object]) -> None:
    """Raise ConfigError if one of the clashing flags is set beside `flag`."""
    for name in clashing.values():
        if name in flags:
            raise ConfigError(f"--{flag} cannot be combined with --{name}")


def _check_names(names: tuple[str, ...], configured: Mapping[str, object]) -> None:
    for name in names:
        if name not in configured:
            available = "the script does not have any named scenario"
            if configured:
                available = f"available scenarios: {', '.join(sorted(configured))}"
            raise ConfigError(f"scenario {quote(name)} not found; {available}")


def _once(scenario: Mapping[str, object]) -> dict[str, Any]:
    """Return the scenario that calls another scenario's function once."""
    fields = {key.lower(): value for key, value in scenario.items()}  # Go's JSON decoder ignores case
    kept = {name: fields[name] for name in _KEPT if fields.get(name) is not None}
    return {"executor": "shared-iterations", "vus": 1, "iterations": 1, **kept}

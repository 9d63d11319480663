"""Scripts as pytest collects and runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import jsrunner
from jsrunner.pytest_plugin.failure import K6Failure, check, properties
from jsrunner.pytest_plugin.groups import alone, share_group
from jsrunner.pytest_plugin.settings import arguments, is_strict, items_per_scenario

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import TerminalRepr


class K6File(pytest.File):
    """A script."""

    def collect(self) -> Iterator[K6Item]:
        """Yield the test `run`, or a test for each scenario."""
        names = []
        if items_per_scenario(self.config):
            names = _scenarios(self.path, arguments(self)["env"])
        if not names:
            yield K6Item.from_parent(self, name="run")
        for name in names:
            yield K6Item.from_parent(self, name=name, scenario=name)


def _scenarios(script: Path, env: dict[str, str]) -> list[str]:
    """Return the names of a script's scenarios; none if its options cannot be known.

    The script's init code runs for that, in a process of its own.
    """
    command = [sys.executable, "-m", "jsrunner", "inspect", "--include-system-env-vars"]
    for name, value in env.items():
        command += ["-e", f"{name}={value}"]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True)
    if done.returncode:
        return []  # the test that runs the script shows the error
    return list(json.loads(done.stdout).get("scenarios") or {})


class K6Item(pytest.Item):
    """A script, or a scenario of it, as a test."""

    def __init__(self, *, scenario: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        self._scenario = scenario
        self.add_marker(pytest.mark.k6)
        share_group(self)

    def runtest(self) -> None:
        """Run the script. Raises K6Failure if it does not pass."""
        run = arguments(self)
        if self._scenario is not None:
            run["scenario"] = self._scenario
        elif run["once"]:
            run["scenario"] = _scenarios(self.path, run["env"]) or None
        with alone(self.config):
            result = jsrunner.run(self.path, **run)
        self.user_properties += properties(result)
        check(result, strict=is_strict(self.config, run))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **more: Any
    ) -> str | TerminalRepr:
        """Return what pytest shows of a failure: no traceback of Python for what the script did."""
        error = excinfo.value
        if isinstance(error, K6Failure):
            return str(error)
        if isinstance(error, jsrunner.JsrunnerError):
            hint = f"\nhint: {error.hint}" if error.hint else ""
            return f"{self.path.name}: {error} (exit code {error.exit_code.value}){hint}"
        return super().repr_failure(excinfo, *args, **more)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Return where the test is: the script."""
        return self.path, None, f"{self.path.name}: {self.name}"

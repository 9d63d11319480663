"""Scripts whose init code uses a module, run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.messages.protocol import Log
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    """Run a script's init code: what it says on the console.

    `said` gets all messages, `modules` the Python halves of the modules.
    """

    def run(
        source: str,
        *,
        secrets: SecretSources | None = None,
        environment: dict[str, str] | None = None,
        said: list[Any] | None = None,
        modules: dict[str, Any] | None = None,
    ) -> list[str]:
        path = tmp_path / "script.js"
        path.write_text(source)
        messages: list[Any] = [] if said is None else said

        def say(message: Any) -> None:
            if not isinstance(message, Log) or message.level != "debug" or "source" in message.fields:
                messages.append(message)  # all but what `-v` shows of jsrunner itself

        process = Process(
            ScriptBundle(str(path)),
            environment=environment or {},
            secrets=secrets or SecretSources({}),
            send=say,
        )
        vu = new_vu(process, 0)
        if modules is not None:
            modules.update(vu.context.modules)
        return [
            one.text
            for one in messages
            if isinstance(one, Log) and one.fields.get("source") == "console"
        ]

    return run

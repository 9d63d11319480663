"""The template of a worker: the interpreter as whose copies the VUs' interpreters begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from jsrunner.engine.heat import RECORDED, heat_of
from jsrunner.engine.interpreter import mended
from jsrunner.engine.metric_context import FEATURE
from jsrunner.worker.process import MAIN

if TYPE_CHECKING:
    from jsrunner.worker.process import Process

#: Maximum characters of the environment's variables in the template.
_ENVIRONMENT_MOST: Final = 100_000


def make_template(process: Process) -> None:
    """Make the template, after the script's first init.

    It has jsrunner's modules, the variables of `__ENV`, and the k6 modules of the script unless one of
    them calls Python. If there is a record of heat for one of these, this is the first.
    """
    used = [name for name, _ in process.script.modules() if name.startswith("k6")]
    first = next((name for name in RECORDED if name in used), "")
    begin = MAIN + (f"import '{first}';" if first else "")
    environment = _environment(process)
    for others in ([name for name in used if name != first], []):
        if process.engine.make_template(
            begin,
            "".join(f"import '{name}';" for name in others) + environment,
            heat=heat_of(first),
            tracks_contexts=FEATURE in process.features,
        ):
            break


def _environment(process: Process) -> str:
    """Return JavaScript that sets the variables of `__ENV`, "" if the template has no room for them.

    A copy has them then, and its VU asks for nothing.
    """
    text = msgspec.json.encode(mended(process.environment)).decode()
    if len(text) > _ENVIRONMENT_MOST:
        return ""
    is_frozen = "true" if process.is_environment_frozen else "false"
    return (
        "import { setVariables } from 'jsrunner:globals/environment';"
        "import { JSONParse } from 'jsrunner:primordials';"
        f"setVariables(JSONParse({msgspec.json.encode(text).decode()}), {is_frozen});"
    )

"""CommonJS modules, for an engine that knows only ES modules.

k6 takes a file for an ES module if it imports, exports or awaits at the top; every other file is
CommonJS. Here such a file becomes an ES module that exports its code as a function, and other ES
modules import it by way of a facade: each importer gets one of its own, with the names it asks for,
because what a CommonJS module exports is known only when it has run (see modules/commonjs.js).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A facade's specifier: this, the names as JSON, and the module's URL.
_FACADE: Final = "jsrunner:commonjs/"
#: The name under which a facade exports what `import * as name` gives ("*" means something to QuickJS).
NAMESPACE: Final = "(namespace)"

_ESM_WORD: Final = re.compile(r"(?<![\w$.])(?:import|export|await)(?![\w$])")


def is_commonjs(text: str, is_function_body: Callable[[str], bool]) -> bool:
    """Whether the text is no ES module. `is_function_body` says whether it would be one's code."""
    return not _ESM_WORD.search(text) or is_function_body(text)


def definition(text: str) -> str:
    """The ES module whose default export is the code of a CommonJS module.

    The function has no name, as in k6, since it is in a list.
    """
    if text.startswith("#!"):
        text = f"//{text[2:]}"
    return f"export default [function (module, exports) {{{text}\n}}];"


def facade_of(url: str, names: Sequence[str]) -> str:
    """The specifier of an importer's facade."""
    return f"{_FACADE}{json.dumps(names)}{url}"


def facade(specifier: str) -> str | None:
    """The text of a facade, None if the specifier names none."""
    if not specifier.startswith(_FACADE):
        return None
    names, end = json.JSONDecoder().raw_decode(specifier, len(_FACADE))
    url = json.dumps(specifier[end:])
    lines = [
        f"import body from {url};",
        "import { define, member, namespace, run } from 'jsrunner:commonjs';",
        f"define({url}, body);",
        f"const exports = run({url});",
    ]
    for index, name in enumerate(names):
        value = "namespace(exports)" if name == NAMESPACE else f"member(exports, {json.dumps(name)})"
        lines.append(f"const $ = {value};".replace("$", f"name{index}"))
        lines.append(f"export {{ name{index} as {json.dumps(name)} }};")
    return "\n".join(lines)


def main(url: str) -> str:
    """The text of the module that exports the exports of a CommonJS main script."""
    link = json.dumps(url)
    return (
        f"import body from {link};\n"
        "import { define, run } from 'jsrunner:commonjs';\n"
        f"define({link}, body);\n"
        f"export const script = run({link});\n"
    )


def required(url: str) -> str:
    """The text of the module that makes a CommonJS module known to `run`."""
    link = json.dumps(url)
    return (
        f"import body from {link};\n"
        "import { define } from 'jsrunner:commonjs';\n"
        f"define({link}, body);\n"
    )

"""CommonJS modules, for an engine that has only ES modules.

For k6 a file is an ES module if it imports, exports or awaits at its top level; any other file is a
CommonJS module. jsrunner makes an ES module of it that exports its code as a function. Other ES
modules import it through a facade. Each importer has its own facade, with the names that it imports,
because the exports of a CommonJS module are known only when it has run (see modules/commonjs.js).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The prefix of a facade's specifier, before the names as JSON and the module's URL.
_FACADE: Final = "jsrunner:commonjs/"
#: The name under which a facade exports the namespace of `import * as name`: QuickJS reserves "*".
NAMESPACE: Final = "(namespace)"

_ESM_WORD: Final = re.compile(r"(?<![\w$.])(?:import|export|await)(?![\w$])")


def is_commonjs(text: str, is_function_body: Callable[[str], bool]) -> bool:
    """Return True if a module is a CommonJS module.

    Args:
        text: The module's text.
        is_function_body: Returns whether a text can be the body of a function.
    """
    return not _ESM_WORD.search(text) or is_function_body(text)


def definition(text: str) -> str:
    """Return the text of the ES module whose default export is the code of a CommonJS module.

    The export is a list with the function, so that the function has no name, as in k6.

    Args:
        text: The CommonJS module's text.
    """
    if text.startswith("#!"):
        text = f"//{text[2:]}"
    return f"export default [function (module, exports) {{{text}\n}}];"


def facade_of(url: str, names: Sequence[str]) -> str:
    """Return the specifier of the facade of a CommonJS module with the names that are imported."""
    return f"{_FACADE}{json.dumps(names)}{url}"


def facade(specifier: str) -> str | None:
    """Return the text of a facade, or None if the specifier is that of another module."""
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
    """Return the text of the module that exports the exports of a CommonJS main script."""
    link = json.dumps(url)
    return (
        f"import body from {link};\n"
        "import { define, run } from 'jsrunner:commonjs';\n"
        f"define({link}, body);\n"
        f"export const script = run({link});\n"
    )


def required(url: str) -> str:
    """Return the text of the module that defines a CommonJS module for `run` in modules/commonjs.js."""
    link = json.dumps(url)
    return (
        f"import body from {link};\n"
        "import { define } from 'jsrunner:commonjs';\n"
        f"define({link}, body);\n"
    )

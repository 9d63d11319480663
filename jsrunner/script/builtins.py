"""Imports of k6's modules that QuickJS would refuse: of missing names, of removed and unknown modules.

QuickJS links imports strictly, k6 does not. An import that k6 allows goes to a facade: a generated
module that also has the missing names.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from jsrunner.errors import ScriptError
from jsrunner.script.commonjs import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_FACADE: Final = "jsrunner:names/"
_NAMESPACE: Final = "jsrunner:namespace/"
_STUB: Final = "jsrunner:unknown/"

#: The prefix of the specifiers of other packages' modules.
_EXTENSION: Final = "k6/x/"
_EXPERIMENTAL: Final = "k6/experimental/"
_GLOBAL: Final = (
    "{} has been graduated, and it's now globally available as defined by standard WebAPIs. You just "
    "need to remove the import."
)
#: k6's error texts for imports of modules that earlier versions had.
_REMOVED: Final = {
    "k6/experimental/browser": "k6/experimental/browser has been graduated, please use k6/browser "
    "instead.Please update your imports to use k6/browser instead of k6/experimental/browser, For more "
    "information, see the migration guide at the link: "
    "https://grafana.com/docs/k6/latest/using-k6-browser/migrating-to-k6-v0-52/",
    "k6/experimental/grpc": "k6/experimental/grpc has been graduated, please use k6/net/grpc instead. "
    "See https://grafana.com/docs/k6/latest/javascript-api/k6-net-grpc/ for more information.",
    "k6/experimental/redis": "k6/experimental/redis has been removed. Please migrate to the new "
    "version by changing your import to 'k6/x/redis'. Read more here: "
    "https://grafana.com/docs/k6/latest/javascript-api/k6-x-redis",
    "k6/experimental/timers": _GLOBAL.format("k6/experimental/timers"),
    "k6/experimental/tracing": "k6/experimental/tracing has been removed. All of it functionality is "
    "available as pure JavaScript module. More info available at the docs: "
    "https://grafana.com/docs/k6/latest/javascript-api/jslib/http-instrumentation-tempo",
    "k6/experimental/webcrypto": "k6/experimental/webcrypto has been graduated and it's now globally "
    "available as defined by standard WebAPIs. You just need to remove the import.",
    # k6 has this module, jsrunner does not.
    "k6/browser": "k6/browser is not there in jsrunner, which drives no browsers",
}

#: k6's modules that are a single object. A missing name of theirs is undefined; that of another module
#: is null.
_OBJECTS: Final = frozenset(("k6/execution", "k6/html", "k6/http", "k6/net/grpc", "k6/ws"))

_EXPORT: Final = (
    r"(?m)^export\s+(?:(?P<default>default)\b|(?:async\s+)?(?:function\s*\*?|class)\s+(?P<name>[\w$]+)"
    r"|(?:const|let|var)\s+(?:(?P<variable>[\w$]+)|[{\[](?P<pattern>[^}\]]*)[}\]])|\{(?P<list>[^}]*)\})"
)
_LAST_WORD: Final = r"(?s)([\w$]+)\s*(?:=.*)?\Z"


def unknown(names: Collection[str], prefix: str = "") -> ScriptError:
    """Return the error of unknown modules, with k6's text; that of extensions has a text of jsrunner's.

    Args:
        names: The modules' specifiers.
        prefix: The text before the error.
    """
    listed = ", ".join(json.dumps(name) for name in sorted(names))
    text = f"{prefix}unknown modules [{listed}] were tried to be loaded, but couldn't - "
    if all(name.startswith(_EXTENSION) for name in names):
        return ScriptError(
            f"{text}no installed Python package offers them",
            hint="jsrunner's extensions are Python packages: docs/guides/extensions.md tells how to "
            "write one, https://pypi.org/search/?q=jsrunner lists those that there are",
        )
    return ScriptError(
        f"{text}this likely means automatic extension resolution is required or a custom k6 binary "
        "with the required extensions"
    )


def replacement(specifier: str) -> str | None:
    """Return the text of a module that throws the error of a removed module, or None."""
    text = _REMOVED.get(specifier)
    if text is None:
        return None
    return f"import {{ GoError }} from 'jsrunner:errors';\nthrow new GoError({json.dumps(text)});"


def exports(text: str) -> frozenset[str]:
    """Return the names that a module exports.

    Args:
        text: The text of a module of jsrunner's or of an extension.
    """
    names: set[str] = set()
    for match in re.finditer(_EXPORT, text):
        if match["default"]:
            names.add("default")
        elif match["name"] or match["variable"]:
            names.add(match["name"] or match["variable"])
        else:
            for binding in (match["pattern"] or match["list"] or "").split(","):
                if last := re.search(_LAST_WORD, binding.strip()):
                    names.add(last[1])
    return frozenset(names)


def facade_of(specifier: str, names: Sequence[str]) -> str:
    """Return the specifier of the facade of a module that also has these missing names."""
    return f"{_FACADE}{json.dumps(names)}{specifier}"


def stub_of(specifier: str, names: Sequence[str]) -> str:
    """Return the specifier of the stub of an unknown module, which has these names.

    A stub lets the engine link all modules, so that all unknown modules are reported together.
    """
    return f"{_STUB}{json.dumps(names)}{specifier}"


def namespace_of(specifier: str) -> str:
    """Return the specifier of a module's namespace for `import * as name`, in k6 without `default`."""
    return f"{_NAMESPACE}{specifier}"


def facade(specifier: str, source: Callable[[str], str]) -> str | None:
    """Return the text of a facade, a stub or a namespace.

    Args:
        specifier: The specifier.
        source: Returns the text of a module by its specifier.

    Returns:
        The text; None if the specifier is that of another module.
    """
    if specifier.startswith(_STUB):
        names, _ = _names(specifier, _STUB)
        return "".join(
            f"const name{index} = undefined;\nexport {{ name{index} as {json.dumps(name)} }};\n"
            for index, name in enumerate(names)
        )
    if specifier.startswith(_NAMESPACE):
        return f"export * from {json.dumps(specifier.removeprefix(_NAMESPACE))};"
    if not specifier.startswith(_FACADE):
        return None
    names, module = _names(specifier, _FACADE)
    link = json.dumps(module)
    has_default = "default" in exports(source(module))
    is_object = has_default if module.startswith("k6/x/") else module in _OBJECTS
    nothing = "undefined" if is_object else "null"
    lines = [f"export * from {link};", f"import * as all from {link};"]
    if has_default:
        lines.append(f"export {{ default }} from {link};")
    for index, name in enumerate(names):
        key = json.dumps(name)
        if name == NAMESPACE:
            lines.append(f"export * as {key} from {json.dumps(namespace_of(module))};")
            continue
        value = "{ ...all }" if name == "default" else f"{key} in all ? all[{key}] : {nothing}"
        lines.append(f"const name{index} = {value};\nexport {{ name{index} as {key} }};")
    return "\n".join(lines)


def _names(specifier: str, prefix: str) -> tuple[list[str], str]:
    """Split a facade's specifier into the names and the specifier of the module."""
    names, end = json.JSONDecoder().raw_decode(specifier, len(prefix))
    return names, specifier[end:]

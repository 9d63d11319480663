"""What a specifier of an import means: the URL of a file or of a page, or a module of k6.

k6's rules: https://grafana.com/docs/k6/latest/using-k6/modules/. No extension is guessed, there is
no index.js, no package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from jsrunner.errors import ScriptError
from jsrunner.transport import references
from jsrunner.transport.url import URL, URLError, parse

_NO_LONGER: Final = {
    "cdnjs.com": "cdnjs.com 'special' urls are no longer supported - please use real ones. You can get "
    "yours by going to cdnjs and copy-pasting the full url to the actual JavaScript file",
    "github.com": "github.com 'special' urls are no longer supported - please use real ones. You can "
    "get yours by going to github and copy-pasting the full url to the actual raw JavaScript file",
}


def is_builtin(specifier: str) -> bool:
    """Whether the specifier names a module of k6's, or of an extension."""
    return specifier == "k6" or specifier.startswith("k6/")


def resolve(base: str, specifier: str) -> str:
    """The URL that `specifier` means in the module at the URL `base`; a module of k6 is its own.

    Raises ScriptError.
    """
    if is_builtin(specifier):
        return specifier
    if not specifier:
        raise ScriptError("local or remote path required")
    if specifier[0] in "./":
        return str(references.resolve_on(_parse(base), _parse(specifier)))
    if "://" in specifier:
        return _resolve_url(base, specifier)
    for host, text in _NO_LONGER.items():
        if specifier.startswith(host):
            raise ScriptError(text)
    raise unrecognized(specifier)


def unrecognized(specifier: str) -> ScriptError:
    """Return the error of a specifier that means nothing."""
    return ScriptError(
        f"The moduleSpecifier {json.dumps(specifier)} couldn't be recognised as something k6 supports."
    )


def _resolve_url(base: str, specifier: str) -> str:
    link = _parse(specifier)
    if link.scheme not in ("file", "https"):
        raise ScriptError(
            f"only supported schemes for imports are file and https, {specifier} has `{link.scheme}`"
        )
    if link.scheme == "file" and base.startswith("https:"):
        folder = references.resolve(base, "./")
        raise ScriptError(f"origin ({folder}) not allowed to load local file: {specifier}")
    return str(link)


def _parse(text: str) -> URL:
    try:
        return parse(text)
    except URLError as error:
        raise ScriptError(str(error)) from None


def file_url(path: Path) -> str:
    """Return the URL of a file. Names need not be UTF-8."""
    return "file://" + quote(str(path), safe="/!$&'()*+,;=:@~", errors="surrogateescape")


def url_path(url: str) -> Path:
    """The path of a file's URL. What looks like a query is a part of the name."""
    path = url.removeprefix("file://") if url.startswith("file://") else urlsplit(url).path
    return Path(unquote(path, errors="surrogateescape"))

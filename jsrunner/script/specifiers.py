"""Resolution of the specifiers of imports to URLs of files and pages, or to k6's modules.

The rules are k6's: https://grafana.com/docs/k6/latest/using-k6/modules/. File extensions are not
guessed; there is no index.js and no package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from jsrunner.errors import ScriptError

if TYPE_CHECKING:
    from jsrunner.transport.url import URL

#: k6's texts for hosts that earlier versions knew.
_NO_LONGER: Final = {
    "cdnjs.com": "cdnjs.com 'special' urls are no longer supported - please use real ones. You can get "
    "yours by going to cdnjs and copy-pasting the full url to the actual JavaScript file",
    "github.com": "github.com 'special' urls are no longer supported - please use real ones. You can "
    "get yours by going to github and copy-pasting the full url to the actual raw JavaScript file",
}


def is_builtin(specifier: str) -> bool:
    """Return True if a specifier is that of a module of k6 or of an extension."""
    return specifier == "k6" or specifier.startswith("k6/")


def resolve(base: str, specifier: str) -> str:
    """Resolve a specifier.

    Args:
        base: The URL of the importing module.
        specifier: The specifier.

    Returns:
        The URL of the imported module; the specifier itself for a module of k6.

    Raises:
        ScriptError: The specifier is invalid. The text is k6's.
    """
    if is_builtin(specifier):
        return specifier
    if not specifier:
        raise ScriptError("local or remote path required")
    if specifier[0] in "./":
        return str(_parse(base).resolve(_parse(specifier)))
    if "://" in specifier:
        return _resolve_url(base, specifier)
    for host, text in _NO_LONGER.items():
        if specifier.startswith(host):
            raise ScriptError(text)
    raise unrecognized(specifier)


def unrecognized(specifier: str) -> ScriptError:
    """Return k6's error of a specifier that is neither a path nor a URL."""
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
        folder = _parse(base).resolve(_parse("./"))
        raise ScriptError(f"origin ({folder}) not allowed to load local file: {specifier}")
    return str(link)


def _parse(text: str) -> URL:
    from jsrunner.transport.url import URLError, parse  # many scripts import only k6's modules

    try:
        return parse(text)
    except URLError as error:
        raise ScriptError(str(error)) from None


def file_url(path: Path) -> str:
    """Return the URL of a file, whose name need not be UTF-8."""
    return "file://" + quote(str(path), safe="/!$&'()*+,;=:@~", errors="surrogateescape")


def url_path(url: str) -> Path:
    """Return the path of a file's URL. A question mark belongs to the file's name."""
    path = url.removeprefix("file://") if url.startswith("file://") else urlsplit(url).path
    return Path(unquote(path, errors="surrogateescape"))

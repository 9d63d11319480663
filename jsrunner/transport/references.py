"""References resolved on a page, and the parts of a link (RFC 3986), by the rules of Go's net/url.

`url` parses and formats URLs; this module only combines them.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from jsrunner.transport.url import URL, URLError, decoded, parse

_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ftp": "21"}


def resolve(base: str, reference: str) -> URL | None:
    """Return the URL of a reference on the page `base`; None if either is no URL."""
    try:
        page, link = parse(base), parse(reference)
    except URLError:
        return None
    return resolve_on(page, link)


def resolve_on(page: URL, link: URL) -> URL:
    """Return the URL of the parsed reference `link` on the page."""
    if link.scheme or link.authority or link.user is not None:
        return replace(link, scheme=link.scheme or page.scheme, path=_resolved("", link.path))
    link = replace(link, scheme=page.scheme)
    if not link.path and link.query is None:
        link = replace(link, query=page.query, fragment=link.fragment or page.fragment)
    if not link.path and page.opaque:
        return replace(link, opaque=page.opaque)
    return replace(
        link,
        authority=page.authority,
        host=page.host,
        port_text=page.port_text,
        user=page.user,
        path=_resolved(page.path, link.path),
    )


def parts(url: URL) -> dict[str, str]:
    """Return the properties of the DOM's links, as k6 spells them: `protocol` has no colon."""
    port = url.port_text
    host = url.authority.removesuffix(f":{port}") if port else url.authority.removesuffix(":")
    has_default_port = port != "" and port == _DEFAULT_PORTS.get(url.scheme)
    user, password = url.credentials
    origin = ""
    if url.scheme:
        origin = str(url) if url.scheme == "file" else f"{url.scheme}://{url.authority}"
    return {
        "hash": f"#{decoded(url.fragment)}" if url.fragment else "",
        "host": host.strip("[]") if has_default_port else url.authority,
        "hostname": host.strip("[]") if ":" in url.authority.rpartition("]")[2] else host,
        "origin": origin,
        "password": password,
        "pathname": decoded(url.path),
        "port": port,
        "protocol": url.scheme or ":",
        "search": f"?{url.query}" if url.query else "",
        "username": user,
    }


def _resolved(base: str, path: str) -> str:
    """Return the path, resolved on the base path, without `.` and `..`."""
    if not path.startswith("/"):
        path = base[: base.rfind("/") + 1] + path if path else base
    if not path:
        return ""
    segments: list[str] = []
    names = path.removeprefix("/").split("/")
    for name in names:
        if name == "..":
            segments = segments[:-1]
        elif name != ".":
            segments.append(name)
    if names[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)

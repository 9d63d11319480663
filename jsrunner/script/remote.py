"""Fetching of modules from web servers, as k6 does it.

The first request has `_k6=1` in its query, the second has not. Redirects are followed; a request may
take a minute. The proxy of HTTPS_PROXY and the authorities of SSL_CERT_FILE apply. Fetched modules are
cached for runs without a network.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jsrunner.script import cache, jslib
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT: Final = 60.0
_CACHE: Final = "modules"


class FetchError(Exception):
    """A module cannot be fetched.

    Args:
        text: The reason.
        reached: True if the server has answered, so that it does not have the module.
    """

    def __init__(self, text: str, *, reached: bool) -> None:
        super().__init__(text)
        self.reached = reached


def fetch(url: str, warn: Callable[[str], None]) -> bytes:
    """Fetch a module.

    If the server cannot be reached, jsrunner falls back to the module of an earlier run, or to a
    bundled replacement (see jslib).

    Args:
        url: The module's URL.
        warn: Gets a warning if the module is not the server's.

    Returns:
        The module's text.

    Raises:
        FetchError: There is no such module. The text is Go's.
    """
    try:
        data = _fetch(url)
    except FetchError as error:
        if error.reached:
            raise
        data_or_none = cache.load(_CACHE, url)
        if data_or_none is not None:
            warn(f"{url} could not be fetched ({error}); the module of an earlier run is used")
            return data_or_none
        own = jslib.equivalent(url)
        if own is None:
            raise
        warn(f"{url} could not be fetched ({error}); jsrunner's own equivalent is used")
        return own
    cache.store(_CACHE, url, data)
    return data


def _fetch(url: str) -> bytes:
    address, hash_, fragment = url.partition("#")
    marked = address + ("&" if urlsplit(address).query else "?") + "_k6=1" + hash_ + fragment
    try:
        return _get(marked)
    except FetchError as error:
        if not error.reached:
            raise FetchError(str(error).replace(marked, url), reached=False) from None
        return _get(url)  # some servers refuse the query


def _get(url: str) -> bytes:
    opener = _opener(url)
    opener.addheaders = [("User-Agent", f"jsrunner/{__version__}")]
    try:
        with opener.open(url.partition("#")[0], timeout=_TIMEOUT) as response:
            if response.status != http.client.OK:
                raise _wrong_status(response.status, url)
            data: bytes = response.read()
            return data
    except urllib.error.HTTPError as error:
        error.close()
        raise _wrong_status(error.code, url) from None
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f'Get "{url}": {_reason(error, url)}', reached=False) from None


def _wrong_status(status: int, url: str) -> FetchError:
    if status == http.client.NOT_FOUND:
        return FetchError(f"not found: {url}", reached=True)
    return FetchError(f"wrong status code ({status}) for: {url}", reached=True)


def _opener(url: str) -> urllib.request.OpenerDirector:
    from jsrunner.transport.proxy import Proxies

    parts = urlsplit(url)
    proxy = Proxies(os.environ).proxy_for(parts.hostname or "", parts.port or 443, secure=True)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": proxy.url} if proxy else {}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    )


def _reason(error: Exception, url: str) -> str:
    """Return Go's text for a request that has failed."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason, url)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, ssl.SSLCertVerificationError):
        from jsrunner.transport.certificates import refusal

        return str(refusal(error.verify_code, error.verify_message, host, []))
    if isinstance(error, ssl.SSLEOFError):
        return "EOF"
    if isinstance(error, ssl.SSLError):
        from jsrunner.transport.tls_names import tls_error

        return str(tls_error((error.reason or str(error)).replace("_", " ").lower()))
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {host}:{port}: connect: connection refused"
    if isinstance(error, http.client.RemoteDisconnected):
        return "EOF"
    return str(error) or type(error).__name__

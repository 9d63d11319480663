"""HTTP requests of outputs to their receivers, by the standard library's client."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from jsrunner.outputs.pusher import TIMEOUT, PushError

if TYPE_CHECKING:
    from collections.abc import Mapping


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A handler that follows no redirects: a redirected POST would become a GET."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class Poster:
    """A client that sends POST requests.

    Args:
        headers: The headers of each request.
        context: The settings of TLS.
        proxy: The proxy's URL; "" for the proxy that the environment's variables name.
    """

    def __init__(self, *, headers: Mapping[str, str], context: ssl.SSLContext, proxy: str = "") -> None:
        self._headers = dict(headers)
        proxies = {"http": proxy, "https": proxy} if proxy else None
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=context),
            _NoRedirects(),
        )

    def post(self, url: str, body: bytes) -> None:
        """Send a request.

        Args:
            url: The receiver.
            body: The request's body.

        Raises:
            PushError: There is no response within TIMEOUT, or its status is not 2xx.
        """
        request = urllib.request.Request(url, body, self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                response.read(1 << 16)
        except urllib.error.HTTPError as error:
            with error:
                body_text = error.read(500).decode("utf-8", "replace").strip()
            text = f"the receiver answered {error.code} {error.reason}"
            text += f": {body_text}" if body_text else ""
            raise PushError(text, again=error.code >= 500 or error.code == 429) from None
        except urllib.error.URLError as error:
            raise PushError(reason(error.reason)) from None
        except (OSError, HTTPException) as error:
            raise PushError(reason(error)) from None


def reason(error: object) -> str:
    """Return a short text of an error of a connection."""
    if isinstance(error, TimeoutError):
        return f"the receiver did not answer within {TIMEOUT:g} s"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).lower()


def basic(user: str, password: str) -> str:
    """Return the value of the header Authorization for basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def context(*, insecure: bool = False) -> ssl.SSLContext:
    """Make the settings of TLS.

    Args:
        insecure: True if the receiver's certificate is not verified.
    """
    tls = ssl.create_default_context()
    if insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls

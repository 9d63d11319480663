"""Recipes, by which the core makes the usual requests without Python (see core/http.h).

Python has made an equal request before. A request has no recipe if each such request needs a decision:
authentication, compression, a jar, a body in chunks.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from jsrunner.core.binding import HttpTerms
from jsrunner.engine.engine import encode
from jsrunner.transport.fields import WITH_LENGTH
from jsrunner.transport.http_pools import is_replayable

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.http.flow import Flow
    from jsrunner.modules.k6.http.shared import HttpShared
    from jsrunner.transport.exchange import Route
    from jsrunner.transport.http import HttpClient


class ConnectionLoans:
    """A lender of a VU's connections to the core."""

    def __init__(self, vu: ModuleContext, shared: HttpShared) -> None:
        self._library, self._vu, self._shared = vu.process.engine.library, vu, shared

    def lend(self, route: Route, descriptor: int, peer: tuple[str, int]) -> int:
        """Return the number of the connection, 0 if the core does not take it."""
        host, (ip, port) = self._shared.host_number(route.url), peer
        index = self._vu.interpreter.index
        number: int = self._library.core_http_lend(index, descriptor, host, ip.encode(), port)
        return number

    def reclaim(self, number: int) -> int:
        """Take a connection back: STILL_LENT while the core uses it, else UNUSED or USED."""
        done: int = self._library.core_http_reclaim(self._vu.interpreter.index, number)
        return done


def make_recipe(
    library: ctypes.CDLL, number: int, flow: Flow, shared: HttpShared, client: HttpClient
) -> None:
    """Give the core a recipe for requests like this one, if the core can make them.

    Args:
        library: The core's functions.
        number: The recipe's number, by the arguments of the JavaScript half.
        flow: The request that was made.
        shared: The process's options and tables.
        client: The VU's client.
    """
    url = flow.target.url
    route = client.pools.route(url)
    if route is None or not _is_usual(flow, route):
        return
    _set_recipe(library, number, flow, shared, route)
    client.pools.lend(url)


def _is_usual(flow: Flow, route: Route) -> bool:
    return not (
        route.url.secure
        or route.proxy is not None
        or flow.target.url.user is not None
        or flow.auth
        or flow.codings
        or flow.jar
        or flow.is_jar_given
        or flow.prepared.length is not None
    )


def _set_recipe(
    library: ctypes.CDLL, number: int, flow: Flow, shared: HttpShared, route: Route
) -> None:
    url = flow.target.url
    start, end = (
        part.encode()
        for part in flow.prepared.fields.around(
            flow.method, url.target, route.host, flow.sent_cookies, route.last
        )
    )
    terms = HttpTerms(
        timeout=flow.timeout,
        body_max=shared.settings.max_body,
        start_size=len(start),
        end_size=len(end),
        host=shared.host_number(url),
        is_head=flow.method == "HEAD",
        is_replayable=is_replayable(flow.method),
        tells_empty=flow.method in WITH_LENGTH,
        is_discarded=flow.discard,
        is_binary=flow.binary,
    )
    more = encode(flow.facts() or 0)
    text = start + end
    library.core_http_recipe(number, ctypes.byref(terms), text, len(text), more, len(more))

"""A request of a script, from its parameters to its response, by k6's rules."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypedDict

import gevent
import msgspec

from jsrunner.engine.errors import HostError
from jsrunner.modules.k6.http.samples import Request
from jsrunner.modules.k6.http.shared import prepare
from jsrunner.text import decode_bytewise
from jsrunner.transport import auth, content, failures
from jsrunner.transport.body import TooLarge
from jsrunner.transport.cookies import parse_set_cookie, sanitized
from jsrunner.transport.exchange import Exchange, HttpCall
from jsrunner.transport.failures import HttpFailure
from jsrunner.transport.redirects import BadLocation, Hop, next_hop
from jsrunner.transport.stream import Expired
from jsrunner.transport.url import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.http.debug import Debug
    from jsrunner.modules.k6.http.samples import Expected
    from jsrunner.modules.k6.http.shared import HttpShared, Prepared, RequestURL
    from jsrunner.transport.fields import Fields
    from jsrunner.transport.head import Head
    from jsrunner.transport.http import HttpClient
    from jsrunner.transport.http1 import Begun
    from jsrunner.transport.url import URL

_TIMEOUT: Final = 60.0
#: Go's zero time, in milliseconds since the epoch.
_NO_DATE: Final = -6795364578871


class RequestParams(TypedDict, total=False):
    """The params of a request, as request.js has read them."""

    #: Name, value, name, value, ...
    headers: list[str]
    #: The body's Content-Type, if the script has set none.
    type: str
    tags: dict[str, str]
    #: (name, value, replaces the jar's cookie).
    cookies: list[tuple[str, str, bool]]
    #: The number of a jar.
    jar: int
    #: The statuses of http.expectedStatuses; None judges none.
    callback: list[int | list[int]] | None
    #: A duration as Go writes it, or milliseconds.
    timeout: str | float
    #: `none`, `text` or `binary`.
    responseType: str
    redirects: int
    throw: bool
    #: `basic`, `digest` or `ntlm`.
    auth: str
    compression: list[str]


class Flow:
    """A request and its redirections. `Http` makes it and sets it up by the script's params."""

    # Defaults are class attributes, because each request makes an object and sets few of them.
    body: bytes | None = None
    content_type = ""
    #: Headers: name, value, name, value, ...
    headers: tuple[str, ...] = ()
    #: Cookies: (name, value, replaces the jar's cookie).
    cookies: Sequence[tuple[str, str, bool]] = ()
    codings: tuple[str, ...] = ()
    tags: dict[str, str] | None = None
    #: The tag `name` of a URL template.
    name: str | None = None
    auth = ""
    timeout = _TIMEOUT
    binary = False
    is_jar_given = False
    #: The part of the first exchange that the core has done.
    begun: Begun | None = None
    _credentials = ("", "")
    #: Expectation of the next response instead of `expected`: of the first with Digest and NTLM.
    _first: Expected = None
    _debug: Debug | None = None

    def __init__(
        self, vu: ModuleContext, shared: HttpShared, client: HttpClient, method: str, target: RequestURL
    ) -> None:
        self._vu, self._shared, self._client = vu, shared, client
        self.method, self.target = method, target
        #: The cookie jar; None for the VU's own jar while it does not exist.
        self.jar = vu.jars.own
        self.discard, self.throws = shared.discards, shared.throws
        self.redirects, self.redirects_given = shared.max_redirects, shared.redirects_given
        self.expected: Expected = shared.default_expected
        self._tag_set = vu.context.tag_set
        self._metadata = vu.context.metadata

    def seal(self) -> None:
        """Resolve the params now: the request may be made later, when the VU's state differs."""
        shared = self._shared
        prepared = shared.plain
        if self.headers or self.content_type:
            prepared = shared.prepared(self.headers, self.content_type)
        if self.codings and self.body is not None:
            prepared = self._encode(prepared, self.body)
        if prepared.length is not None:
            self._check_length(prepared.length, len(self.body or b""))
        self.prepared, self.sent_cookies = prepared, prepared.cookie
        if self.cookies or self.jar:
            self.sent_cookies = self._cookie_header(prepared.cookie, self.target.url)

    def run(self) -> list[object]:
        """Make the request; return its response as `responseOf` of response.js takes it.

        Raises:
            HostError: The script must get an exception.
        """
        shared, target, prepared = self._shared, self.target, self.prepared
        if shared.paces:
            shared.pace()
        if shared.debugs:
            from jsrunner.modules.k6.http.debug import Debug

            self._debug = Debug(self._vu, {**self._tag_set.tags, **(self.tags or {})})
        deadline = time.monotonic() + self.timeout
        clean = target.clean
        call = HttpCall(
            self.method,
            target.url,
            prepared.fields,
            self.sent_cookies,
            self.body,
            self.timeout,
            self.discard,
        )
        if self.auth in ("digest", "ntlm"):
            clean = self._begin_handshake(call, clean)
        headers: Mapping[str, str] = prepared.headers
        followed = 0
        while True:
            if call.url.user is not None or self.auth == "digest":
                exchange = self._exchange(call, headers, clean)
            else:
                exchange = self._send(call)
            head = exchange.head
            if head is None or exchange.failure is not None:
                break
            if head.set_cookies:
                if self.jar is None:
                    self.jar = self._vu.jars.get()
                self.jar.store(call.url, head.set_cookies, time.time())
            if not 300 < head.status < 309:
                break
            try:
                hop = self._following(call, headers, head, followed)
            except BadLocation as error:
                exchange.failure, exchange.body = failures.generic(str(error)), None
                break
            if hop is None:
                break
            self._measure(exchange, call.method, clean)
            followed += 1
            call, headers, clean = self._next_call(hop, max(deadline - time.monotonic(), 0))
        if head is not None and (head.encodings or head.status == 101):
            self._decode(exchange, head, deadline)
        self._measure(exchange, call.method, clean)
        if exchange.failure is not None:
            self._fail(exchange.failure, call.url)
        return self._row(exchange, call.url)

    # -- the request --------------------------------------------------------------------------------

    def _encode(self, prepared: Prepared, body: bytes) -> Prepared:
        """Compress the body by params.compression; return the headers for it."""
        encoding = ", ".join(self.codings)
        header = prepared.headers.get("Content-Encoding")
        if header is None:
            prepared = prepare({**prepared.headers, "Content-Encoding": encoding})
        elif header != encoding:
            self._vu.log(
                "warning",
                "There's a mismatch between the desired `compression` the manually set "
                f"`Content-Encoding` header in the {self.method} request for '{self.target.text}', the "
                "custom header has precedence and won't be overwritten. This may result in invalid "
                "data being sent to the server.",
            )
        self.body = content.encode(body, self.codings)
        return prepared

    def _check_length(self, header: str, size: int) -> None:
        if header != str(size):
            self._vu.log(
                "warning",
                f"The specified Content-Length header {msgspec.json.encode(header).decode()} in the "
                f"{self.method} request for {self.target.text} doesn't match the actual request body "
                f"length of {size}, so it will be ignored!",
            )

    def _cookie_header(self, header: str, url: URL) -> str:
        """Return the Cookie header's value: the script's header, params.cookies, the jar's cookies."""
        parts = [header] if header else []
        parts += [sanitized(name, value) for name, value, _ in self.cookies]
        jar = self._vu.jars.own if self.jar is None else self.jar
        if jar:
            replaced = {name for name, _, replaces in self.cookies if replaces}
            parts += [
                sanitized(name, value)
                for name, value in jar.pairs(url, time.time())
                if name not in replaced
            ]
        return "; ".join(parts)

    # -- one hop ---------------------------------------------------------------------------------------

    def _send(self, call: HttpCall) -> Exchange:
        debug = self._debug
        number = debug.request(call) if debug is not None else ""
        begun, self.begun = self.begun, None
        exchange = self._client.exchange(call, begun)
        if debug is not None:
            debug.response(exchange, number)
        return exchange

    def _begin_handshake(self, call: HttpCall, clean: str) -> str:
        """Expect a 401 first, for Digest and NTLM; return the URL for tags."""
        if self.expected is not None:
            also = self.expected if self.auth == "ntlm" else frozenset[int]()
            self._first = also | {401}
        return self._hide_user(call) if self.auth == "digest" else clean

    def _hide_user(self, call: HttpCall) -> str:
        """Remove the credentials from the URL, also where it is shown: Digest does so."""
        if call.url.user is not None:
            self._credentials = call.url.credentials
            call.url = parse(call.url.without_user())
        return str(call.url)

    def _exchange(self, call: HttpCall, headers: Mapping[str, str], clean: str) -> Exchange:
        """Make a request with authentication; record the samples of all exchanges but the last."""
        is_digest = self.auth == "digest"
        user, password = self._credentials if is_digest else call.url.credentials
        if (user or password) and "Authorization" not in headers:
            if self.auth == "ntlm":
                return self._exchange_ntlm(call, headers, clean, user, password)
            # With Digest too: Go has put the header in before k6 takes the credentials away.
            call.fields = _authorized(headers, auth.basic(user, password))
        exchange = self._send(call)
        head = exchange.head
        if not is_digest or exchange.failure is not None or head is None or head.status != 401:
            return exchange
        challenges = head.headers.get("Www-Authenticate", ())
        answer = auth.digest(challenges, call.method, call.url.target, user, password, call.body or b"")
        if answer is None:
            return exchange
        self._measure(exchange, call.method, clean)
        call.fields = _authorized(headers, answer)
        return self._send(call)

    def _exchange_ntlm(
        self, call: HttpCall, headers: Mapping[str, str], clean: str, user: str, password: str
    ) -> Exchange:
        """Make a request with NTLM: first without credentials (MS-NTHT), then with the handshake."""
        exchange = self._send(call)
        head = exchange.head
        if exchange.failure is not None or head is None or head.status != 401:
            return exchange
        scheme = auth.Ntlm.offered(head.headers.get("Www-Authenticate", ()))
        if scheme is None:
            return exchange
        try:
            handshake = auth.Ntlm(scheme, user, password)
        except auth.NtlmMissing as error:
            exchange.failure = failures.generic(str(error))
            return exchange
        self._measure(exchange, call.method, clean)
        call.fields = _authorized(headers, handshake.negotiate())
        exchange = self._send(call)
        head = exchange.head
        if exchange.failure is not None or head is None or head.status != 401:
            return exchange
        answer = handshake.authenticate(head.headers.get("Www-Authenticate", ()))
        if answer is None:
            return exchange
        self._measure(exchange, call.method, clean)
        call.fields = _authorized(headers, answer)
        return self._send(call)

    def _following(
        self, call: HttpCall, headers: Mapping[str, str], head: Head, followed: int
    ) -> Hop | None:
        """Return the next hop of a redirection within the limit, else None. Raises BadLocation."""
        hop = next_hop(Hop(call.method, call.url, headers, call.body), head)
        if hop is None or followed < self.redirects:
            return hop
        if not self.redirects_given:
            self._vu.log(
                "warning",
                f"Stopped after {followed + 1} redirects and returned the redirection; pass "
                "{ redirects: n } in request params or set global maxRedirects to silence this",
                url=self.target.text,
            )
        return None

    def _next_call(self, hop: Hop, timeout: float) -> tuple[HttpCall, Mapping[str, str], str]:
        """Return (request, headers of further hops, URL for tags) of a hop."""
        headers = dict(hop.headers)
        if hop.referer:
            headers.setdefault("Referer", hop.referer)
        call = HttpCall(
            hop.method,
            hop.url,
            prepare(headers).fields,
            self._cookie_header("", hop.url),
            hop.body,
            timeout,
            self.discard,
        )
        clean = self._hide_user(call) if self.auth == "digest" else hop.url.masked()
        return call, hop.headers, clean

    def _measure(self, exchange: Exchange, method: str, clean: str) -> None:
        expected = self.expected
        if self._first is not None:
            expected, self._first = self._first, None
        self._shared.samples.take(exchange, self.request(method, clean), expected, self._metadata)

    def request(self, method: str, clean: str) -> Request:
        """Return the tags' facts of a request of the flow."""
        tags = None if self.tags is None else tuple(self.tags.items())
        return Request(self._tag_set, tags, method, clean, self.name)

    # -- the response ----------------------------------------------------------------------------------

    def _decode(self, exchange: Exchange, head: Head, deadline: float) -> None:
        """Decode the body's content codings. Raises HostError for an undecodable response."""
        if head.status == 101 and exchange.failure is None:
            raise HostError(f"unsupported response status: {head.status_text}")
        if self.discard or head.is_bodiless or exchange.body is None:
            return
        limit, problem = self._shared.settings.max_body, None
        if exchange.failure is not None:  # what came of a broken body is decoded whatever the time
            deadline = float("inf")
        try:
            exchange.body, problem = content.decode(
                exchange.body, head.encodings, limit, lambda: self._pause(deadline)
            )
        except TooLarge:
            exchange.failure, exchange.body = failures.too_large(limit), None
        except Expired:
            exchange.failure, exchange.body = failures.timeout().of_body(), b""
        if problem is not None and exchange.failure is None:
            code = failures.DECOMPRESSION if problem.is_known else failures.GENERIC
            exchange.failure = HttpFailure(code, problem.message, problem.text, of_request=False)
            if isinstance(problem, content.Undecodable):
                exchange.body = None

    def _pause(self, deadline: float) -> None:
        """Yield to other greenlets during a long decoding. Raises Expired, Interrupted."""
        gevent.sleep(0)
        if time.monotonic() > deadline:
            raise Expired

    def _fail(self, failure: HttpFailure, url: URL) -> None:
        """Report a failure: raise HostError if the script asks for exceptions, else log it."""
        text = failure.full_text(self.method, url)
        if self.throws:
            raise HostError(text)
        self._vu.log("warning", "Request Failed", error=text)

    def _row(self, exchange: Exchange, url: URL) -> list[object]:
        """Return the response as `row_of` of core/http.c makes it for `responseOf`.

        Returns:
            Status, its text, protocol, header lines, body, IP and port of the peer, six timings in
            microseconds, further facts or 0.
        """
        failure, head = exchange.failure, exchange.head
        more = self.facts()
        body = None if head is None else self._body(exchange.body, head)
        shown: tuple[int, str, str, str]
        if failure is not None or head is None:
            assert failure is not None
            shown = 0, "", "", ""
            more["error"], more["code"] = failure.message, failure.code
        else:
            shown = head.status, head.status_text, head.proto, head.lines
            if exchange.tls is not None:
                more["tls"] = exchange.tls
            if head.set_cookies:
                more["cookies"] = _cookie_rows(head.set_cookies)
        if url is not self.target.url:
            more["url"] = str(url)
        return [*shown, body, *exchange.peer, *exchange.timings, more or 0]

    def facts(self) -> dict[str, object]:
        """Return the request's facts of a response that differ from the script's arguments."""
        facts: dict[str, object] = {}
        if not self.target.is_same:
            facts["asked"] = self.target.text
        prepared, cookies = self.prepared, self.sent_cookies
        if cookies:
            headers = msgspec.json.decode(prepared.json)
            headers["Cookie"] = [cookies]
            facts["headers"] = msgspec.json.encode(headers).decode()
            facts["sent"] = [pair.partition("=")[::2] for pair in cookies.split("; ")]
        elif prepared is not self._shared.plain:
            facts["headers"] = prepared.json
        return facts

    def _body(self, body: bytes | None, head: Head) -> bytes | str | None:
        """Return the body for the script: None, bytes, or a text."""
        if self.discard or head.is_bodiless or body is None:
            return None
        return body if self.binary else decode_bytewise(body)


def _cookie_rows(lines: list[str]) -> list[tuple[object, ...]]:
    """Return cookies as name, value, domain, path, http_only, secure, max_age, expires (ms)."""
    rows: list[tuple[object, ...]] = []
    for line in lines:
        cookie = parse_set_cookie(line)
        if cookie is not None:
            expires = _NO_DATE if cookie.expires is None else int(cookie.expires * 1000)
            rows.append(
                (
                    cookie.name,
                    cookie.value,
                    cookie.domain,
                    cookie.path,
                    cookie.http_only,
                    cookie.secure,
                    cookie.max_age,
                    expires,
                )
            )
    return rows


def _authorized(headers: Mapping[str, str], credentials: str) -> Fields:
    """Return the headers with an Authorization header."""
    return prepare({**headers, "Authorization": credentials}).fields

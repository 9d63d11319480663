"""Python half of `k6/http`: requests with their redirections, cookies, authentication and samples.

The usual request over HTTP/1.1 comes here only until the core knows how to make it by itself (see
core/http.h and recipes.py); all others, and what is unusual about a response, are made here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import gevent
import orjson
from gevent.lock import BoundedSemaphore
from msgspec.structs import replace

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.bytes import TextOrBytes, bytes_of
from jsrunner.modules.k6.http.flow import Flow
from jsrunner.modules.k6.http.recipes import Loans, make_recipe
from jsrunner.modules.k6.http.samples import Outcome
from jsrunner.modules.k6.http.shared import HttpShared, InvalidURL, RequestURL
from jsrunner.options.duration import parse_duration
from jsrunner.options.numbers import parse_float
from jsrunner.text import decode_bytewise
from jsrunner.transport import failures, references
from jsrunner.transport.cookies import CookieJar, SetCookie, parse_date
from jsrunner.transport.http import HttpClient
from jsrunner.transport.http1 import Begun
from jsrunner.transport.url import URL, URLError, parse

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext

#: Options of k6 that are not set.
_BATCH: Final = 20
_BATCH_PER_HOST: Final = 6
_INT64: Final = 1 << 64
#: Larger numbers of JavaScript are floats to Go.
_LARGEST_INTEGER: Final = 1 << 53


class Http(HostModule):
    specifier = "k6/http"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        self._client: HttpClient | None = None
        self._shared: HttpShared = None  # type: ignore[assignment]  # made with the first request
        self._iteration = -1
        self._asynchronous: set[gevent.Greenlet] = set()

    # -- requests ------------------------------------------------------------------------------------

    @operation(blocking=True)
    def request(
        self,
        method: str,
        url: str,
        name: str | None,
        more: dict[str, Any] | None,
        body: Any,
        recipe: int,
        begun: list[Any] | None,
    ) -> Any:
        """Make a request that the core does not make by itself, or not to its end.

        Args:
            recipe: The number under which the core would make such requests, -1 if it does not want to.
            begun: What it has done of this one (see `Begun`).

        Returns:
            The response as `responseOf` of response.js takes it.
        """
        try:
            flow = self._prepare(method, url, name, more, body)
        except ValueError as error:
            return self._refuse(error)
        if begun is not None:
            flow.begun = Begun(*begun)
        response = flow.run()
        shared, client = self._shared, self._client
        if recipe >= 0 and shared.repeats_requests and client is not None:
            make_recipe(self.vu.process.engine.library, recipe, flow, shared, client)
        return response

    @operation
    def series(
        self, method: str, url: str, name: str | None, more: dict[str, Any] | None, status: int
    ) -> list[int]:
        """Return which series the samples of such a request go into, for the core.

        Returns:
            Whether it counts as failed, then the numbers of the series.
        """
        flow = self._prepare(method, url, name, more, None)
        request = flow.request(flow.method, flow.target.clean)
        row, as_expected = self._shared.samples.row(request, Outcome(status, "HTTP/1.1"), flow.expected)
        return [as_expected is False, *(one.number for one in row.series)]

    @operation
    def refuse(self, url: str | None, text: str) -> Any:
        """A request cannot be made because of its parameters; a wrong URL is told first."""
        try:
            if url is not None:
                RequestURL.parse(url)
            raise ValueError(text)
        except ValueError as error:
            return self._refuse(error)

    def _refuse(self, error: ValueError) -> Any:
        if self.vu.process.options.throw:
            raise HostError(str(error))
        self.vu.log("warning", "Request Failed", error=str(error))
        return _refused(error)

    @operation(blocking=True)
    def batch(self, specs: list[Any]) -> list[Any]:
        """Make requests at once, as many as the options allow: their responses, or {throws: text}.

        A spec that is a string is the error in the parameters of a request; then none is made.
        """
        options = self.vu.process.options
        flows: list[Flow] = []
        for position, spec in enumerate(specs):
            try:
                if isinstance(spec, str):
                    raise ValueError(spec)
                flows.append(self._prepare(*spec))
            except ValueError as error:
                if options.throw:
                    raise HostError(str(error)) from None
                self.vu.log("warning", "A batch request failed", error=str(error))
                unmade = [None] * (len(specs) - position - 1)
                return [*(_refused(ValueError()) for _ in flows), _refused(error), *unmade]
        most = _BATCH if options.batch is None else options.batch
        per_host = _BATCH_PER_HOST if options.batch_per_host is None else options.batch_per_host
        return self._run_together(flows, most, per_host)

    def _run_together(self, flows: list[Flow], most: int, per_host: int) -> list[Any]:
        results: list[Any] = [None] * len(flows)
        slots: dict[str, BoundedSemaphore] = {}
        waiting = iter(enumerate(flows))
        errors: list[HostError] = []

        def work() -> None:
            for position, flow in waiting:
                slot = slots.setdefault(flow.target.url.authority, BoundedSemaphore(max(per_host, 1)))
                with slot:
                    try:
                        results[position] = flow.run()
                    except HostError as error:
                        errors.append(error)

        workers = [gevent.spawn(work) for _ in range(min(most, len(flows)))]
        try:
            gevent.joinall(workers, raise_error=True)
        finally:
            gevent.killall([one for one in workers if not one.dead])
        if errors:
            raise errors[0]
        return results

    @operation
    def begin(
        self, method: str, url: str, name: str | None, more: dict[str, Any] | None, body: Any
    ) -> Any:
        """Begin a request: a handle to whose listener {response} or {throws} is posted.

        If the parameters are wrong there is no handle but the {response} or {throws} itself.
        """
        try:
            flow = self._prepare(method, url, name, more, body)
        except ValueError as error:
            try:
                return {"response": self._refuse(error)}
            except HostError as thrown:
                return {"throws": str(thrown)}
        handle = self.vu.interpreter.new_handle()
        greenlet = gevent.spawn(self._run_apart, flow, handle)
        self._asynchronous.add(greenlet)
        greenlet.rawlink(self._asynchronous.discard)
        return handle

    def _run_apart(self, flow: Flow, handle: int) -> None:
        try:
            payload: dict[str, Any] = {"response": flow.run()}
        except HostError as error:
            payload = {"throws": str(error)}
        except Exception as error:
            self.vu.process.log_fault(error)
            payload = {"throws": f"jsrunner: {type(error).__name__}: {error}"}
        self.vu.interpreter.post(handle, payload)

    # -- what a request is ---------------------------------------------------------------------------

    def _connect(self) -> HttpClient:
        """The VU's client, made with its first request."""
        process = self.vu.process
        shared = self.vu.shared.get("k6/http")
        if shared is None:
            shared = self.vu.shared["k6/http"] = HttpShared(process)
        self._shared = shared
        self._client = HttpClient(shared.settings, self.vu, Loans(self.vu, shared))
        return self._client

    def _prepare(
        self, method: str, url: str, name: str | None, more: dict[str, Any] | None, body: Any
    ) -> Flow:
        """Raises ValueError for what k6 refuses before it makes a request."""
        client = self._client
        if client is None:
            client = self._connect()
        vu, shared = self.vu, self._shared
        target = shared.target(url)
        if shared.forgets_connections and self._iteration != vu.iteration:
            client.close()
            self._iteration = vu.iteration
        flow = Flow(vu, shared, client, method or "GET", target)
        if name is not None:
            flow.name = name
        if body is not None:
            flow.body = _body(body)
        if more is not None:
            self._read(more, flow)
        flow.seal()
        return flow

    def _read(self, more: dict[str, Any], flow: Flow) -> None:
        """What params say, as request.js has read them. Raises ValueError."""
        for key, value in more.items():
            if key == "headers":
                flow.headers = tuple(value)
            elif key == "type":
                flow.content_type = value
            elif key == "tags":
                flow.tags = value
            elif key == "cookies":
                flow.cookies = value
            elif key == "jar":
                flow.jar, flow.is_jar_given = self.vu.jars.get(value), True
            elif key == "callback":
                flow.expected = self._shared.expected(value)
            elif key == "timeout":
                flow.timeout = _timeout(value)
            elif key == "responseType":
                flow.discard, flow.binary = value == "none", value == "binary"
            elif key == "redirects":
                flow.redirects, flow.redirects_given = value, True
            elif key == "throw":
                flow.throws = value
            elif key == "auth":
                flow.auth = value
            else:
                assert key == "compression"
                flow.codings = tuple(value)

    @operation
    def body_text(self, body: TextOrBytes | list[Any]) -> str:
        """Return a body as text, as `response.request.body` is."""
        return decode_bytewise(_body(body))

    @operation
    def default_headers(self) -> str:
        """JSON of the headers that a request has without any of its own."""
        return self._shared.plain.json

    # -- cookie jars -----------------------------------------------------------------------------------

    @operation
    def new_jar(self) -> int:
        return self.vu.jars.keep(CookieJar())

    @operation
    def current_jar(self) -> int:
        return self.vu.jars.keep(self.vu.jars.get())

    @operation
    def drop_jar(self, number: int) -> None:
        self.vu.jars.drop(number)

    def _jar(self, number: int, url: str) -> tuple[CookieJar | None, URL]:
        """The jar, if there can be cookies for the URL."""
        try:
            parsed = parse(url)
        except URLError as error:
            raise HostError(str(error)) from None
        return self.vu.jars.get(number) if parsed.scheme in ("http", "https") else None, parsed

    @operation
    def jar_cookies(self, number: int, url: str) -> dict[str, list[str]]:
        jar, parsed = self._jar(number, url)
        found: dict[str, list[str]] = {}
        for name, value in jar.pairs(parsed, time.time()) if jar else ():
            found.setdefault(name, []).append(value)
        return found

    @operation
    def jar_set(self, number: int, url: str, name: str, value: str, given: dict[str, Any]) -> bool:
        jar, parsed = self._jar(number, url)
        expires = given.pop("expires", "")
        cookie = SetCookie(name, value, **given)
        if expires:
            cookie.expires = _rfc1123(expires)
        if jar is not None:
            jar.set(parsed, cookie, time.time())
        return True

    @operation
    def jar_delete(self, number: int, url: str, name: str) -> None:
        jar, parsed = self._jar(number, url)
        if jar is not None:
            jar.delete(parsed, name, time.time())

    @operation
    def jar_clear(self, number: int, url: str) -> None:
        jar, parsed = self._jar(number, url)
        if jar is not None:
            now = time.time()
            for name, _ in jar.pairs(parsed, now):
                jar.delete(parsed, name, now)

    # -- URLs ------------------------------------------------------------------------------------------

    @operation
    def clean_url(self, url: str) -> str:
        """A URL with its credentials hidden. Raises HostError for what is none."""
        try:
            return RequestURL.parse(url).clean
        except InvalidURL as error:
            raise HostError(str(error)) from None

    @operation
    def resolve_url(self, base: str, reference: str, query: str | None) -> str:
        """A reference on a page, with another query if one is given."""
        try:
            resolved = references.resolve_on(parse(base), parse(reference))
        except URLError as error:
            raise HostError(str(error)) from None
        return str(resolved if query is None else replace(resolved, query=query))

    @operation
    def json_error(self, text: str) -> str:
        """Where and why a text is no JSON, in Go's words."""
        from jsrunner.modules.k6.http.json_errors import describe

        return describe(text.encode())

    @operation
    def moment(self, milliseconds: float) -> str:
        """A moment as Go writes it: `2023-11-14 22:13:20.123 +0000 UTC`."""
        seconds, rest = divmod(int(milliseconds), 1000)
        local = time.localtime(seconds)
        fraction = f".{rest:03}".rstrip("0") if rest else ""
        return f"{local.tm_year:04}{time.strftime(f'-%m-%d %H:%M:%S{fraction} %z %Z', local)}"

    @operation
    def warn(self, text: str) -> None:
        self.vu.log("warning", text)

    # -- the end ---------------------------------------------------------------------------------------

    def interrupted(self) -> None:
        """The VU was stopped: drop the requests that run and close all connections."""
        gevent.killall(list(self._asynchronous))
        if self._client is not None:
            self._client.close()


def _timeout(value: str | float) -> float:
    """Seconds of params.timeout: a duration, or milliseconds, which Go keeps as 64 bits of nanoseconds.

    Raises ValueError.
    """
    if isinstance(value, str):
        try:
            milliseconds = parse_float(value)
        except ValueError:
            return _duration(value)
        return _from_float(milliseconds)
    if isinstance(value, int) and abs(value) <= _LARGEST_INTEGER:
        return ((value * 1_000_000 + _INT64 // 2) % _INT64 - _INT64 // 2) / 1e9
    return _from_float(value)


def _from_float(milliseconds: float) -> float:
    """Seconds; what 64 bits of nanoseconds cannot hold is over before it begins."""
    nanoseconds = milliseconds * 1_000_000
    return int(nanoseconds) / 1e9 if abs(nanoseconds) < _INT64 // 2 else -1.0


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"invalid timeout value: {error}") from None


def _rfc1123(text: str) -> float:
    """Seconds since the epoch. Raises HostError."""
    try:
        return parse_date(text)
    except ValueError:
        shown = orjson.dumps(text).decode()
        raise HostError(
            f'unable to parse "expires" date string {shown}: parsing time {shown} as '
            f'"Mon, 02 Jan 2006 15:04:05 MST": cannot parse {shown} as "Mon"'
        ) from None


def _body(body: TextOrBytes | list[Any]) -> bytes:
    """Return a request's body; [boundary, parts] is that of multipart/form-data."""
    return _multipart(*body) if isinstance(body, list) else bytes_of(body)


def _multipart(boundary: str, parts: list[tuple[str, str | None, str | None, TextOrBytes]]) -> bytes:
    """Return multipart/form-data (RFC 7578); parts are (name, filename or None, type, content)."""
    pieces = []
    for name, filename, content_type, content in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if filename is not None:
            head += f'; filename="{_quoted(filename)}"\r\nContent-Type: {content_type}'
        pieces += [head.encode(), b"\r\n\r\n", bytes_of(content), b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _refused(error: ValueError) -> dict[str, Any]:
    """A response that says only why there is none."""
    text = str(error)
    return {"error": text, "code": failures.INVALID_URL if text.startswith("invalid URL: ") else 0}

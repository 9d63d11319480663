"""Python half of `k6/http`: requests with their redirections, authentication and samples.

The core makes the usual request over HTTP/1.1 by itself as soon as it has a recipe (see core/http.h and
recipes.py). All other requests, and the unusual parts of responses, are made here. cookies.py has the
operations of cookie jars.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, TypedDict

import gevent
from msgspec.structs import replace

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.bytes import TextOrBytes, bytes_of
from jsrunner.modules.k6.http.flow import Flow
from jsrunner.modules.k6.http.recipes import ConnectionLoans, make_recipe
from jsrunner.modules.k6.http.samples import Outcome
from jsrunner.modules.k6.http.shared import HttpShared, InvalidURL, RequestURL
from jsrunner.options.duration import parse_duration
from jsrunner.options.model import BATCH, BATCH_PER_HOST
from jsrunner.options.numbers import parse_float
from jsrunner.text import decode_bytewise
from jsrunner.transport import failures
from jsrunner.transport.http import HttpClient
from jsrunner.transport.http1 import Begun
from jsrunner.transport.url import URLError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.http.flow import RequestParams

    #: A part of multipart/form-data: name, file name or None, type, content.
    Part: TypeAlias = tuple[str, str | None, str | None, TextOrBytes]
    #: A request's body: a text, bytes, or boundary and parts of multipart/form-data.
    Body: TypeAlias = TextOrBytes | tuple[str, list[Part]]
    #: A request of http.batch: the first arguments of `request`.
    BatchSpec: TypeAlias = tuple[str, str, str | None, RequestParams | None, Body | None]

_INT64: Final = 1 << 64
#: Largest number that k6's engine hands to Go as an integer.
_LARGEST_INTEGER: Final = 1 << 53


class Refusal(TypedDict):
    """A response that has only an error."""

    error: str
    code: int


class Http(HostModule):
    """The requests of one VU, with its HTTP client."""

    specifier = "k6/http"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        self._client: HttpClient | None = None
        self._shared: HttpShared = None  # type: ignore[assignment]  # made with the first request
        self._iteration = -1
        self._asynchronous: set[gevent.Greenlet[..., None]] = set()

    # -- requests ------------------------------------------------------------------------------------

    @operation(blocking=True)
    def request(
        self,
        method: str,
        url: str,
        name: str | None,
        more: RequestParams | None,
        body: Body | None,
        recipe: int,
        begun: tuple[int, int, int, int, int, int, bytes] | None,
    ) -> list[object] | Refusal:
        """Make a request that the core does not make by itself, or not to its end.

        Args:
            method: The HTTP method, "" for GET.
            url: The URL of the script.
            name: The tag `name` of a URL template, None without one.
            more: The params, as request.js has read them.
            body: The body (see `_body`), None without one.
            recipe: The number of the core's recipe for such requests, -1 if the core wants none.
            begun: The part of the exchange that the core has done (see `Begun`).

        Returns:
            The response for `responseOf` of response.js.

        Raises:
            HostError: The script must get an exception.
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
        self, method: str, url: str, name: str | None, more: RequestParams | None, status: int
    ) -> list[int]:
        """Return the series of the samples of a request, for the core.

        Returns:
            True if the request counts as failed, then the numbers of the series.
        """
        flow = self._prepare(method, url, name, more, None)
        request = flow.request(flow.method, flow.target.clean)
        row, as_expected = self._shared.samples.row(request, Outcome(status, "HTTP/1.1"), flow.expected)
        return [as_expected is False, *(series.number for series in row.series)]

    @operation
    def refuse(self, url: str | None, text: str) -> Refusal:
        """Refuse a request because of its parameters; an error of the URL comes first."""
        try:
            if url is not None:
                RequestURL.parse(url)
            raise ValueError(text)
        except ValueError as error:
            return self._refuse(error)

    def _refuse(self, error: ValueError) -> Refusal:
        if self.vu.process.options.throw:
            raise HostError(str(error))
        self.vu.log("warning", "Request Failed", error=str(error))
        return _refused(error)

    @operation(blocking=True)
    def batch(self, specs: list[str | BatchSpec]) -> Sequence[object]:
        """Make requests at once, as many as the options allow; return their responses.

        A spec that is a string is the error in the parameters of a request; then no request is made.
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
        most = BATCH if options.batch is None else options.batch
        per_host = BATCH_PER_HOST if options.batch_per_host is None else options.batch_per_host
        return self._run_together(flows, most, per_host)

    def _run_together(self, flows: list[Flow], most: int, per_host: int) -> Sequence[object]:
        from gevent.lock import BoundedSemaphore  # 3 ms, with logging

        results: list[list[object] | None] = [None] * len(flows)
        slots: dict[str, AbstractContextManager[object]] = {}
        waiting = iter(enumerate(flows))
        errors: list[HostError] = []

        def run_waiting() -> None:
            for position, flow in waiting:
                # As in k6, 0 is no limit.
                unused = BoundedSemaphore(per_host) if per_host > 0 else nullcontext()
                with slots.setdefault(flow.target.url.authority, unused):
                    try:
                        results[position] = flow.run()
                    except HostError as error:
                        errors.append(error)

        workers = [gevent.spawn(run_waiting) for _ in range(min(most, len(flows)))]
        try:
            gevent.joinall(workers, raise_error=True)
        finally:
            gevent.killall([worker for worker in workers if not worker.dead])
        if errors:
            raise errors[0]
        return results

    @operation
    def begin(
        self, method: str, url: str, name: str | None, more: RequestParams | None, body: Body | None
    ) -> int | dict[str, object]:
        """Begin a request in a greenlet; return a handle, whose listener gets {response} or {throws}.

        If the parameters are wrong, the result is {response} or {throws} instead of a handle.
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
            payload: dict[str, object] = {"response": flow.run()}
        except HostError as error:
            payload = {"throws": str(error)}
        except Exception as error:
            self.vu.process.log_fault(error)
            payload = {"throws": f"jsrunner: {type(error).__name__}: {error}"}
        self.vu.interpreter.post(handle, payload)

    # -- preparing a request ---------------------------------------------------------------------------

    def _connect(self) -> HttpClient:
        """Make the VU's client, with its first request."""
        process = self.vu.process
        shared = self.vu.shared.get("k6/http")
        if shared is None:
            shared = self.vu.shared["k6/http"] = HttpShared(process)
        self._shared = shared
        self._client = HttpClient(shared.settings, self.vu, ConnectionLoans(self.vu, shared))
        return self._client

    def _prepare(
        self, method: str, url: str, name: str | None, more: RequestParams | None, body: Body | None
    ) -> Flow:
        """Return the flow of a request. Raises ValueError for arguments that k6 refuses."""
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
            self._apply_params(more, flow)
        flow.seal()
        return flow

    def _apply_params(self, more: RequestParams, flow: Flow) -> None:
        """Set a flow up by params. Raises ValueError for a wrong timeout."""
        if "headers" in more:
            flow.headers = tuple(more["headers"])
        if "type" in more:
            flow.content_type = more["type"]
        if "tags" in more:
            flow.tags = more["tags"]
        if "cookies" in more:
            flow.cookies = more["cookies"]
        if "jar" in more:
            flow.jar, flow.is_jar_given = self.vu.jars.get(more["jar"]), True
        if "callback" in more:
            flow.expected = self._shared.expected(more["callback"])
        if "timeout" in more:
            flow.timeout = _timeout(more["timeout"])
        if "responseType" in more:
            kind = more["responseType"]
            flow.discard, flow.binary = kind == "none", kind == "binary"
        if "redirects" in more:
            flow.redirects, flow.redirects_given = more["redirects"], True
        if "throw" in more:
            flow.throws = more["throw"]
        if "auth" in more:
            flow.auth = more["auth"]
        if "compression" in more:
            flow.codings = tuple(more["compression"])

    @operation
    def body_text(self, body: Body) -> str:
        """Return a body as text, for `response.request.body`."""
        return decode_bytewise(_body(body))

    @operation
    def default_headers(self) -> str:
        """Return the JSON of the headers of a request without headers of its own."""
        return self._shared.plain.json

    # -- URLs ------------------------------------------------------------------------------------------

    @operation
    def clean_url(self, url: str) -> str:
        """Return a URL with its credentials hidden. Raises HostError for an invalid URL."""
        try:
            parsed = RequestURL.parse(url)
        except InvalidURL as error:
            raise HostError(str(error)) from None
        if parsed.url.user is None:
            return url
        hidden, _, _ = parsed.clean.partition("@")
        return f"{hidden}@{url[url.index('@') + 1 :]}"  # the rest stays as the script has it

    @operation
    def resolve_url(self, base: str, reference: str, query: str | None) -> str:
        """Return the URL of a reference on a page; `query` replaces its query."""
        try:
            resolved = parse(base).resolve(parse(reference))
        except URLError as error:
            raise HostError(str(error)) from None
        return str(resolved if query is None else replace(resolved, query=query or None))

    @operation
    def json_error(self, text: str) -> str:
        """Return Go's text for a text that is no JSON."""
        from jsrunner.modules.k6.http.json_errors import describe

        return describe(text.encode())

    @operation
    def moment(self, milliseconds: float) -> str:
        """Return a moment as Go writes it: `2023-11-14 22:13:20.123 +0000 UTC`."""
        seconds, rest = divmod(int(milliseconds), 1000)
        local = time.localtime(seconds)
        fraction = f".{rest:03}".rstrip("0") if rest else ""
        return f"{local.tm_year:04}{time.strftime(f'-%m-%d %H:%M:%S{fraction} %z %Z', local)}"

    @operation
    def warn(self, text: str) -> None:
        """Log a warning."""
        self.vu.log("warning", text)

    # -- the end ---------------------------------------------------------------------------------------

    def interrupted(self) -> None:
        """Drop the requests under way and close all connections: the VU was stopped."""
        gevent.killall(list(self._asynchronous))
        if self._client is not None:
            self._client.close()


def _timeout(value: str | float) -> float:
    """Return the seconds of params.timeout: a duration, or milliseconds.

    Go keeps them as 64 bits of nanoseconds.

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
    """Return seconds; -1 for more nanoseconds than 64 bits hold, which expires at once, as in k6."""
    nanoseconds = milliseconds * 1_000_000
    return int(nanoseconds) / 1e9 if abs(nanoseconds) < _INT64 // 2 else -1.0


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"invalid timeout value: {error}") from None


def _body(body: Body) -> bytes:
    """Return a request's body as it is sent."""
    return bytes_of(body) if isinstance(body, (str, bytes)) else _multipart(*body)


def _multipart(boundary: str, parts: list[Part]) -> bytes:
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


def _refused(error: ValueError) -> Refusal:
    """Return a response that has only an error."""
    text = str(error)
    return {"error": text, "code": failures.INVALID_URL if text.startswith("invalid URL: ") else 0}

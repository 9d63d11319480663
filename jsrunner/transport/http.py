"""One VU's HTTP client on libcurl: a request goes out, its response comes in, nothing is followed.

Redirects, cookies and authentication are their callers' business (see modules.k6.http): each of
them is a request with samples of its own. Connections are kept as Go's net/http keeps them.
"""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pycurl

from jsrunner.transport import failures
from jsrunner.transport.curl import Transfers
from jsrunner.transport.dial import CONNECT_TIMEOUT
from jsrunner.transport.errors import DialError
from jsrunner.transport.failures import Broken, Failure
from jsrunner.transport.head import Head, Heads
from jsrunner.transport.proxy import split as split_proxy
from jsrunner.transport.tls_names import GO_SUITES, SUITES, certificate_for
from jsrunner.transport.wire import wire_bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.options.model import Options
    from jsrunner.transport.dial import Dialer
    from jsrunner.transport.url import URL

#: Kept easy handles: so many that are set up for a kind of request, so many that are not.
_MOST_READY: Final = 8
_MOST_SPARE: Final = 20

#: Where Go looks for the system's certificates.
_CA_FOLDERS: Final = ("/etc/ssl/certs", "/etc/pki/tls/certs")
_CA_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
)  # fmt: skip

_TLS_LOWEST: Final = {
    "tls1.0": pycurl.SSLVERSION_TLSv1_0,
    "tls1.1": pycurl.SSLVERSION_TLSv1_1,
    "tls1.2": pycurl.SSLVERSION_TLSv1_2,
    "tls1.3": pycurl.SSLVERSION_TLSv1_3,
}
_TLS_HIGHEST: Final = {
    "tls1.0": pycurl.SSLVERSION_MAX_TLSv1_0,
    "tls1.1": pycurl.SSLVERSION_MAX_TLSv1_1,
    "tls1.2": pycurl.SSLVERSION_MAX_TLSv1_2,
    "tls1.3": pycurl.SSLVERSION_MAX_TLSv1_3,
}
_TLS_FACTS: Final = re.compile(rb"SSL connection using TLSv(\d\.\d) / (\S+)")


class Call:
    """A request as it goes on the wire."""

    __slots__ = ("body", "cookies", "discard", "lines", "method", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: URL,
        lines: tuple[str, ...] = (),
        cookies: str = "",
        body: bytes | None = None,
        timeout: float = 0.0,
        discard: bool = False,
    ) -> None:
        self.method, self.url = method, url
        #: Headers as libcurl takes them: `Name: value`, `Name;` for an empty value.
        self.lines = lines
        #: The Cookie header's value, "" for none.
        self.cookies = cookies
        self.body = body
        #: Seconds.
        self.timeout = timeout
        #: The body is read and thrown away.
        self.discard = discard


#: blocked, connecting, tls_handshaking, sending, waiting, receiving, in microseconds.
Timings = tuple[int, int, int, int, int, int]
NO_TIME: Final[Timings] = (0, 0, 0, 0, 0, 0)


class Exchange:
    """What came of a call: a head and a body, or a failure."""

    __slots__ = ("body", "failure", "head", "peer", "timings", "tls", "waited")

    def __init__(
        self,
        failure: Failure | None,
        head: Head | None = None,
        body: bytes = b"",
        timings: Timings = NO_TIME,
        peer: tuple[str, int] = ("", 0),
        tls: tuple[str, str] | None = None,
        waited: bool = True,
    ) -> None:
        self.failure, self.head, self.body, self.timings = failure, head, body, timings
        #: IP and port of who was connected to.
        self.peer = peer
        #: `tls1.3` and Go's name of the cipher suite.
        self.tls = tls
        #: Whether other greenlets had their turn meanwhile.
        self.waited = waited


class Settings:
    """What the clients of a process share: the run's options in libcurl's terms, and caches."""

    def __init__(self, options: Options, dialer: Dialer, environment: Mapping[str, str]) -> None:
        self.options = options
        self.dialer = dialer
        self.heads = Heads()
        #: Version and cipher suite by host and port, as the last handshake has settled them.
        self.tls_facts: dict[tuple[str, int], tuple[str, str]] = {}
        self._environment = environment
        http2 = "http2client=0" not in environment.get("GODEBUG", "").split(",")
        self.common: list[tuple[int, Any]] = [
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.HTTP09_ALLOWED, 1),  # to be told what it was that is no HTTP
            (pycurl.CONNECTTIMEOUT_MS, int(CONNECT_TIMEOUT * 1000)),
            (pycurl.MAXAGE_CONN, 1 << 30),
            (
                pycurl.HTTP_VERSION,
                pycurl.CURL_HTTP_VERSION_2TLS if http2 else pycurl.CURL_HTTP_VERSION_1_1,
            ),
        ]
        if options.no_connection_reuse:
            self.common += [(pycurl.FRESH_CONNECT, 1), (pycurl.FORBID_REUSE, 1)]

    @property
    def max_idle(self) -> int:
        """Connections that are kept (as in k6, as many as a batch may use)."""
        return max(20 if self.options.batch is None else self.options.batch, 1)

    @cached_property
    def _tls(self) -> list[tuple[int, Any]]:
        options = self.options
        lowest, highest = options.tls_version or (None, None)
        found: list[tuple[int, Any]] = [
            (
                pycurl.SSLVERSION,
                _TLS_LOWEST[lowest or "tls1.2"] | (_TLS_HIGHEST[highest] if highest else 0),
            )
        ]
        suites = [SUITES[name] for name in options.tls_cipher_suites or () if name in SUITES]
        if (lowest or "tls1.2") < "tls1.2":  # OpenSSL speaks those only at its lowest security level
            suites = [*(suites or ["DEFAULT"]), "@SECLEVEL=0"]
        if suites:
            found.append((pycurl.SSL_CIPHER_LIST, ":".join(suites)))
        if options.insecure_skip_tls_verify:
            found += [(pycurl.SSL_VERIFYPEER, 0), (pycurl.SSL_VERIFYHOST, 0)]
        else:
            found += self._authorities()
        return found

    def _authorities(self) -> list[tuple[int, Any]]:
        """Where the certificates of authorities are.

        A folder with OpenSSL's hashed names is read certificate by certificate, as they are needed;
        a system's whole bundle costs each client 10 ms and 1 MB.
        """
        if sys.platform in ("darwin", "win32"):
            return [(pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA)]
        file = self._environment.get("SSL_CERT_FILE")
        folder = self._environment.get("SSL_CERT_DIR") or next(
            (one for one in _CA_FOLDERS if next(Path(one).glob("[0-9a-f]*.0"), None)), None
        )
        if file is None and folder is None:
            file = next((one for one in _CA_FILES if os.path.exists(one)), None)
        return [(pycurl.CAINFO, file), (pycurl.CAPATH, folder)]

    def tls_for(self, host: str) -> list[tuple[int, Any]]:
        """Options for connections to a host, with its client certificate."""
        number = certificate_for(host, self.options.tls_auth or ())
        if number is None:
            return self._tls
        one = (self.options.tls_auth or ())[number]
        found = [
            *self._tls,
            (pycurl.SSLCERT_BLOB, one["cert"].encode()),
            (pycurl.SSLKEY_BLOB, one["key"].encode()),
        ]
        if one.get("password"):
            found.append((pycurl.KEYPASSWD, one["password"]))
        return found


@dataclass(slots=True, eq=False)
class _Endpoint:
    """How a host is reached."""

    options: list[tuple[int, Any]]
    host: str
    port: int
    secure: bool
    #: Where the TCP connection goes, for error texts.
    address: str
    uses_proxy: bool
    #: When the name is to be looked up again (time.monotonic).
    expires: float


class _Handle:
    """An easy handle, what it is set to, and what it receives."""

    __slots__ = ("body", "cookies", "easy", "getinfo", "head", "notes", "timeout_ms", "url")

    def __init__(self) -> None:
        self.easy = pycurl.Curl()
        self.getinfo = self.easy.getinfo
        self.head: list[bytes] = []
        self.body: list[bytes] = []
        #: What libcurl says of a TLS handshake.
        self.notes: list[bytes] = []
        self.url: URL | None = None
        self.cookies = ""
        self.timeout_ms = 0

    def set_up(self, options: list[tuple[int, Any]], discard: bool) -> None:
        easy = self.easy
        easy.reset()
        self.url, self.cookies = None, ""
        self.timeout_ms = 0
        easy.setopt(pycurl.HEADERFUNCTION, self.head.append)
        easy.setopt(pycurl.WRITEFUNCTION, len if discard else self.body.append)
        easy.setopt(pycurl.DEBUGFUNCTION, self._note)
        for option, value in options:
            if value is None:
                easy.unsetopt(option)
            else:
                easy.setopt(option, value)

    def set_cookies(self, cookies: str) -> None:
        self.cookies = cookies
        if cookies:
            self.easy.setopt(pycurl.COOKIE, cookies.encode())
        else:
            self.easy.unsetopt(pycurl.COOKIE)

    def _note(self, kind: int, text: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT:
            self.notes.append(text)


class Meter(Protocol):
    """Who wants to know of the bytes on the wire: a VU."""

    id: int
    bytes_sent: int
    bytes_received: int


class Client:
    """The HTTP client of one VU. `exchange` may be called by several greenlets at once."""

    def __init__(self, settings: Settings, vu: Meter) -> None:
        self._settings = settings
        self._heads = settings.heads
        self._vu = vu
        self._transfers: Transfers | None = None
        self._endpoints: dict[tuple[str, str, int], _Endpoint] = {}
        self._ready: dict[tuple[Any, ...], _Handle] = {}
        self._spare: list[_Handle] = []
        #: By libcurl's connection number: the peer's address, and the bytes counted so far.
        self._peers: dict[int, tuple[str, int]] = {}
        self._counted: dict[int, tuple[int, int]] = {}

    def close(self) -> None:
        """Close all connections; the next call makes new ones."""
        if self._transfers is not None:
            self._transfers.close()
            self._transfers = None
        self._endpoints.clear()
        self._peers.clear()
        self._counted.clear()

    def exchange(self, call: Call) -> Exchange:
        """Make a request, parking the greenlet until its response is here, or why there is none."""
        url = call.url
        key = (url.scheme, url.host, url.port)
        endpoint = self._endpoints.get(key)
        looked_up = 0.0
        if endpoint is None or (endpoint.expires != _NEVER and endpoint.expires < time.monotonic()):
            started = time.perf_counter()
            try:
                endpoint = self._endpoints[key] = self._find_endpoint(*key)
            except DialError as error:
                return Exchange(failures.of_dialing(error))
            looked_up = time.perf_counter() - started
        if call.timeout <= looked_up:
            return Exchange(Failure(failures.TIMEOUT, "request timeout", "request timeout"))

        shape = (call.method, call.body is None, call.lines, endpoint, call.discard)
        handle = self._ready.pop(shape, None) or self._new_handle(call, endpoint)
        easy = handle.easy
        if handle.url is not url:
            handle.url = url
            easy.setopt(pycurl.URL, _on_the_wire(url))
        if handle.cookies != call.cookies:
            handle.set_cookies(call.cookies)
        timeout_ms = int((call.timeout - looked_up) * 1000) or 1
        if handle.timeout_ms != timeout_ms:
            handle.timeout_ms = timeout_ms
            easy.setopt(pycurl.TIMEOUT_MS, timeout_ms)
        size = 0
        if call.body is not None:
            size = len(call.body)
            easy.setopt(pycurl.POSTFIELDS, call.body)
        tls = None
        if endpoint.secure:
            tls = self._settings.tls_facts.get((endpoint.host, endpoint.port))
            easy.setopt(pycurl.VERBOSE, tls is None)

        transfers = self._transfers
        if transfers is None:
            transfers = self._transfers = Transfers(self._settings.max_idle)
        if endpoint.secure:
            transfers.sockets[easy] = -1
        outcome, waited = transfers.perform(easy)

        lines, pieces = handle.head, handle.body
        block, body = b"".join(lines), b"".join(pieces)
        lines.clear()
        pieces.clear()
        if handle.notes:
            tls = self._learn(handle, endpoint) or tls
        head = self._heads.find(block) if outcome is None else None
        if head is not None:
            getinfo = handle.getinfo
            peer = self._peers.get(getinfo(pycurl.CONN_ID)) or self._new_peer(handle)
            timings = _timings(getinfo, looked_up, size)
            exchange = Exchange(None, head, body, timings, peer, tls, waited)
        else:
            exchange = self._broken(handle, endpoint, outcome, block, body, size)
        if endpoint.secure or call.discard:
            self._count(handle, transfers.sockets.pop(easy, -1), len(block), len(body))
        else:
            self._vu.bytes_sent += handle.getinfo(pycurl.REQUEST_SIZE)
            self._vu.bytes_received += len(block) + len(body)
        if self._ready.setdefault(shape, handle) is not handle or len(self._ready) > _MOST_READY:
            self._keep(shape, handle)
        return exchange

    def _new_handle(self, call: Call, endpoint: _Endpoint) -> _Handle:
        handle = self._spare.pop() if self._spare else _Handle()
        handle.set_up(self._options(call, endpoint), call.discard)
        return handle

    def _keep(self, shape: tuple[Any, ...], handle: _Handle) -> None:
        """Put away a handle where there is one for this kind of request, or too many kinds."""
        if self._ready[shape] is handle:
            handle = self._ready.pop(next(iter(self._ready)))
        if len(self._spare) < _MOST_SPARE:
            self._spare.append(handle)

    # -- where to ------------------------------------------------------------------------------------

    def _find_endpoint(self, scheme: str, host: str, port: int) -> _Endpoint:
        """Raises DialError."""
        if scheme not in ("http", "https"):
            raise DialError(f'unsupported protocol scheme "{scheme}"')
        if not host:
            raise DialError("http: no Host in request URL")
        if len(self._endpoints) >= _MOST_ENDPOINTS:
            self._endpoints.clear()
        secure = scheme == "https"
        settings, dialer = self._settings, self._settings.dialer
        options = list(settings.common)
        local = dialer.local_address(self._vu.id)
        if local is not None:
            options.append((pycurl.INTERFACE, local))
        if secure:
            options += settings.tls_for(host)
        proxy = dialer.proxies.proxy_for(host, port, secure=secure)
        expires = _NEVER
        if proxy is None:
            address, to_port = dialer.resolve(host, port)
            options.append((pycurl.PROXY, ""))
            if (address, to_port) != (host, port):
                options.append((pycurl.CONNECT_TO, [f"::{_bracketed(address)}:{to_port}"]))
                expires = time.monotonic() + dialer.ttl
        else:
            name, proxy_port, _ = split_proxy(proxy)
            address, to_port = dialer.resolve(name, proxy_port)
            options.append((pycurl.PROXY, proxy))
            if address != name:
                options.append((pycurl.RESOLVE, [f"{name}:{proxy_port}:{address}"]))
        return _Endpoint(
            options,
            host,
            port,
            secure,
            f"{_bracketed(address)}:{to_port}",
            proxy is not None,
            expires,
        )

    @staticmethod
    def _options(call: Call, endpoint: _Endpoint) -> list[tuple[int, Any]]:
        options = list(endpoint.options)
        headers = list(call.lines)
        if call.method == "HEAD":
            options.append((pycurl.NOBODY, 1))
        elif call.body is not None:
            options.append((pycurl.POST, 1))
        if call.method != "GET" or call.body is not None:
            options.append((pycurl.CUSTOMREQUEST, call.method))
        # What libcurl would put in by itself.
        names = {line.partition(":")[0].partition(";")[0].lower() for line in headers}
        headers += [
            f"{name}:" for name in ("Accept", "Expect", "User-Agent") if name.lower() not in names
        ]
        if call.body is not None and "content-type" not in names:
            headers.append("Content-Type:")
        options.append((pycurl.HTTPHEADER, [line.encode() for line in headers]))
        return options

    # -- what came of it -----------------------------------------------------------------------------

    def _learn(self, handle: _Handle, endpoint: _Endpoint) -> tuple[str, str] | None:
        """What the notes tell of the TLS handshake."""
        match = _TLS_FACTS.search(b"".join(handle.notes))
        handle.notes.clear()
        if match is None:
            return None
        suite = match[2].decode()
        facts = f"tls{match[1].decode()}", GO_SUITES.get(suite, suite)
        self._settings.tls_facts[(endpoint.host, endpoint.port)] = facts
        return facts

    def _new_peer(self, handle: _Handle) -> tuple[str, int]:
        """Who the connection is to, which this is the first response of."""
        getinfo = handle.getinfo
        if len(self._peers) >= _MOST_ENDPOINTS:
            self._peers.clear()
        peer = getinfo(pycurl.PRIMARY_IP), getinfo(pycurl.PRIMARY_PORT)
        self._peers[getinfo(pycurl.CONN_ID)] = peer
        return peer

    def _broken(
        self,
        handle: _Handle,
        endpoint: _Endpoint,
        outcome: tuple[int, str] | None,
        block: bytes,
        body: bytes,
        size: int,
    ) -> Exchange:
        getinfo = handle.getinfo
        connected = bool(getinfo(pycurl.CONNECT_TIME_T)) or getinfo(pycurl.PRIMARY_PORT) > 0
        peer = (getinfo(pycurl.PRIMARY_IP), getinfo(pycurl.PRIMARY_PORT)) if connected else ("", 0)
        head = self._settings.heads.find(block) if b"\r\n\r\n" in block else None
        if outcome is None:
            if block:
                failure = failures.generic("unexpected EOF")
            else:  # libcurl takes it for HTTP/0.9
                line = body.split(b"\n")[0].rstrip(b"\r").decode("latin-1")
                failure = failures.malformed_response(line)
        elif head is not None and head.status == 101:
            return Exchange(None, head, peer=peer)
        else:
            local = f"{_bracketed(getinfo(pycurl.LOCAL_IP))}:{getinfo(pycurl.LOCAL_PORT)}"
            tunnel_refused = "CONNECT tunnel failed" in outcome[1] and head is not None
            failure = failures.of_transfer(
                Broken(
                    *outcome,
                    errno=getinfo(pycurl.OS_ERRNO),
                    address=endpoint.address,
                    ends=f"{local}->{_bracketed(peer[0])}:{peer[1]}",
                    connected=connected,
                    has_head=head is not None and not tunnel_refused,
                    verify_result=getinfo(pycurl.SSL_VERIFYRESULT),
                    host=endpoint.host,
                    proxy_reason=head.reason if tunnel_refused and head is not None else "",
                    uses_proxy=endpoint.uses_proxy,
                )
            )
            if not connected:
                self._endpoints.clear()  # the next connection may try another address
        timings = _broken_timings(getinfo, size, answered=bool(block or body))
        return Exchange(failure, timings=timings, peer=peer)

    def _count(self, handle: _Handle, descriptor: int, head_size: int, body_size: int) -> None:
        """Add what went over the wire; with TLS the kernel's count of it, where it tells."""
        getinfo, vu = handle.getinfo, self._vu
        total = wire_bytes_of(descriptor) if descriptor >= 0 else None
        if total is not None:
            number = getinfo(pycurl.CONN_ID)
            before = self._counted.get(number, (0, 0))
            self._counted[number] = total
            vu.bytes_sent += total[0] - before[0]
            vu.bytes_received += total[1] - before[1]
        else:
            vu.bytes_sent += getinfo(pycurl.REQUEST_SIZE)
            vu.bytes_received += head_size + (body_size or getinfo(pycurl.SIZE_DOWNLOAD_T))


_NEVER: Final = float("inf")
_MOST_ENDPOINTS: Final = 1000
#: Bytes that a socket's buffer takes without waiting for the peer.
_SENT_AT_ONCE: Final = 65536


def _timings(getinfo: Callable[[int], int], looked_up: float, size: int) -> Timings:
    """Of a request whose body has so many bytes.

    libcurl notes the end of sending when it looks next, which may be when the answer is there. So
    what fits into a socket's buffer counts as sent as soon as there is a connection.
    """
    first = getinfo(pycurl.STARTTRANSFER_TIME_T)
    receiving = getinfo(pycurl.TOTAL_TIME_T) - first
    if getinfo(pycurl.NUM_CONNECTS):
        connected, secured = getinfo(pycurl.CONNECT_TIME_T), getinfo(pycurl.APPCONNECT_TIME_T)
        connecting = connected - getinfo(pycurl.NAMELOOKUP_TIME_T)
        ready, securing = max(connected, secured), max(secured - connected, 0)
    else:
        connecting = securing = 0
        ready = getinfo(pycurl.QUEUE_TIME_T)
    sent = ready if size <= _SENT_AT_ONCE else getinfo(pycurl.POSTTRANSFER_TIME_T)
    waiting = first - sent if first > sent else 0  # a server may answer before all has gone out
    if looked_up:
        ready, sent = ready + int(looked_up * 1e6), sent + int(looked_up * 1e6)
    return ready, connecting, securing, sent - ready, waiting, receiving


def _broken_timings(getinfo: Callable[[int], int], size: int, *, answered: bool) -> Timings:
    connected, secured = getinfo(pycurl.CONNECT_TIME_T), getinfo(pycurl.APPCONNECT_TIME_T)
    connecting = max(connected - getinfo(pycurl.NAMELOOKUP_TIME_T), 0) if connected else 0
    if not getinfo(pycurl.REQUEST_SIZE):
        return 0, connecting, 0, 0, 0, 0
    ready = max(connected, secured) or getinfo(pycurl.QUEUE_TIME_T)
    sent = ready if size <= _SENT_AT_ONCE else max(getinfo(pycurl.POSTTRANSFER_TIME_T), ready)
    total = getinfo(pycurl.TOTAL_TIME_T)
    first = getinfo(pycurl.STARTTRANSFER_TIME_T) if answered else total
    tls = max(secured - connected, 0) if connected else 0
    return ready, connecting, tls, sent - ready, max(first - sent, 0), max(total - first, 0)


def _on_the_wire(url: URL) -> bytes:
    """The URL without what is not sent."""
    return f"{url.scheme}://{url.authority}{url.target}".replace(" ", "%20").encode()


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address

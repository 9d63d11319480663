"""Log records of the option httpDebug: requests and responses in the form of HTTP/1.1."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from jsrunner.text import decode_bytewise
from jsrunner.transport.names import to_ascii

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext
    from jsrunner.transport.exchange import Exchange, HttpCall


class Debug:
    """The log of one request's exchanges."""

    def __init__(self, vu: ModuleContext, tags: dict[str, str]) -> None:
        self._vu = vu
        self._full = vu.process.options.http_debug == "full"
        self._fields = {
            **(vu.context.metadata or {}),
            **tags,
            "source": "http-debug",
            "vu": vu.id,
            "iter": vu.iteration,
        }

    def request(self, call: HttpCall) -> str:
        """Log a request; return its id, which the response's record repeats."""
        number = str(uuid.uuid4())
        url = call.url
        # k6 shows Accept-Encoding, which is not sent.
        dump = call.fields.encode(
            call.method,
            url.target,
            to_ascii(url.authority),
            call.body,
            call.cookies,
            "Accept-Encoding: gzip\r\n",
        )
        head, end, body = dump.partition(b"\r\n\r\n")
        self._log("Request", head + end, body, number)
        return number

    def response(self, exchange: Exchange, number: str) -> None:
        """Log the response, if there is one."""
        head = exchange.head
        if head is None or exchange.failure is not None:
            return
        lines = [f"{head.proto} {head.status_text}"]
        lines += [f"{name}: {value}" for name in sorted(head.headers) for value in head.headers[name]]
        self._log("Response", "\n".join([*lines, "", ""]).encode(), exchange.body or b"", number)

    def _log(self, kind: str, head: bytes, body: bytes, number: str) -> None:
        dump = head + body if self._full else head
        text = decode_bytewise(dump.replace(b"\r\n", b"\n"))
        self._vu.log("info", f"{kind}:\n{text}\n", **self._fields, request_id=number)

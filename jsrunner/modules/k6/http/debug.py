"""What the option httpDebug logs: requests and responses as they look on the wire (HTTP/1.1)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsrunner.transport.http import Call, Exchange
    from jsrunner.worker.vu import VU


class Debug:
    """Logs the exchanges of one request."""

    def __init__(self, vu: VU, tags: dict[str, str]) -> None:
        self._vu = vu
        self._full = vu.process.options.http_debug == "full"
        self._fields = {
            **(vu.metadata or {}),
            **tags,
            "source": "http-debug",
            "vu": vu.id,
            "iter": vu.iteration,
        }

    def request(self, call: Call) -> str:
        """Log a request: its id, which the response's record repeats."""
        number = str(uuid.uuid4())
        url = call.url
        lines = [line.replace(";", ":", 1) if line.endswith(";") else line for line in call.lines]
        own = [line for line in lines if line.startswith("Host: ")]
        head = [f"{call.method} {url.target} HTTP/1.1", *(own or [f"Host: {url.authority}"])]
        head += sorted((line for line in lines if line not in own), key=_go_order)
        if call.body is not None:
            head.append(f"Content-Length: {len(call.body)}")
        if call.cookies:
            head.append(f"Cookie: {call.cookies}")
        # k6's dump shows this header, which is not sent.
        head.append("Accept-Encoding: gzip")
        self._log("Request", head, call.body or b"", number)
        return number

    def response(self, exchange: Exchange, number: str) -> None:
        """Log what came, if anything did."""
        head = exchange.head
        if head is None or exchange.failure is not None:
            return
        lines = [f"{head.proto} {head.status_text}"]
        lines += [f"{name}: {value}" for name in sorted(head.headers) for value in head.headers[name]]
        self._log("Response", lines, exchange.body, number)

    def _log(self, kind: str, lines: list[str], body: bytes, number: str) -> None:
        text = "\n".join([*lines, "", ""])
        if self._full:
            text += body.replace(b"\r\n", b"\n").decode("utf-8", "replace")
        self._vu.log("info", f"{kind}:\n{text}\n", **self._fields, request_id=number)


def _go_order(line: str) -> tuple[bool, str]:
    """User-Agent first, then by name."""
    return not line.startswith("User-Agent"), line

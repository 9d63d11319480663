"""The live page of a run: `--web`, and k6's variables of its dashboard."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jsrunner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from jsrunner.coordinator.control import RunControl
    from jsrunner.record.recorder import Recorder
    from jsrunner.ui.log import Logger


def web_address(web: str | None, environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Return host and port of the live page, None for a run without one.

    Source: k6's variables K6_WEB_DASHBOARD, K6_WEB_DASHBOARD_HOST and K6_WEB_DASHBOARD_PORT.

    Args:
        web: The value of `--web`.
        environment: The variables.

    Raises:
        UsageError: The address is not HOST:PORT.
    """
    if web is None:
        if environment.get("K6_WEB_DASHBOARD", "").lower() not in ("true", "1", "t"):
            return None
        host = environment.get("K6_WEB_DASHBOARD_HOST") or "127.0.0.1"
        port = environment.get("K6_WEB_DASHBOARD_PORT") or "5665"
        if port == "-1":
            return None
    else:
        host, _, port = web.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"invalid address {host}:{port} of the live page, it is HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def live_page(
    address: tuple[str, int], logger: Logger
) -> Callable[[Recorder, RunControl], AbstractContextManager[object]]:
    """Return the factory of the live page (see `Recording`)."""

    @contextlib.contextmanager
    def page(recorder: Recorder, control: RunControl) -> Iterator[None]:
        from jsrunner.web.server import WebServer

        server = WebServer(*address, control, recorder.path, lambda: recorder.is_open)
        server.start()
        logger.log("info", f"The run is shown at {server.url}")
        try:
            yield
        finally:
            server.close()

    return page

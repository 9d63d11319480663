"""The live page of a run: `--web`, and k6's variables of its dashboard."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_go_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from jsrunner.coordinator.control import RunControl
    from jsrunner.options.runtime import Dashboard
    from jsrunner.record.recorder import Recorder
    from jsrunner.ui.log import Logger

#: The program that opens a URL in the desktop's browser.
_OPENER: Final = "open" if sys.platform == "darwin" else "xdg-open"


def web_address(web: str | None, dashboard: Dashboard) -> tuple[str, int] | None:
    """Return host and port of the live page, None for no page.

    Args:
        web: The value of `--web`; None if K6_WEB_DASHBOARD asks for the page.
        dashboard: The variables of k6's dashboard.

    Raises:
        UsageError: The address is not HOST:PORT.
    """
    if web is not None:
        host, _, port = web.rpartition(":")
    elif dashboard.port == "-1":
        return None
    else:
        host, port = dashboard.host, dashboard.port
    if not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"invalid address {host}:{port} of the live page, it is HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def step_length(dashboard: Dashboard, logger: Logger) -> int:
    """Return the seconds of a step of the record. Log a warning if the period cannot be kept.

    Raises:
        UsageError: The variable K6_WEB_DASHBOARD_PERIOD is no positive duration.
    """
    try:
        period = parse_go_duration(dashboard.period)
    except ValueError:
        period = 0.0
    if period <= 0:
        text = f"invalid duration {dashboard.period!r} of K6_WEB_DASHBOARD_PERIOD, it is like 10s"
        raise UsageError(text)
    length = math.ceil(period)
    if length != period:
        text = f"K6_WEB_DASHBOARD_PERIOD is {dashboard.period}, steps have whole seconds: {length}s"
        logger.log("warning", text)
    return length


def live_page(
    address: tuple[str, int], logger: Logger, *, opens_browser: bool
) -> Callable[[Recorder, RunControl], AbstractContextManager[object]]:
    """Return the factory of the live page (see `Recording`).

    Args:
        address: Host and port.
        logger: The log, which gets the page's URL.
        opens_browser: True if the desktop's browser shows the page.
    """

    @contextlib.contextmanager
    def page(recorder: Recorder, control: RunControl) -> Iterator[None]:
        from jsrunner.web.server import WebServer

        server = WebServer(*address, control, recorder.path, lambda: recorder.is_open)
        server.start()
        logger.log("info", f"The run is shown at {server.url}")
        if opens_browser:
            _open_browser(server.url, control, logger)
        try:
            yield
        finally:
            server.close()

    return page


def _open_browser(url: str, control: RunControl, logger: Logger) -> None:
    """Open a URL in the desktop's browser without waiting for it. A failure is logged."""

    def warn(reason: str) -> None:
        text = f"could not open a browser with {_OPENER}: {reason}"
        control.call_soon(lambda: logger.log("warning", text))

    def open_url() -> None:
        try:
            done = subprocess.run(
                [_OPENER, url],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
            )
        except OSError as error:
            warn((error.strerror or str(error)).lower())
        else:
            if done.returncode:
                warn(f"exit code {done.returncode}")

    threading.Thread(target=open_url, name="browser", daemon=True).start()

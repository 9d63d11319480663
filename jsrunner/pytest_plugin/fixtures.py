"""The objects behind the fixtures `k6_run` and `k6_server`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import jsrunner
from jsrunner.pytest_plugin.failure import check, properties
from jsrunner.pytest_plugin.groups import alone
from jsrunner.pytest_plugin.settings import arguments, is_strict
from jsrunner.server.process import ServerProcess

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


class K6Run:
    """Runs scripts in a test in Python. Made by the fixture `k6_run`, for one test."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(
        self, script: str | os.PathLike[str] | jsrunner.Script, *, passes: bool = True, **more: Any
    ) -> jsrunner.Result:
        """Run a script to its end, and return the result.

        The command line's options win over `more`, these over the marker `k6` and the configuration
        file.

        Args:
            script: A path, relative to the folder of the test's file, or a `jsrunner.Script`.
            passes: Fail the test if the run does not pass.
            more: Arguments of `jsrunner.run`.

        Raises:
            K6Failure: The run has not passed.
            JsrunnerError: The run could not begin, or could not be completed.
        """
        __tracebackhide__ = True
        node = self._request.node
        run = arguments(node, dict(more))
        if "k6_server" in self._request.fixturenames:
            run["env"] = {**self._request.getfixturevalue("k6_server").variables, **run["env"]}
        path = script if isinstance(script, jsrunner.Script) else node.path.parent / script
        try:
            with alone(node.config):
                result = jsrunner.run(path, **run)
        except jsrunner.JsrunnerError as error:
            raise error.with_traceback(None) from None  # without the library's frames
        node.user_properties += properties(result)
        if passes:
            check(result, strict=is_strict(node.config, run))
        return result


class K6Server:
    """The bundled server, listening on 127.0.0.1. Made by the fixture `k6_server`."""

    def __init__(self, variables: dict[str, str]) -> None:
        #: WS_URL and HTTP_URL, and with the extra `serve` WSS_URL and HTTPS_URL.
        self.variables = variables

    @property
    def ws_url(self) -> str:
        """The server's ws:// address, e.g. `ws://127.0.0.1:8765`."""
        return self.variables["WS_URL"]

    @property
    def http_url(self) -> str:
        """The server's http:// address."""
        return self.variables["HTTP_URL"]

    @classmethod
    @contextlib.contextmanager
    def listening(cls) -> Iterator[K6Server]:
        """Start the server. The environment trusts its certificate (SSL_CERT_FILE) while it listens."""
        with ServerProcess() as process, pytest.MonkeyPatch.context() as patch:
            for name, value in process.trust.items():
                patch.setenv(name, value)
            yield cls(process.variables)

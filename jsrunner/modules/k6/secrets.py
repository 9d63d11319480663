"""Python half of `k6/secrets`. The log hides each secret that a script has got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.secrets.errors import SecretError

if TYPE_CHECKING:
    from jsrunner.secrets.sources import SecretSource


class SecretsModule(HostModule):
    """The operations of `k6/secrets`. A source is known by its name, "" for the default."""

    specifier = "k6/secrets"

    @operation
    def get(self, source: str, key: str) -> tuple[str | None, bool]:
        """Return (value, False), or (None, True) if the caller must call `fetch`."""
        try:
            secret_source = self._find(source)
            if secret_source.waits:
                return None, True
            return self._give(secret_source.get(key)), False
        except SecretError as error:
            raise HostError(str(error)) from None

    @operation
    def fetch(self, source: str, key: str) -> int:
        """Fetch a secret in a thread; return a handle for its value."""
        secret_source = self._find(source)

        def fetch_secret() -> str:
            try:
                return secret_source.get(key)
            except SecretError as error:
                raise HostError(str(error)) from None

        return self.vu.interpreter.run_aside(fetch_secret, self._give)

    def _find(self, name: str) -> SecretSource:
        return self.vu.process.secrets.find(name)

    def _give(self, secret: str) -> str:
        self.vu.process.redact(secret)
        return secret

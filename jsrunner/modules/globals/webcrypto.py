"""Python half of `crypto`: random values. Its `subtle` is a module of its own."""

from __future__ import annotations

import os
import uuid

from jsrunner.modules.base import HostModule, operation


class WebCrypto(HostModule):
    """The operations of `crypto`."""

    specifier = "jsrunner:globals/webcrypto"

    @operation
    def random(self, size: int) -> bytes:
        """Return random bytes."""
        return os.urandom(size)

    @operation
    def uuid(self) -> str:
        """Return a random UUID (RFC 9562, version 4)."""
        return str(uuid.uuid4())

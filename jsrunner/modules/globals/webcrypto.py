"""Python half of `crypto`: random values. Its `subtle` is a module of its own."""

from __future__ import annotations

import os
import uuid

from jsrunner.modules.base import HostModule, operation


class WebCrypto(HostModule):
    specifier = "jsrunner:globals/webcrypto"

    @operation
    def random(self, size: int) -> bytes:
        return os.urandom(size)

    @operation
    def uuid(self) -> str:
        return str(uuid.uuid4())

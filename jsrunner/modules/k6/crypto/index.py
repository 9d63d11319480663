"""Python half of `k6/crypto`: hashes, HMACs, random bytes."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Final

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.bytes import TextOrBytes, bytes_of
from jsrunner.modules.k6 import encoding

if TYPE_CHECKING:
    from _hashlib import _HashObject

    from jsrunner.modules.context import ModuleContext

_ALGORITHMS: Final = (
    "md4", "md5", "ripemd160", "sha1", "sha256", "sha384", "sha512", "sha512_224", "sha512_256",
)  # fmt: skip


def new_hash(algorithm: str, data: bytes = b"") -> _HashObject:
    """Return a hash object as of hashlib. Raises HostError for an unknown algorithm."""
    if algorithm not in _ALGORITHMS:
        raise HostError(f"invalid algorithm: {algorithm}")
    try:
        return hashlib.new(algorithm, data, usedforsecurity=False)
    except ValueError:  # OpenSSL 3 keeps the oldest ones in a module that is mostly switched off
        from jsrunner.modules.k6.crypto.old_hashes import MD4, RIPEMD160

        return {"md4": MD4, "ripemd160": RIPEMD160}[algorithm](data)


def _new_hmac(algorithm: str, key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=functools.partial(new_hash, algorithm))


class Crypto(HostModule):
    """The operations of `k6/crypto`. Texts count as their UTF-8; `form` is the output encoding."""

    specifier = "k6/crypto"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        #: Hash objects by handle, as long as the script has them.
        self._hashers: dict[int, _HashObject | hmac.HMAC] = {}
        self._count = 0

    @operation
    def hash(self, algorithm: str, data: TextOrBytes, form: str) -> object:
        """Return a hash of data. Raises HostError for an unknown algorithm."""
        return self._encoded(new_hash(algorithm, bytes_of(data)).digest(), form)

    @operation
    def hmac(self, algorithm: str, key: TextOrBytes, data: TextOrBytes, form: str) -> object:
        """Return the HMAC of data. Raises HostError for an unknown algorithm."""
        hasher = _new_hmac(algorithm, bytes_of(key))
        hasher.update(bytes_of(data))
        return self._encoded(hasher.digest(), form)

    @operation
    def begin(self, algorithm: str, key: TextOrBytes | None) -> int:
        """Return a handle for `update` and `digest`; with a key, of an HMAC."""
        hasher = new_hash(algorithm) if key is None else _new_hmac(algorithm, bytes_of(key))
        self._count += 1
        self._hashers[self._count] = hasher
        return self._count

    @operation
    def drop(self, handle: int) -> None:
        """Forget a hash object that the script has no more."""
        del self._hashers[handle]

    @operation
    def update(self, handle: int, data: TextOrBytes) -> None:
        """Add data to a hash object."""
        self._hashers[handle].update(bytes_of(data))

    @operation
    def digest(self, handle: int, form: str) -> object:
        """Return the hash of the data that a hash object has got."""
        return self._encoded(self._hashers[handle].digest(), form)

    @operation
    def hex(self, data: TextOrBytes) -> str:
        """Return data as hexadecimal digits."""
        return bytes_of(data).hex()

    @operation
    def random(self, size: int) -> object:
        """Return random bytes."""
        return os.urandom(size)

    def _encoded(self, data: bytes, form: str) -> object:
        if form == "hex":
            return data.hex()
        if form == "binary":
            return data
        return encoding.encode(data, form.replace("base64raw", "raw").replace("base64", ""))

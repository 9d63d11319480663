"""The OpenSSL library inside the package cryptography: its functions for Python and for the core.

cryptography's wheels contain a current OpenSSL for all platforms. `lib` and `ffi` are the binding on
which pyOpenSSL is built. The functions of `lib` return the results of OpenSSL's, and release the GIL.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final, NamedTuple

from cryptography.hazmat.bindings._rust import _openssl

lib: Final[Any] = _openssl.lib
ffi: Final[Any] = _openssl.ffi

#: The functions that core/secure.c calls: struct tls_functions.
_CORE_FUNCTIONS: Final = (
    "SSL_new", "SSL_set_connect_state", "SSL_set_tlsext_host_name", "SSL_get0_param",
    "X509_VERIFY_PARAM_set1_host", "X509_VERIFY_PARAM_set1_ip", "SSL_do_handshake",
    "SSL_get_verify_result", "SSL_read", "SSL_write", "SSL_shutdown",
    "SSL_get_error", "SSL_free", "SSL_set_bio", "BIO_new", "BIO_free", "BIO_s_mem",
    "BIO_get_mem_data", "BIO_read", "BIO_write", "ERR_clear_error", "ERR_get_error",
)  # fmt: skip

#: The addresses of these functions, in the same order.
core_functions: Final = (ctypes.c_void_p * len(_CORE_FUNCTIONS))(
    *(int(ffi.cast("uintptr_t", ffi.addressof(lib, name))) for name in _CORE_FUNCTIONS)
)

#: SSL_R_RECORD_LAYER_FAILURE. OpenSSL adds it behind the error that says more.
_RECORD_LAYER_FAILURE: Final = 313


class Problem(NamedTuple):
    """The latest error in OpenSSL's queue."""

    #: OpenSSL's text: `tlsv1 alert unknown ca`; "" if it has none.
    text: str
    #: The number of the reason; those from 1000 on are alerts of the peer.
    reason: int


def take_problem() -> Problem:
    """Return the latest error in this thread's queue, and empty the queue."""
    first = latest = lib.ERR_get_error()
    while code := lib.ERR_get_error():
        latest = code
    return problem_of(first, latest)


def problem_of(first: int, latest: int) -> Problem:
    """Return the error that describes a failure best.

    Args:
        first: The first code in OpenSSL's queue.
        latest: The latest code in OpenSSL's queue.
    """
    code = first if lib.ERR_GET_REASON(latest) == _RECORD_LAYER_FAILURE else latest
    text = lib.ERR_reason_error_string(code)
    return Problem(ffi.string(text).decode() if text else "", lib.ERR_GET_REASON(code))


def certificates_of(pem: str) -> list[Any]:
    """Return the certificates (X509) of a text in PEM format; none if there are none."""
    data = pem.encode()
    bio = ffi.gc(lib.BIO_new_mem_buf(data, len(data)), lib.BIO_free)
    certificates = []
    while certificate := lib.PEM_read_bio_X509(bio, ffi.NULL, ffi.NULL, ffi.NULL):
        certificates.append(ffi.gc(certificate, lib.X509_free))
    lib.ERR_clear_error()
    return certificates


def key_of(pem: str, password: str) -> Any:
    """Return the private key (EVP_PKEY) of a text in PEM format; None if it cannot be read."""
    data = pem.encode()
    bio = ffi.gc(lib.BIO_new_mem_buf(data, len(data)), lib.BIO_free)
    # An empty password: without one OpenSSL would ask on the terminal.
    key = lib.PEM_read_bio_PrivateKey(bio, ffi.NULL, ffi.NULL, ffi.new("char[]", password.encode()))
    return ffi.gc(key, lib.EVP_PKEY_free) if key else None


def der_of(certificate: Any) -> bytes:
    """Return a certificate (X509) as DER."""
    bio = ffi.gc(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free)
    lib.i2d_X509_bio(bio, certificate)
    data = ffi.new("char **")
    size = lib.BIO_get_mem_data(bio, data)
    return bytes(ffi.buffer(data[0], size))

"""The server's end of TLS connections whose records a test has in its hands."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from jsrunner.transport.openssl import certificates_of, ffi, key_of, lib

if TYPE_CHECKING:
    from pathlib import Path

    from http_sites import Authority

APPLICATION, HANDSHAKE = 23, 22
#: A KeyUpdate (RFC 8446, section 4.6.3) that asks for the peer's own, and one that does not.
UPDATE_REQUESTED, UPDATE = b"\x18\0\0\1\1", b"\x18\0\0\1\0"


class Records:
    """TLS by Python's ssl, between a gevent socket and plain bytes."""

    def __init__(self, below: Any, context: ssl.SSLContext) -> None:
        self.below = below
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self._complete(self.tls.do_handshake)
        self.flush()

    def _complete(self, function: Any, *arguments: Any) -> Any:
        while True:
            try:
                return function(*arguments)
            except ssl.SSLWantReadError:
                self.flush()
                data = self.below.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def flush(self) -> None:
        if data := self.outgoing.read():
            self.below.sendall(data)

    def encrypted(self, data: bytes) -> bytes:
        """The records that carry these bytes."""
        self.tls.write(data)
        return self.outgoing.read()

    def sendall(self, data: bytes) -> None:
        self.below.sendall(self.encrypted(data))

    def recv(self, size: int) -> bytes:
        return bytes(self._complete(self.tls.read, size))

    def close(self) -> None:
        self.below.close()


class OldTLS:
    """TLS up to 1.2 by OpenSSL, which can ask a client for another handshake; Python's ssl cannot."""

    def __init__(self, below: Any, authority: Authority, version: int = lib.TLS1_2_VERSION) -> None:
        self.below = below
        issued = authority.ca.issue_cert("127.0.0.1")
        context = ffi.gc(lib.SSL_CTX_new(lib.TLS_server_method()), lib.SSL_CTX_free)
        lib.SSL_CTX_set_cipher_list(context, b"ALL:@SECLEVEL=0")  # which TLS 1.0 needs
        lib.SSL_CTX_set_min_proto_version(context, version)
        lib.SSL_CTX_set_max_proto_version(context, version)
        [certificate] = certificates_of(issued.cert_chain_pems[0].bytes().decode())
        key = key_of(issued.private_key_pem.bytes().decode(), "")
        assert lib.SSL_CTX_use_certificate(context, certificate)
        assert lib.SSL_CTX_use_PrivateKey(context, key)
        self._ssl = ffi.gc(lib.SSL_new(context), lib.SSL_free)
        self._incoming, self._outgoing = lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())
        lib.SSL_set_bio(self._ssl, self._incoming, self._outgoing)
        lib.SSL_set_accept_state(self._ssl)
        self._buffer = ffi.new("char[]", 1 << 20)
        self._complete(lib.SSL_do_handshake)

    def _complete(self, function: Any, *arguments: Any) -> int:
        while (result := function(self._ssl, *arguments)) <= 0:
            self.flush()
            assert lib.SSL_get_error(self._ssl, result) == lib.SSL_ERROR_WANT_READ
            data = self.below.recv(65536)
            lib.BIO_write(self._incoming, data, len(data))
        self.flush()
        return int(result)

    def flush(self) -> None:
        count = lib.BIO_read(self._outgoing, self._buffer, len(self._buffer))
        if count > 0:
            self.below.sendall(bytes(ffi.buffer(self._buffer, count)))

    def renegotiate(self) -> None:
        """Ask the client for another handshake."""
        assert lib.SSL_renegotiate(self._ssl) == 1
        self._complete(lib.SSL_do_handshake)

    @property
    def is_renegotiating(self) -> bool:
        return bool(lib.SSL_renegotiate_pending(self._ssl))

    def sendall(self, data: bytes) -> None:
        self._complete(lib.SSL_write, data, len(data))

    def recv(self, size: int) -> bytes:
        count = self._complete(lib.SSL_read, self._buffer, size)
        return bytes(ffi.buffer(self._buffer, count))

    def close(self) -> None:
        self.below.close()


class TrafficKeys:
    """The keys of one direction of TLS 1.3 (RFC 8446, section 7.3), for AES-GCM."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._hash = hashes.SHA384() if len(secret) == 48 else hashes.SHA256()
        self.sequence = 0
        self._aead = AESGCM(self._expand(b"key", 32 if len(secret) == 48 else 16))
        self._iv = int.from_bytes(self._expand(b"iv", 12), "big")

    @classmethod
    def logged(cls, file: Path, name: str) -> TrafficKeys:
        """The keys whose secret is in a file that SSLKEYLOGFILE names."""
        lines = [line.split() for line in file.read_text().splitlines()]
        return cls(next(bytes.fromhex(line[2]) for line in lines if line[0] == name))

    def _expand(self, label: bytes, size: int) -> bytes:
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(self._hash, size, info).derive(self._secret)

    def updated(self) -> TrafficKeys:
        return TrafficKeys(self._expand(b"traffic upd", len(self._secret)))

    def _nonce(self) -> bytes:
        self.sequence += 1
        return (self._iv ^ (self.sequence - 1)).to_bytes(12, "big")

    def encrypt(self, kind: int, data: bytes) -> bytes:
        """Return a record."""
        header = bytes([APPLICATION, 3, 3]) + (len(data) + 1 + 16).to_bytes(2, "big")
        return header + self._aead.encrypt(self._nonce(), data + bytes([kind]), header)

    def decrypt(self, record: bytes) -> tuple[int, bytes]:
        """Return the kind and the content of a record."""
        plain = self._aead.decrypt(self._nonce(), record[5:], record[:5]).rstrip(b"\0")
        return plain[-1], plain[:-1]

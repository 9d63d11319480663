"""Python half of `crypto.subtle`: bytes in, bytes out.

It keeps no keys. The JavaScript half holds a key's material (a secret's bytes, PKCS #8 of a private
key, SPKI of a public one) and hands it in with each call. OpenSSL does the work, by `hashlib` and the
package cryptography, which is imported by the first call that needs it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Final

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6 import encoding

if TYPE_CHECKING:
    from jsrunner.modules.globals.asymmetric import Key

_DIGESTS: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_BLOCK: Final = 16  # of AES, in bytes


class Subtle(HostModule):
    """The operations of `crypto.subtle`. Keys and data are bytes, hashes have names as `SHA-256`."""

    specifier = "jsrunner:globals/subtle"

    # -- secrets and hashes -----------------------------------------------------------------------

    @operation
    def random(self, size: int) -> object:
        """Return random bytes."""
        return os.urandom(size)

    @operation
    def to_base64url(self, data: bytes) -> str:
        """Return bytes as base64url without padding (RFC 4648, section 5)."""
        return encoding.encode(data, "rawurl")

    @operation
    def encode(self, text: str) -> object:
        """Return the UTF-8 of a text."""
        return text.encode()

    @operation
    def symmetric_jwk(self, jwk: object) -> object:
        """Return the bytes of a secret key that is a JSON Web Key (RFC 7518, 6.4)."""
        from jsrunner.modules.globals import jwk as keys

        try:
            return keys.secret(jwk)
        except HostError as error:
            raise HostError.named("DataError", str(error)) from None

    @operation
    def digest(self, hash: str, data: bytes) -> object:
        """Return the hash of data."""
        return hashlib.new(_DIGESTS[hash], data).digest()

    @operation
    def hmac(self, hash: str, key: bytes, data: bytes) -> object:
        """Return the HMAC of data (RFC 2104)."""
        return hmac.digest(key, data, _DIGESTS[hash])

    @operation
    def same(self, signature: bytes, other: bytes) -> bool:
        """Compare two signatures in constant time."""
        return hmac.compare_digest(signature, other)

    @operation
    def pbkdf2(self, hash: str, key: bytes, salt: bytes, iterations: int, size: int) -> int:
        """Derive `size` bytes in a thread; return a handle for the result."""
        digest = _DIGESTS[hash]
        return self.vu.interpreter.run_aside(
            lambda: hashlib.pbkdf2_hmac(digest, key, salt, iterations, size), bytes
        )

    # -- encryption --------------------------------------------------------------------------------

    @operation
    def cbc(self, encrypts: bool, key: bytes, iv: bytes, data: bytes) -> object:
        """Encrypt or decrypt with AES-CBC and the padding of PKCS #7."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
        padding = PKCS7(8 * _BLOCK)
        if encrypts:
            padder, encryptor = padding.padder(), cipher.encryptor()
            padded = padder.update(data) + padder.finalize()
            return encryptor.update(padded) + encryptor.finalize()
        try:
            decryptor, unpadder = cipher.decryptor(), padding.unpadder()
            padded = decryptor.update(data) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise HostError.named("OperationError", "invalid padding") from None

    @operation
    def ctr(self, key: bytes, counter: bytes, data: bytes) -> object:
        """Encrypt or decrypt with AES-CTR. As in k6 `length` is ignored: the full block counts."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        cipher = Cipher(algorithms.AES(key), modes.CTR(counter))
        encryptor = cipher.encryptor()
        return encryptor.update(data) + encryptor.finalize()

    @operation
    def gcm(
        self, encrypts: bool, key: bytes, iv: bytes, extra: bytes, tag_size: int, data: bytes
    ) -> object:
        """Encrypt or decrypt with AES-GCM; the tag of `tag_size` bytes follows the ciphertext."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        algorithm = algorithms.AES(key)
        if encrypts:
            encryptor = Cipher(algorithm, modes.GCM(iv)).encryptor()
            encryptor.authenticate_additional_data(extra)
            sealed = encryptor.update(data) + encryptor.finalize()
            return sealed + encryptor.tag[:tag_size]
        sealed, tag = data[:-tag_size], data[-tag_size:]
        try:
            decryptor = Cipher(algorithm, modes.GCM(iv, tag, tag_size)).decryptor()
            decryptor.authenticate_additional_data(extra)
            return decryptor.update(sealed) + decryptor.finalize()
        except InvalidTag:
            raise HostError.named("OperationError", "could not decrypt ciphertext") from None

    @operation
    def oaep(self, encrypts: bool, key: bytes, hash: str, label: bytes, data: bytes) -> object:
        """Encrypt or decrypt with RSA-OAEP. Raises HostError with k6's text."""
        from jsrunner.modules.globals import asymmetric as keys

        padding = keys.oaep(_DIGESTS[hash], label or None)
        try:
            if encrypts:
                return keys.rsa_public(key).encrypt(data, padding)
            return keys.rsa_private(key).decrypt(data, padding)
        except ValueError:
            reason = (
                "encrypt data: crypto/rsa: message too long for RSA key size"
                if encrypts
                else "decrypt data: crypto/rsa: decryption error"
            )
            raise HostError.named("OperationError", f"could not {reason}") from None

    # -- signatures --------------------------------------------------------------------------------

    @operation
    def ecdsa_sign(self, key: bytes, hash: str, data: bytes) -> object:
        """Sign with ECDSA; return r and s side by side."""
        from jsrunner.modules.globals import asymmetric as keys

        return keys.ecdsa_sign(key, _DIGESTS[hash], data)

    @operation
    def ecdsa_verify(self, key: bytes, hash: str, signature: bytes, data: bytes) -> bool:
        """Return True if an ECDSA signature, r and s side by side, is that of data."""
        from jsrunner.modules.globals import asymmetric as keys

        return keys.ecdsa_verify(key, _DIGESTS[hash], signature, data)

    @operation
    def rsa_sign(self, key: bytes, hash: str, salt_size: int | None, data: bytes) -> object:
        """Sign with RSASSA-PKCS1-v1_5, or, with a salt's size, RSA-PSS."""
        from jsrunner.modules.globals import asymmetric as keys

        try:
            padding = keys.signature_padding(_DIGESTS[hash], salt_size)
            private = keys.rsa_private(key)
            return private.sign(data, padding, keys.hash_object(_DIGESTS[hash]))
        except ValueError:
            is_wrong_salt = salt_size is not None and salt_size < -1
            reason = "invalid PSS salt length" if is_wrong_salt else "message too long for RSA key size"
            raise HostError.named(
                "OperationError", f"could not sign data: crypto/rsa: {reason}"
            ) from None

    @operation
    def rsa_verify(
        self, key: bytes, hash: str, salt_size: int | None, signature: bytes, data: bytes
    ) -> bool:
        """Return True if a signature of RSASSA-PKCS1-v1_5 or, with a salt's size, RSA-PSS is right."""
        from cryptography.exceptions import InvalidSignature

        from jsrunner.modules.globals import asymmetric as keys

        public = keys.rsa_public(key)
        try:
            padding = keys.signature_padding(_DIGESTS[hash], salt_size)
            public.verify(signature, data, padding, keys.hash_object(_DIGESTS[hash]))
        except (InvalidSignature, ValueError):
            return False
        return True

    # -- keys --------------------------------------------------------------------------------------

    @operation
    def ec_generate(self, curve: str) -> list[object]:
        """Return the material of a new private key and of its public key."""
        from jsrunner.modules.globals import asymmetric as keys

        return list(keys.ec_generate(curve))

    @operation
    def rsa_generate(self, bits: int, exponent: int) -> int:
        """Make an RSA key in a thread; return a handle for the material of its two keys."""
        from jsrunner.modules.globals import asymmetric as keys

        return self.vu.interpreter.run_aside(lambda: keys.rsa_generate(bits, exponent), list)

    @operation
    def import_key(self, name: str, format: str, data: bytes, curve: str | None) -> list[object]:
        """Import a key of ECDSA, ECDH or RSA in raw (on `curve`), spki or pkcs8 (see `_described`)."""
        from jsrunner.modules.globals import asymmetric as keys

        return self._described(keys.from_bytes(name, format, data, curve))

    @operation
    def import_jwk(self, name: str, jwk: object) -> list[object]:
        """Import a key from a JSON Web Key (RFC 7518; see `_described`)."""
        from jsrunner.modules.globals import jwk as keys

        return self._described(keys.rsa_key(jwk) if name == "RSA" else keys.ec_key(jwk, name))

    def _described(self, key: Key) -> list[object]:
        """Return [type, material], and for an RSA key the bits of its modulus."""
        from jsrunner.modules.globals import asymmetric as keys

        kind, material = keys.material(key)
        return [kind, material, key.key_size] if keys.is_rsa(key) else [kind, material]

    @operation
    def export_point(self, key: bytes) -> object:
        """Return the raw form of a public EC key: an uncompressed point."""
        from jsrunner.modules.globals import asymmetric as keys

        return keys.point(key)

    @operation
    def export_jwk(self, is_private: bool, key: bytes) -> dict[str, str]:
        """Return a key as a JSON Web Key (RFC 7517)."""
        from jsrunner.modules.globals import jwk as keys

        return keys.export(key, is_private=is_private)

    @operation
    def ecdh(self, private: bytes, public: bytes) -> object:
        """Return the shared secret of a Diffie-Hellman exchange."""
        from jsrunner.modules.globals import asymmetric as keys

        return keys.ecdh(private, public)

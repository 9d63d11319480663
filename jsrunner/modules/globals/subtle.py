"""Python half of `crypto.subtle`: bytes in, bytes out.

It keeps no keys. The JavaScript half holds a key's material (a secret's bytes, PKCS #8 of a private
key, SPKI of a public one) and hands it in with each call. OpenSSL does the work, by `hashlib` and the
package cryptography, which is imported by the first call that needs it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any, Final

from jsrunner.engine.errors import HostError
from jsrunner.engine.interpreter import mend
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6 import encoding

#: What `Interpreter.buffer` takes.
Packed = int | str

_DIGESTS: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_BLOCK: Final = 16  # of AES, in bytes


class Subtle(HostModule):
    specifier = "jsrunner:globals/subtle"

    # -- secrets and hashes -----------------------------------------------------------------------

    @operation
    def random(self, size: int) -> object:
        return self._give(os.urandom(size))

    @operation
    def to_base64url(self, data: Packed) -> str:
        return encoding.encode(self._take(data), "rawurl")

    @operation
    def encode(self, text: Packed) -> object:
        """Return the UTF-8 of a text."""
        return self._give(mend(self.vu.interpreter.text(text)))

    @operation
    def symmetric_jwk(self, jwk: object) -> object:
        """Return the bytes of a secret key that is a JSON Web Key (RFC 7518, 6.4)."""
        from jsrunner.modules.globals import jwk as keys

        try:
            return self._give(keys.secret(jwk))
        except HostError as error:
            raise HostError.named("DataError", str(error)) from None

    @operation
    def digest(self, hash: str, data: Packed) -> object:
        return self._give(hashlib.new(_DIGESTS[hash], self._take(data)).digest())

    @operation
    def hmac(self, hash: str, key: Packed, data: Packed) -> object:
        return self._give(hmac.digest(self._take(key), self._take(data), _DIGESTS[hash]))

    @operation
    def same(self, one: Packed, other: Packed) -> bool:
        """Whether two signatures are equal, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self._take(one), self._take(other))

    @operation
    def pbkdf2(self, hash: str, key: Packed, salt: Packed, iterations: int, size: int) -> int:
        """`size` bytes, later: a handle."""
        password, salt_bytes, digest = self._take(key), self._take(salt), _DIGESTS[hash]
        return self.vu.run_aside(
            lambda: hashlib.pbkdf2_hmac(digest, password, salt_bytes, iterations, size), self._give
        )

    # -- encryption --------------------------------------------------------------------------------

    @operation
    def cbc(self, encrypts: bool, key: Packed, iv: Packed, data: Packed) -> object:
        """AES-CBC with the padding of PKCS #7."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        cipher = Cipher(algorithms.AES(self._take(key)), modes.CBC(self._take(iv)))
        padding, text = PKCS7(8 * _BLOCK), self._take(data)
        if encrypts:
            padder, encryptor = padding.padder(), cipher.encryptor()
            padded = padder.update(text) + padder.finalize()
            return self._give(encryptor.update(padded) + encryptor.finalize())
        try:
            decryptor, unpadder = cipher.decryptor(), padding.unpadder()
            padded = decryptor.update(text) + decryptor.finalize()
            return self._give(unpadder.update(padded) + unpadder.finalize())
        except ValueError:
            raise HostError.named("OperationError", "invalid padding") from None

    @operation
    def ctr(self, key: Packed, counter: Packed, data: Packed) -> object:
        """AES-CTR, either way. As in k6 the whole counter block counts, whatever its `length`."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        cipher = Cipher(algorithms.AES(self._take(key)), modes.CTR(self._take(counter)))
        encryptor = cipher.encryptor()
        return self._give(encryptor.update(self._take(data)) + encryptor.finalize())

    @operation
    def gcm(
        self, encrypts: bool, key: Packed, iv: Packed, extra: Packed, tag_size: int, data: Packed
    ) -> object:
        """AES-GCM; the tag of `tag_size` bytes follows the ciphertext."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        algorithm, nonce, text = algorithms.AES(self._take(key)), self._take(iv), self._take(data)
        if encrypts:
            encryptor = Cipher(algorithm, modes.GCM(nonce)).encryptor()
            encryptor.authenticate_additional_data(self._take(extra))
            sealed = encryptor.update(text) + encryptor.finalize()
            return self._give(sealed + encryptor.tag[:tag_size])
        sealed, tag = text[:-tag_size], text[-tag_size:]
        try:
            decryptor = Cipher(algorithm, modes.GCM(nonce, tag, tag_size)).decryptor()
            decryptor.authenticate_additional_data(self._take(extra))
            return self._give(decryptor.update(sealed) + decryptor.finalize())
        except InvalidTag:
            raise HostError.named("OperationError", "could not decrypt ciphertext") from None

    @operation
    def oaep(self, encrypts: bool, key: Packed, hash: str, label: Packed, data: Packed) -> object:
        from jsrunner.modules.globals import asymmetric as keys

        padding = keys.oaep(_DIGESTS[hash], self._take(label) or None)
        text = self._take(data)
        try:
            if encrypts:
                return self._give(keys.rsa_public(self._take(key)).encrypt(text, padding))
            return self._give(keys.rsa_private(self._take(key)).decrypt(text, padding))
        except ValueError:
            reason = (
                "encrypt data: crypto/rsa: message too long for RSA key size"
                if encrypts
                else "decrypt data: crypto/rsa: decryption error"
            )
            raise HostError.named("OperationError", f"could not {reason}") from None

    # -- signatures --------------------------------------------------------------------------------

    @operation
    def ecdsa_sign(self, key: Packed, hash: str, data: Packed) -> object:
        from jsrunner.modules.globals import asymmetric as keys

        return self._give(keys.ecdsa_sign(self._take(key), _DIGESTS[hash], self._take(data)))

    @operation
    def ecdsa_verify(self, key: Packed, hash: str, signature: Packed, data: Packed) -> bool:
        from jsrunner.modules.globals import asymmetric as keys

        return keys.ecdsa_verify(
            self._take(key), _DIGESTS[hash], self._take(signature), self._take(data)
        )

    @operation
    def rsa_sign(self, key: Packed, hash: str, salt_size: int | None, data: Packed) -> object:
        """RSASSA-PKCS1-v1_5, or with a salt's size RSA-PSS."""
        from jsrunner.modules.globals import asymmetric as keys

        try:
            padding = keys.signature_padding(_DIGESTS[hash], salt_size)
            private = keys.rsa_private(self._take(key))
            return self._give(private.sign(self._take(data), padding, keys.hash_object(_DIGESTS[hash])))
        except ValueError:
            is_wrong_salt = salt_size is not None and salt_size < -1
            reason = "invalid PSS salt length" if is_wrong_salt else "message too long for RSA key size"
            raise HostError.named(
                "OperationError", f"could not sign data: crypto/rsa: {reason}"
            ) from None

    @operation
    def rsa_verify(
        self, key: Packed, hash: str, salt_size: int | None, signature: Packed, data: Packed
    ) -> bool:
        from cryptography.exceptions import InvalidSignature

        from jsrunner.modules.globals import asymmetric as keys

        public = keys.rsa_public(self._take(key))
        try:
            padding = keys.signature_padding(_DIGESTS[hash], salt_size)
            public.verify(
                self._take(signature), self._take(data), padding, keys.hash_object(_DIGESTS[hash])
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    # -- keys --------------------------------------------------------------------------------------

    @operation
    def ec_generate(self, curve: str) -> list[object]:
        """Material of a private key and of its public key."""
        from jsrunner.modules.globals import asymmetric as keys

        return [self._give(one) for one in keys.ec_generate(curve)]

    @operation
    def rsa_generate(self, bits: int, exponent: int) -> int:
        """Material of a private key and of its public key, later: a handle."""
        from jsrunner.modules.globals import asymmetric as keys

        return self.vu.run_aside(
            lambda: keys.rsa_generate(bits, exponent), lambda pair: [self._give(one) for one in pair]
        )

    @operation
    def import_key(self, name: str, format: str, data: Packed, curve: str | None) -> list[object]:
        """A key of ECDSA, ECDH or RSA in raw (on that curve), spki or pkcs8: see `_described`."""
        from jsrunner.modules.globals import asymmetric as keys

        return self._described(keys.from_bytes(name, format, self._take(data), curve))

    @operation
    def import_jwk(self, name: str, jwk: object) -> list[object]:
        """The same of a JSON Web Key (RFC 7518)."""
        from jsrunner.modules.globals import jwk as keys

        return self._described(keys.rsa_key(jwk) if name == "RSA" else keys.ec_key(jwk, name))

    def _described(self, key: Any) -> list[object]:
        """[type, material] and of an RSA key the bits of its modulus."""
        from jsrunner.modules.globals import asymmetric as keys

        kind, material = keys.material(key)
        bits = [key.key_size] if keys.is_rsa(key) else []
        return [kind, self._give(material), *bits]

    @operation
    def export_point(self, key: Packed) -> object:
        """The raw form of a public EC key: an uncompressed point."""
        from jsrunner.modules.globals import asymmetric as keys

        return self._give(keys.point(self._take(key)))

    @operation
    def export_jwk(self, is_private: bool, key: Packed) -> dict[str, str]:
        from jsrunner.modules.globals import jwk as keys

        return keys.export(self._take(key), is_private=is_private)

    @operation
    def ecdh(self, private: Packed, public: Packed) -> object:
        """What the two sides of a Diffie-Hellman exchange have in common."""
        from jsrunner.modules.globals import asymmetric as keys

        return self._give(keys.ecdh(self._take(private), self._take(public)))

    # -- bytes -------------------------------------------------------------------------------------

    def _take(self, packed: Packed) -> bytes:
        return self.vu.interpreter.buffer(packed)

    def _give(self, data: bytes) -> object:
        return self.vu.interpreter.put_buffer(data)

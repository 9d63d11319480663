"""crypto.subtle: against the package cryptography, and what it refuses."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable

TOOLS = """
const { subtle } = crypto;
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const unhex = (text) => new Uint8Array((text.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
const outcome = async (promise) => {
  try {
    await promise;
    console.log('resolved');
  } catch (e) {
    console.log(e.name, e instanceof Error);
  }
};
"""


def test_promises_settle_after_the_jobs_that_wait(run: Callable[..., list[str]]) -> None:
    assert run("""
        setTimeout(() => console.log('timer'), 0);
        const digest = crypto.subtle.digest('SHA-1', new Uint8Array(1)).then(() => console.log('digest'));
        Promise.resolve().then(() => console.log('job')).then(() => console.log('next job'));
        await digest;
    """) == ["job", "next job", "timer", "digest"]


def test_ctr(run: Callable[..., list[str]]) -> None:
    """As in k6 the whole block counts, whatever the length of the counter is said to be."""
    counter = (1 << 128) - 2
    blocks = [(counter + one) % (1 << 128) for one in range(3)]
    assert run(
        TOOLS
        + f"""
        const key = await subtle.importKey('raw', new Uint8Array(16), 'AES-CTR', false, ['encrypt', 'decrypt']);
        const one = (counter, length, data) => subtle.encrypt(
          {{ name: 'AES-CTR', counter: unhex(counter), length }}, key, data);
        let parts = '';
        for (const counter of {[f"{block:032x}" for block in blocks]}) {{
          parts += hex(await one(counter, 128, new Uint8Array(16)));
        }}
        const all = hex(await one('{counter:032x}', 2, new Uint8Array(45)));
        console.log(all === parts.slice(0, all.length), all.length);
        """
    ) == ["true 90"]


@pytest.mark.parametrize("tag_length", [96, 104, 128])
def test_gcm(run: Callable[..., list[str]], tag_length: int) -> None:
    key, iv, extra = bytes(range(32)), bytes(12), b"header"
    sealed = AESGCM(key).encrypt(iv, b"text", extra)[: 4 + tag_length // 8].hex()
    assert run(
        TOOLS
        + f"""
        const key = await subtle.importKey('raw', unhex('{key.hex()}'), 'AES-GCM', false, ['encrypt', 'decrypt']);
        const how = {{ name: 'AES-GCM', iv: new Uint8Array(12), additionalData: unhex('{extra.hex()}'),
          tagLength: {tag_length} }};
        const sealed = await subtle.encrypt(how, key, unhex('{b"text".hex()}'));
        console.log(hex(sealed), hex(await subtle.decrypt(how, key, sealed)));
        await outcome(subtle.decrypt({{ ...how, iv: new Uint8Array(13) }}, key, sealed));
        """
    ) == [f"{sealed} {b'text'.hex()}", "OperationError false"]


def test_rsa_signature_is_verified_elsewhere(run: Callable[..., list[str]]) -> None:
    spki, *signatures = run(
        TOOLS
        + """
        for (const [name, saltLength] of [['RSA-PSS', -1], ['RSA-PSS', 20], ['RSASSA-PKCS1-v1_5']]) {
          const { privateKey, publicKey } = await subtle.generateKey({
            name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-384',
          }, false, ['sign', 'verify']);
          console.log(hex(await subtle.exportKey('spki', publicKey)));
          const signature = await subtle.sign({ name, saltLength }, privateKey, unhex('616263'));
          if (!await subtle.verify({ name, saltLength }, publicKey, signature, unhex('616263'))) throw new Error('no');
          console.log(hex(signature));
        }
        """
    )
    lines = [spki, *signatures]
    sha384 = hashes.SHA384()
    pss = padding.PSS(padding.MGF1(sha384), padding.PSS.DIGEST_LENGTH)
    pss_20 = padding.PSS(padding.MGF1(sha384), 20)
    for index, scheme in enumerate([pss, pss_20, padding.PKCS1v15()]):
        key = serialization.load_der_public_key(bytes.fromhex(lines[2 * index]))
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(bytes.fromhex(lines[2 * index + 1]), b"abc", scheme, sha384)


@pytest.mark.parametrize("name", ["P-256", "P-384", "P-521"])
def test_ec_keys_in_every_format(run: Callable[..., list[str]], name: str) -> None:
    """Another tool reads exported keys, and its keys can be imported."""
    other = ec.generate_private_key(
        {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}[name]()
    )
    point = other.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    jwk, pkcs8, spki, raw, shared = run(
        TOOLS
        + f"""
        const curve = {{ name: 'ECDH', namedCurve: '{name}' }};
        const pair = await subtle.generateKey(curve, true, ['deriveBits']);
        console.log(JSON.stringify(await subtle.exportKey('jwk', pair.privateKey)));
        for (const [format, key] of [['pkcs8', pair.privateKey], ['spki', pair.publicKey], ['raw', pair.publicKey]]) {{
          const exported = await subtle.exportKey(format, key);
          console.log(hex(exported));
          const again = await subtle.importKey(format, exported, curve, true, format === 'pkcs8' ? ['deriveBits'] : []);
          if (hex(await subtle.exportKey(format, again)) !== hex(exported)) throw new Error(format);
        }}
        const theirs = await subtle.importKey('raw', unhex('{point.hex()}'), curve, false, []);
        console.log(hex(await subtle.deriveBits({{ name: 'ECDH', public: theirs }}, pair.privateKey, 128)));
        """
    )
    private = serialization.load_der_private_key(bytes.fromhex(pkcs8), None)
    public = serialization.load_der_public_key(bytes.fromhex(spki))
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert private.public_key() == public
    assert bytes.fromhex(raw) == public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    d = json.loads(jwk)["d"]
    assert int.from_bytes(base64.urlsafe_b64decode(d + "=" * (-len(d) % 4)), "big") == (
        private.private_numbers().private_value
    )
    assert other.exchange(ec.ECDH(), public)[:16].hex() == shared


def test_rsa_jwk_round_trip(run: Callable[..., list[str]]) -> None:
    assert run(
        TOOLS
        + """
        const how = { name: 'RSA-OAEP', hash: { name: 'SHA-1' } };
        const pair = await subtle.generateKey({ ...how, modulusLength: 1024, publicExponent: new Uint8Array([3]) },
          true, ['encrypt', 'decrypt']);
        const jwk = await subtle.exportKey('jwk', pair.privateKey);
        const key = await subtle.importKey('jwk', jwk, how, true, ['decrypt']);
        const { n, e, kty } = jwk;
        const open = await subtle.importKey('jwk', { n, e, kty }, how, true, ['encrypt']);
        console.log(key.type, open.type, key.algorithm.modulusLength, open.usages.join());
        console.log(hex(await subtle.decrypt(how, key, await subtle.encrypt(how, pair.publicKey, unhex('0102')))));
        console.log(JSON.stringify(await subtle.exportKey('jwk', open)) === JSON.stringify({ kty, n, e }));
        """
    ) == ["private public 1024 encrypt", "0102", "true"]


AES = "await subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', true, ['encrypt'])"
EC = "{ name: 'ECDSA', namedCurve: 'P-256' }"
RSA = (
    "{ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }"
)
PASSWORD = (
    "await subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits', 'deriveKey'])"
)
PBKDF2 = "{ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(4), iterations: 1 }"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("subtle.digest('MD5', new Uint8Array(1))", "NotSupportedError"),
        ("subtle.digest(undefined, new Uint8Array(1))", "SyntaxError"),
        ("subtle.digest('SHA-1', 'text')", "undefined"),
        ("subtle.generateKey('Ed25519', true, ['sign'])", "NotSupportedError"),
        ("subtle.generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign'])", "NotSupportedError"),
        ("subtle.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 0 }, true, ['sign'])", "OperationError"),
        ("subtle.generateKey({ name: 'AES-KW', length: 128 }, true, ['encrypt'])", "SyntaxError"),
        ("subtle.generateKey({ name: 'AES-CBC', length: 128 }, true)", "SyntaxError"),
        (f"subtle.generateKey({EC}, true, [])", "SyntaxError"),
        (f"subtle.generateKey({{ ...{RSA}, modulusLength: 12 }}, true, ['sign'])", "OperationError"),
        (f"subtle.generateKey({{ ...{RSA}, publicExponent: new Uint8Array(1) }}, true, ['sign'])", "OperationError"),
        ("subtle.importKey('spki', new Uint8Array(4), 'AES-CBC', true, ['encrypt'])", "NotSupportedError"),
        ("subtle.importKey('jwk', new Uint8Array(16), 'AES-CBC', true, ['encrypt'])", "DataError"),
        ("subtle.importKey('raw', {}, 'AES-CBC', true, ['encrypt'])", "OperationError"),
        ("subtle.importKey('jwk', { kty: 'oct', k: '%%' }, 'AES-CBC', true, ['encrypt'])", "DataError"),
        ("subtle.importKey('jwk', { kty: 'RSA' }, 'AES-CBC', true, ['encrypt'])", "DataError"),
        (f"subtle.importKey('jwk', {{ kty: 'EC', crv: 'P-256', x: 'AA' }}, {EC}, true, ['verify'])", "undefined"),
        (f"subtle.importKey('raw', new Uint8Array(65), {EC}, true, ['verify'])", "DataError"),
        (f"subtle.importKey('spki', new Uint8Array(65), {EC}, true, ['verify'])", "DataError"),
        (f"subtle.importKey('raw', new Uint8Array(65), {RSA}, true, ['verify'])", "NotSupportedError"),
        ("subtle.importKey('pkcs8', new Uint8Array(4), 'RSA-OAEP', true, ['decrypt'])", "SyntaxError"),
        ("subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['sign'])", "SyntaxError"),
        ("subtle.exportKey('raw', {})", "ImplementationError"),
        (f"subtle.exportKey('raw', {PASSWORD})", "InvalidAccessError"),
        (f"subtle.exportKey('spki', {AES})", "NotSupportedError"),
        (f"subtle.encrypt({{ name: 'AES-CBC' }}, {AES}, new Uint8Array(1))", "OperationError"),
        (f"subtle.encrypt({{ name: 'AES-GCM', iv: new Uint8Array(12) }}, {AES}, new Uint8Array(1))", "InvalidAccessError"),
        ("subtle.encrypt({ name: 'AES-CBC' }, 'key', new Uint8Array(1))", "InvalidAccessError"),
        (f"subtle.sign('AES-CBC', {AES}, new Uint8Array(1))", "NotSupportedError"),
        (f"subtle.deriveBits({PBKDF2}, {PASSWORD}, 7)", "OperationError"),
        (f"subtle.deriveBits({{ ...{PBKDF2}, iterations: 1e15 }}, {PASSWORD}, 8)", "undefined"),
        (f"subtle.deriveKey({PBKDF2}, {PASSWORD}, {{ name: 'HMAC', hash: 'SHA-1' }}, true, ['sign'])", "NotSupportedError"),
        (f"subtle.deriveKey({PBKDF2}, {PASSWORD}, {{ name: 'AES-CBC', length: 1 }}, true, ['encrypt'])", "InvalidAccessError"),
        (f"subtle.deriveKey({PBKDF2}, {PASSWORD}, {{ name: 'AES-CBC', length: 128 }}, true, [])", "SyntaxError"),
        ("subtle.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 1e12 }, true, ['sign'])", "OperationError"),
        (f"subtle.deriveBits({PBKDF2}, {PASSWORD}, 8e9)", "undefined"),
        ("subtle.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, await subtle.importKey('raw', new Uint8Array(16), "
         "'AES-CBC', true, ['decrypt']), new Uint8Array(17))", "OperationError"),
    ],
)  # fmt: skip
def test_refusals(run: Callable[..., list[str]], call: str, error: str) -> None:
    assert run(f"{TOOLS} await outcome({call});") == [f"{error} false"]


def test_calls_that_throw(run: Callable[..., list[str]]) -> None:
    """Arguments that k6 converts before it begins, and functions that k6 lacks."""
    assert run(
        TOOLS
        + """
        for (const call of [() => subtle.wrapKey(), () => subtle.unwrapKey(), () => subtle.digest('SHA-1', null),
          () => subtle.generateKey('HMAC', true, 'sign'), () => subtle.importKey('raw', 0, 'HMAC', true, {}),
          () => subtle.digest({ get name() { throw new RangeError('own'); } }, new Uint8Array(1))]) {
          try {
            call();
          } catch (e) {
            console.log(String(e));
          }
        }
        """
    ) == [
        "GoError: not implemented",
        "GoError: not implemented",
        "TypeError: Cannot convert undefined or null to object",
        "TypeError: could not convert function call parameter 2: could not convert sign to []string",
        "TypeError: could not convert function call parameter 4: cannot convert [object Object] to []string: "
        "not an array or iterable",
        "RangeError: own",
    ]


def test_keys_that_were_changed(run: Callable[..., list[str]]) -> None:
    """A script can write to what it sees of a key, and gets no use of the key that it has not."""
    assert run(
        TOOLS
        + f"""
        const pair = await subtle.generateKey({RSA}, true, ['sign', 'verify']);
        pair.publicKey.type = 'private';
        pair.publicKey.usages = ['sign', 'verify'];
        await outcome(subtle.sign({{ name: 'RSA-PSS', saltLength: 4 }}, pair.publicKey, new Uint8Array(1)));
        const key = {AES};
        key.algorithm = {{ name: 'HMAC', hash: {{ name: 'SHA-1' }} }};
        key.usages = 5;
        await outcome(subtle.sign('HMAC', key, new Uint8Array(1)));
        key.usages = ['sign'];
        await outcome(subtle.sign('HMAC', key, new Uint8Array(1)));
        key.algorithm = null;
        await outcome(subtle.sign('HMAC', key, new Uint8Array(1)));
        try {{
          key.other = 1;
        }} catch (e) {{
          console.log(e.name);
        }}
        console.log(Object.getPrototypeOf(key) === Object.prototype, JSON.stringify(crypto.CryptoKey));
        """
    ) == [
        "InvalidAccessError false",
        "InvalidAccessError false",
        "InvalidAccessError false",
        "TypeError false",
        "TypeError",
        'true {"type":"","extractable":false,"algorithm":null,"usages":[]}',
    ]

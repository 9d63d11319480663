// jsrunner:webcrypto/asymmetric — keys on elliptic curves (ECDSA, ECDH) and RSA keys.
// @ts-check
import { copyOf } from 'jsrunner:bytes';
import { fail } from 'jsrunner:errors';
import {
  ArrayBufferPrototypeGetByteLength, ArrayPrototypeIncludes, PromisePrototypeThen, SafeArray, String,
  TypedArrayPrototypeGetLength, Uint8Array, isInstance,
} from 'jsrunner:primordials';
import {
  NO_USAGES, checkUsages, hasUsage, innerOf, keyPair, looksLike, newKey,
} from 'jsrunner:webcrypto/keys';
import {
  hashOf, integerOf, isHash, memberBytes, memberOf, needed, run, runAside,
} from 'jsrunner:webcrypto/values';

/** Return a key made from the Python half's row [type, material, bits of an RSA modulus]. */
const imported = (found, algorithm, extractable, usages, inner) => {
  const type = found[0];
  if (type === 'private' && !usages.length) fail('SyntaxError', NO_USAGES);
  return newKey(type, extractable, algorithm, usages, { ...inner, material: found[1] });
};

// -- elliptic curves -------------------------------------------------------------------------------

const SIGNING = ['sign', 'verify'];
const DERIVATION = ['deriveKey', 'deriveBits'];
const CURVES = ['P-256', 'P-384', 'P-521'];

const ecMaterial = (key, type, text) => {
  const inner = innerOf(key);
  return inner?.family === 'EC' && inner.type === type ? inner.material : fail('InvalidAccessError', text);
};

/** Return the operations of an algorithm. `own`: the usages of a private key, of a public key, and of both. */
const elliptic = (own) => ({
  family: 'EC',
  generateKey(name, parameters) {
    const namedCurve = String(needed(parameters, 'namedCurve'));
    return (extractable, usages) => {
      if (!ArrayPrototypeIncludes(CURVES, namedCurve)) {
        fail('NotSupportedError', 'elliptic curve ' + namedCurve + ' is not supported');
      }
      if (!usages.length) fail('SyntaxError', 'key usages cannot be empty');
      checkUsages(usages, own.all, false);
      return keyPair({ name, namedCurve }, extractable, usages, own, { family: 'EC' }, run('ec_generate', namedCurve));
    };
  },
  importKey(name, parameters) {
    const namedCurve = String(needed(parameters, 'namedCurve'));
    return (format, data, extractable, usages) => {
      if (format === 'raw' && !ArrayPrototypeIncludes(CURVES, namedCurve)) {
        fail('NotSupportedError', 'invalid ' + String(name === 'ECDH' ? 'ECDH' : 'elliptic') + ' curve ' + namedCurve);
      }
      const found = format === 'jwk'
        ? run('import_jwk', name, data) : run('import_key', name, format, data, namedCurve);
      // As in k6, the algorithm has the curve that the script names, even if the key has another curve.
      return imported(found, { name, namedCurve }, extractable, usages, { family: 'EC' });
    };
  },
  exportKey: () => (format, key) => {
    const publicOf = () => ecMaterial(key, 'public', 'key is not a valid elliptic curve public key');
    switch (format) {
      case 'raw': return run('export_point', publicOf());
      case 'spki': return copyOf(publicOf());
      case 'pkcs8': return copyOf(ecMaterial(key, 'private', 'key is not a valid elliptic curve private key'));
      case 'jwk': return run('export_jwk', innerOf(key).type === 'private', innerOf(key).material);
      default: return fail('NotSupportedError', 'unsupported key format ' + format);
    }
  },
});

const checkHash = (hash) => {
  if (!isHash(hash)) fail('NotSupportedError', 'unsupported hash algorithm: ' + hash);
  return hash;
};

const ecdsa = {
  ...elliptic({ private: ['sign'], public: ['verify'], all: SIGNING }),
  sign(name, parameters) {
    const hash = hashOf(parameters);
    return (key, data) => run('ecdsa_sign', ecMaterial(key, 'private', 'key is not a valid ECDSA private key'),
      checkHash(hash), data);
  },
  verify(name, parameters) {
    const hash = hashOf(parameters);
    return (key, signature, data) => run('ecdsa_verify',
      ecMaterial(key, 'public', 'key is not a valid ECDSA public key'), checkHash(hash), signature, data);
  },
};

/** Return the curve of a key's algorithm. */
const curveOf = (key) => {
  const curve = innerOf(key)?.family === 'EC' ? memberOf(key.algorithm, 'namedCurve') : undefined;
  return curve === undefined ? fail('InvalidAccessError', 'keys are not valid elliptic curve keys') : String(curve);
};

/** Return the type of a key or of a key-like object. `name` and `text` are those of the error for a missing type. */
const typeOf = (key, name, text) => {
  try {
    return looksLike(key).type;
  } catch (error) {
    return fail(name, text + ': ' + String(error));
  }
};

/** Throw unless a value is, or looks like, a public key of the other side. */
const checkPublic = (name, key) => {
  const subject = typeof key === 'object' ? 'public key' : 'public';
  if (typeOf(key, 'TypeError', "algorithm's " + subject + ' is not a valid CryptoKey') !== 'public') {
    fail('InvalidAccessError', "algorithm's public key is not a public key");
  }
  const algorithm = needed(key, 'algorithm', 'TypeError', 'field algorithm is null or undefined');
  const other = String(needed(algorithm, 'name', 'TypeError', 'field algorithm.name is null or undefined'));
  if (other !== name) {
    fail('InvalidAccessError', "algorithm name does not match public key's algorithm name: " + name + ' != ' + other);
  }
};

const ecdh = {
  ...elliptic({ private: DERIVATION, public: SafeArray(), all: DERIVATION }),
  deriveBits(name, parameters) {
    const other = needed(parameters, 'public', 'TypeError', 'algorithm does not contain a public key');
    checkPublic(name, other);
    return (key, bits) => {
      const type = typeOf(key, 'InvalidAccessError', 'provided baseKey is not a valid CryptoKey');
      if (type !== 'private') fail('InvalidAccessError', 'provided baseKey is not a private key');
      if (!hasUsage(key, 'deriveBits')) {
        fail('InvalidAccessError', "provided baseKey does not contain the 'deriveBits' usage");
      }
      const mine = curveOf(key);
      const theirs = curveOf(other);
      if (mine !== theirs) fail('InvalidAccessError', 'keys have different curves ' + mine + ' and ' + theirs);
      const shared = run('ecdh', ecMaterial(key, 'private', 'key is not a valid ECDH private key'),
        ecMaterial(other, 'public', 'key is not a valid ECDH public key'));
      if (bits < 0 || bits > ArrayBufferPrototypeGetByteLength(shared) * 8) {
        fail('OperationError', 'length is too large');
      }
      return copyOf(new Uint8Array(shared, 0, bits / 8));
    };
  },
};

// -- RSA -------------------------------------------------------------------------------------------

/** Maximum bits of an RSA modulus. The generation of a longer one takes minutes. */
const MOST_MODULUS = 16384;
const MOST_EXPONENT = 2 ** 31 - 1;

/** Return the hash of an RSA key. Its name is case-sensitive. */
const keyHash = (parameters) => {
  const hash = needed(parameters, 'hash');
  const name = typeof hash === 'string'
    ? hash : needed(hash, 'name', 'TypeError', 'hash name is null or undefined');
  if (!isHash(String(name))) fail('NotSupportedError', 'hash algorithm is not supported ' + String(String(name)));
  return String(name);
};

/** Type of a key -> its Go type in error texts. */
const KINDS = { __proto__: null, private: '*rsa.PrivateKey', public: '*rsa.PublicKey' };

const rsaMaterial = (key, type) => {
  const inner = innerOf(key);
  // k6 keeps a public key from a JSON Web Key in a form that it can only export again.
  if (inner?.family === 'RSA' && inner.type === type && !inner.isFromJwk) return inner.material;
  const kind = inner?.isFromJwk ? 'rsa.PublicKey' : KINDS[inner?.type];
  return fail('InvalidAccessError', 'given CryptoKey is not a ' + type + " RSA key, it's " + String(kind ?? '<nil>'));
};

const numberOf = (bytes) => {
  let number = 0;
  for (let i = 0; i < TypedArrayPrototypeGetLength(bytes); i += 1) number = number * 256 + bytes[i];
  return number;
};

const checkExponent = (exponent) => {
  const refuse = (text) => fail('OperationError', 'invalid public exponent: public exponent ' + text);
  if (exponent % 2 === 0) refuse('is even');
  if (exponent < 2) refuse('too small');
  if (exponent > MOST_EXPONENT) refuse('too large');
};

/** Return the operations of an algorithm. `own`: the usages of a private key, of a public key, and all allowed usages. */
const rsa = (own) => ({
  family: 'RSA',
  generateKey(name, parameters) {
    const modulusLength = integerOf(needed(parameters, 'modulusLength'));
    const exponentBytes = needed(parameters, 'publicExponent');
    if (!(isInstance(Uint8Array, exponentBytes))) fail('OperationError', 'publicExponent is not a byte array');
    const exponent = numberOf(exponentBytes);
    const hash = keyHash(parameters);
    return (extractable, usages) => {
      checkExponent(exponent);
      if (!usages.length) fail('SyntaxError', 'key usages cannot be empty');
      checkUsages(usages, own.all);
      if (modulusLength > MOST_MODULUS || modulusLength < 1) fail('OperationError', 'could not generate RSA key pair');
      const algorithm = { name, modulusLength, hash: { name: hash } };
      return PromisePrototypeThen(runAside('rsa_generate', modulusLength, exponent), (pair) => keyPair(
        algorithm, extractable, usages, own, { family: 'RSA', hash }, pair,
      ));
    };
  },
  importKey(name, parameters) {
    const hash = keyHash(parameters);
    return (format, data, extractable, usages) => {
      if (format === 'raw') fail('NotSupportedError', 'unsupported key format raw for algorithm ' + name);
      const found = format === 'jwk' ? run('import_jwk', 'RSA', data) : run('import_key', 'RSA', format, data, null);
      const algorithm = { name, modulusLength: found[2], hash: { name: hash } };
      return imported(found, algorithm, extractable, usages,
        { family: 'RSA', hash, isFromJwk: format === 'jwk' && found[0] === 'public' });
    };
  },
  exportKey: () => (format, key) => {
    switch (format) {
      case 'spki':
        if (innerOf(key).isFromJwk) {
          fail('OperationError', 'unable to marshal key to SPKI format: x509: unsupported public key type: '
            + 'rsa.PublicKey');
        }
        return copyOf(rsaMaterial(key, 'public'));
      case 'pkcs8': return copyOf(rsaMaterial(key, 'private'));
      case 'jwk': return run('export_jwk', innerOf(key).type === 'private', innerOf(key).material);
      default: return fail('NotSupportedError', 'unsupported key format ' + format);
    }
  },
});

const pkcs1 = {
  ...rsa({ private: ['sign'], public: ['verify'], all: SIGNING }),
  sign: () => (key, data) => run('rsa_sign', rsaMaterial(key, 'private'), innerOf(key).hash, null, data),
  verify: () => (key, signature, data) => run('rsa_verify', rsaMaterial(key, 'public'), innerOf(key).hash, null,
    signature, data),
};

const NO_SALT = "k6 RSA-PSS uses standard Golang SDK that doesn't support"
  + 'salt length=0 but ';

const pssSalt = (parameters, otherwise) => {
  const saltLength = integerOf(needed(parameters, 'saltLength'));
  return () => (saltLength === 0 ? fail('ImplementationError', NO_SALT + otherwise) : saltLength);
};

const pss = {
  ...rsa({ private: ['sign'], public: ['verify'], all: SIGNING }),
  sign(name, parameters) {
    const salt = pssSalt(parameters, 'generates salt with maximum length . Sign result might be different.');
    return (key, data) => {
      const material = rsaMaterial(key, 'private');
      return run('rsa_sign', material, innerOf(key).hash, salt(), data);
    };
  },
  verify(name, parameters) {
    const salt = pssSalt(parameters,
      'tries to auto-detect salt length if 0 is used. Verify result might be different.');
    return (key, signature, data) => {
      const material = rsaMaterial(key, 'public');
      return run('rsa_verify', material, innerOf(key).hash, salt(), signature, data);
    };
  },
};

const oaep = (encrypts) => (name, parameters) => {
  const label = memberBytes(memberOf(parameters, 'label'));
  return (key, data) => run('oaep', encrypts, rsaMaterial(key, encrypts ? 'public' : 'private'),
    innerOf(key).hash, label, data);
};

export const ASYMMETRIC = {
  ECDSA: ecdsa,
  ECDH: ecdh,
  'RSASSA-PKCS1-v1_5': pkcs1,
  'RSA-PSS': pss,
  'RSA-OAEP': {
    ...rsa({ private: ['decrypt'], public: ['encrypt'], all: ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'] }),
    encrypt: oaep(true),
    decrypt: oaep(false),
  },
};

// crypto.subtle of the Web Cryptography API (https://www.w3.org/TR/WebCryptoAPI/) as far as k6 has it,
// see https://grafana.com/docs/k6/latest/javascript-api/crypto/subtlecrypto/.
// @ts-check
import { GoValue, fail } from 'jsrunner:errors';
import { host, pack, release, unpack } from 'jsrunner:host';
import { aside, promised } from 'jsrunner:loop';
import { crypto } from 'jsrunner:globals/webcrypto';

// -- bytes -----------------------------------------------------------------------------------------

const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/** A copy of the bytes of a buffer, a typed array or a DataView. */
const bytesOf = (value, what = 'data') => {
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (!ArrayBuffer.isView(value)) return fail('TypeError', what + ' is no ArrayBuffer, TypedArray or DataView');
  return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
};

const NOTHING = new ArrayBuffer(0);

/** Call `send(op, ...)` with the buffers among the arguments packed. */
const packed = (send, op, args) => {
  try {
    return send('subtle.' + String(op), ...args.map((one) => (one instanceof ArrayBuffer ? pack(one) : one)));
  } finally {
    release();
  }
};
const run = (op, ...args) => packed(host, op, args);
const runForBytes = (op, ...args) => unpack(run(op, ...args));
const runAside = (op, ...args) => packed(aside, op, args);

/** A whole number; OpenSSL takes no greater ones than C's int, and nobody asks for such. */
const count = (value, what, least = 1, most = 2 ** 31 - 1) => {
  const number = Number(value);
  if (!(Number.isInteger(number) && number >= least && number <= most)) {
    fail('OperationError', 'invalid ' + what + ': ' + String(value));
  }
  return number;
};

// -- keys ------------------------------------------------------------------------------------------

let isKey;
let material;

/** A key, which a script can read. Its material (see subtle.py) is out of the script's reach. */
class CryptoKey {
  #material;

  constructor(type, extractable, algorithm, usages, bytes) {
    this.type = type;
    this.extractable = extractable;
    this.algorithm = Object.freeze(algorithm);
    this.usages = Object.freeze(usages);
    this.#material = bytes;
    Object.freeze(this);
  }

  static {
    isKey = (value) => typeof value === 'object' && value !== null && #material in value;
    material = (key) => key.#material;
  }
}

/** The key's usages, of which each must be one of `allowed` and, unless `mayBeNone`, one must be there. */
const usagesOf = (usages, allowed, mayBeNone = false) => {
  if (!Array.isArray(usages)) return fail('TypeError', 'key usages are no array');
  for (const one of usages) {
    if (!allowed.includes(one)) fail('SyntaxError', 'invalid key usage: ' + String(one));
  }
  if (!usages.length && !mayBeNone) fail('SyntaxError', 'key usages cannot be empty');
  return [...usages];
};

/** A pair of keys; each takes of the usages those that are its own. */
const keyPair = (algorithm, extractable, usages, [privateUsages, publicUsages], [privateKey, publicKey]) => {
  const own = (allowed) => usages.filter((one) => allowed.includes(one));
  return {
    privateKey: new CryptoKey('private', extractable, algorithm, own(privateUsages), privateKey),
    publicKey: new CryptoKey('public', true, algorithm, own(publicUsages), publicKey),
  };
};

/** What a generated pair may be used for: at least the private key must be good for something. */
const pairUsages = (usages, [privateUsages, publicUsages]) => {
  const found = usagesOf(usages, [...privateUsages, ...publicUsages]);
  if (!found.some((one) => privateUsages.includes(one))) fail('SyntaxError', 'key usages cannot be empty');
  return found;
};

const checkFormat = (format, known, name) => {
  if (!known.includes(format)) fail('NotSupportedError', 'the key format ' + String(format) + ' is not supported for ' + name);
};

const checkJwk = (data, members) => {
  if (typeof data !== 'object' || data === null || isBytes(data)) fail('TypeError', 'the key data is no JSON Web Key');
  for (const [member, value] of Object.entries(members)) {
    const given = data[member];
    if (given !== value && !(member === 'alg' && given === undefined)) {
      fail('DataError', member + ' of the JSON Web Key is not ' + String(value));
    }
  }
};

const secretJwk = (key, alg) => ({
  kty: 'oct', k: run('to_base64url', material(key)), alg, ext: key.extractable, key_ops: [...key.usages],
});

// -- hashes ----------------------------------------------------------------------------------------

/** Name -> size of its blocks in bits. */
const HASHES = {
  'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024,
};

const hashOf = ({ hash }) => {
  if (hash === undefined || hash === null) fail('SyntaxError', 'could not get hash from algorithm parameter');
  const name = String(typeof hash === 'object' ? hash.name : hash).toUpperCase();
  if (!Object.hasOwn(HASHES, name)) fail('NotSupportedError', 'unsupported hash algorithm: ' + name);
  return name;
};

// -- algorithms: what each of them can do, by the names of the calls -------------------------------

const AES_LENGTHS = [128, 192, 256];
const aesLength = ({ length }) => {
  const bits = Number(length);
  if (!AES_LENGTHS.includes(bits)) fail('OperationError', 'invalid key length: ' + String(length));
  return bits;
};

const aes = (name, usages) => {
  const key = (data, extractable, uses) => new CryptoKey('secret', extractable,
    { name, length: data.byteLength * 8 }, uses, data);
  const jwkName = (data) => ('A' + String(data.byteLength * 8) + String(name.slice(4)));
  return {
    'get key length': aesLength,
    generateKey(parameters, extractable, given) {
      const uses = usagesOf(given, usages);
      return key(runForBytes('random', aesLength(parameters) / 8), extractable, uses);
    },
    importKey(format, data, parameters, extractable, given) {
      checkFormat(format, ['raw', 'jwk'], name);
      const uses = usagesOf(given, usages, true);
      if (format === 'jwk') checkJwk(data, { kty: 'oct' });
      const bytes = format === 'jwk' ? runForBytes('from_base64url', String(data.k)) : bytesOf(data, 'key data');
      if (!AES_LENGTHS.includes(bytes.byteLength * 8)) fail('DataError', 'invalid key length: ' + String(bytes.byteLength * 8));
      if (format === 'jwk') checkJwk(data, { alg: jwkName(bytes) });
      return key(bytes, extractable, usagesOf(uses, usages));
    },
    exportKey(format, given) {
      checkFormat(format, ['raw', 'jwk'], name);
      return format === 'jwk' ? secretJwk(given, jwkName(material(given))) : material(given).slice(0);
    },
  };
};

const block = (value, what) => {
  const bytes = isBytes(value) ? bytesOf(value) : NOTHING;
  if (bytes.byteLength !== 16) fail('OperationError', what + ' has not 16 bytes');
  return bytes;
};

const cbc = (encrypts) => ({ iv }, key, data) => runForBytes('cbc', encrypts, material(key), block(iv, 'iv'), data);

const ctr = ({ counter, length }, key, data) => {
  const start = block(counter, 'counter');
  return runForBytes('ctr', material(key), start, count(length, 'counter length', 1, 128), data);
};

const TAG_LENGTHS = [32, 64, 96, 104, 112, 120, 128];
const gcm = (encrypts) => ({ iv, additionalData, tagLength }, key, data) => {
  const bits = tagLength === undefined ? 128 : Number(tagLength);
  if (!TAG_LENGTHS.includes(bits)) fail('OperationError', 'invalid tag length: ' + String(tagLength));
  if (!isBytes(iv)) fail('OperationError', 'iv is missing');
  if (!encrypts && data.byteLength < bits / 8) fail('OperationError', 'the data is shorter than the tag');
  const extra = additionalData === undefined || additionalData === null ? NOTHING : bytesOf(additionalData);
  return runForBytes('gcm', encrypts, material(key), bytesOf(iv), extra, bits / 8, data);
};

const hmac = (() => {
  const usages = ['sign', 'verify'];
  const jwkName = (hash) => ('HS' + String(hash.slice(4)));
  const key = (hash, data, extractable, uses, length = data.byteLength * 8) => new CryptoKey('secret', extractable,
    { name: 'HMAC', hash: Object.freeze({ name: hash }), length }, uses, data);
  const signature = (used, data) => runForBytes('hmac', used.algorithm.hash.name, material(used), data);
  return {
    generateKey(parameters, extractable, given) {
      const hash = hashOf(parameters);
      const uses = usagesOf(given, usages);
      const bits = parameters.length === undefined ? HASHES[hash] : count(parameters.length, 'key length');
      return key(hash, runForBytes('random', Math.ceil(bits / 8)), extractable, uses, bits);
    },
    importKey(format, data, parameters, extractable, given) {
      checkFormat(format, ['raw', 'jwk'], 'HMAC');
      const hash = hashOf(parameters);
      const uses = usagesOf(given, usages, true);
      if (format === 'jwk') checkJwk(data, { kty: 'oct', alg: jwkName(hash) });
      const bytes = format === 'jwk' ? runForBytes('from_base64url', String(data.k)) : bytesOf(data, 'key data');
      if (bytes.byteLength === 0) fail('DataError', 'the key is empty');
      return key(hash, bytes, extractable, usagesOf(uses, usages));
    },
    exportKey(format, given) {
      checkFormat(format, ['raw', 'jwk'], 'HMAC');
      return format === 'jwk' ? secretJwk(given, jwkName(given.algorithm.hash.name)) : material(given).slice(0);
    },
    sign: (parameters, used, data) => signature(used, data),
    verify: (parameters, used, given, data) => run('same', signature(used, data), given),
  };
})();

/** EC and RSA: import and export in the formats of asymmetric keys. */
const asymmetric = (kind, name, usages, formats, describe) => ({
  importKey(format, data, parameters, extractable, given) {
    checkFormat(format, formats, name);
    const [algorithm, curve] = describe(parameters);
    if (format === 'jwk') checkJwk(data, {});
    const isPrivate = format === 'pkcs8' || (format === 'jwk' && data.d !== undefined);
    const uses = usagesOf(given, usages[isPrivate ? 0 : 1], true);
    const [type, bytes, modulusLength, exponent] = format === 'jwk'
      ? run('import_jwk', kind, JSON.parse(JSON.stringify(data)), curve)
      : run('import_key', kind, format, bytesOf(data, 'key data'), curve);
    const imported = unpack(bytes);
    if (isPrivate) usagesOf(uses, usages[0]);
    const details = modulusLength === undefined ? {} : {
      modulusLength, publicExponent: new Uint8Array(exponent.match(/../g).map((hex) => parseInt(hex, 16))),
    };
    return new CryptoKey(type, extractable, { ...algorithm, ...details }, uses, imported);
  },
  exportKey(format, key) {
    checkFormat(format, formats, name);
    const wanted = { spki: 'public', raw: 'public', pkcs8: 'private' }[format] ?? key.type;
    if (key.type !== wanted) fail('InvalidAccessError', 'a ' + String(key.type) + ' key cannot be exported as ' + String(format));
    if (format === 'jwk') return run('export_jwk', key.type === 'private', material(key));
    return format === 'raw' ? runForBytes('export_point', material(key)) : material(key).slice(0);
  },
});

const CURVES = ['P-256', 'P-384', 'P-521'];

/** `usages`: of the private and of the public key. */
const elliptic = (name, usages) => {
  const describe = ({ namedCurve }) => {
    if (!CURVES.includes(namedCurve)) fail('NotSupportedError', 'unsupported curve: ' + String(namedCurve));
    return [{ name, namedCurve }, namedCurve];
  };
  return {
    ...asymmetric('EC', name, usages, ['raw', 'jwk', 'spki', 'pkcs8'], describe),
    generateKey(parameters, extractable, given) {
      const [algorithm, curve] = describe(parameters);
      const uses = pairUsages(given, usages);
      return keyPair(algorithm, extractable, uses, usages, run('ec_generate', curve).map(unpack));
    },
  };
};

const ecdsa = {
  ...elliptic('ECDSA', [['sign'], ['verify']]),
  sign: (parameters, key, data) => runForBytes('ecdsa_sign', material(key), hashOf(parameters), data),
  verify: (parameters, key, signature, data) => run('ecdsa_verify', material(key), hashOf(parameters), signature, data),
};

const ecdh = {
  ...elliptic('ECDH', [['deriveKey', 'deriveBits'], []]),
  deriveBits({ public: other }, key, bits) {
    if (key.type !== 'private') fail('InvalidAccessError', 'the base key is no private key');
    if (!isKey(other) || other.type !== 'public' || other.algorithm.name !== 'ECDH'
      || other.algorithm.namedCurve !== key.algorithm.namedCurve) {
      fail('InvalidAccessError', 'public is no public ECDH key on the curve of the base key');
    }
    const shared = runForBytes('ecdh', material(key), material(other));
    if (bits > shared.byteLength * 8) fail('OperationError', 'no ' + String(bits) + ' bits can be derived');
    return shared.slice(0, bits / 8);
  },
};

const pbkdf2 = {
  importKey(format, data, parameters, extractable, given) {
    checkFormat(format, ['raw'], 'PBKDF2');
    const uses = usagesOf(given, ['deriveBits', 'deriveKey'], true);
    if (extractable) fail('SyntaxError', 'a PBKDF2 key cannot be extractable');
    const bytes = bytesOf(data, 'key data');
    return new CryptoKey('secret', false, { name: 'PBKDF2' }, usagesOf(uses, ['deriveBits', 'deriveKey']), bytes);
  },
  deriveBits(parameters, key, bits) {
    const hash = hashOf(parameters);
    const iterations = count(parameters.iterations, 'number of iterations');
    const salt = bytesOf(parameters.salt, 'salt');
    return runAside('pbkdf2', hash, material(key), salt, iterations, bits / 8).then(unpack);
  },
  deriveKey: (parameters, key, bits) => pbkdf2.deriveBits(parameters, key, bits),
};

/** In bits: a longer one takes minutes. */
const MOST_MODULUS = 16384;

const rsa = (name, usages) => ({
  ...asymmetric('RSA', name, usages, ['jwk', 'spki', 'pkcs8'],
    (parameters) => [{ name, hash: Object.freeze({ name: hashOf(parameters) }) }, null]),
  generateKey(parameters, extractable, given) {
    const hash = hashOf(parameters);
    const uses = pairUsages(given, usages);
    const modulusLength = count(parameters.modulusLength, 'modulus length', 1, MOST_MODULUS);
    const publicExponent = new Uint8Array(bytesOf(parameters.publicExponent, 'publicExponent'));
    const algorithm = {
      name, modulusLength, publicExponent, hash: Object.freeze({ name: hash }),
    };
    return runAside('rsa_generate', modulusLength, publicExponent.buffer)
      .then((pair) => keyPair(algorithm, extractable, uses, usages, pair.map(unpack)));
  },
});

const rsaSignature = (name, saltLength) => ({
  ...rsa(name, [['sign'], ['verify']]),
  sign: (parameters, key, data) => runForBytes('rsa_sign', material(key), key.algorithm.hash.name, saltLength(parameters),
    data),
  verify: (parameters, key, signature, data) => run('rsa_verify', material(key), key.algorithm.hash.name,
    saltLength(parameters), signature, data),
});

const pssSalt = ({ saltLength }) => count(saltLength ?? 0, 'salt length', 0);

const oaep = (encrypts) => ({ label }, key, data) => runForBytes('oaep', encrypts, material(key), key.algorithm.hash.name,
  label === undefined || label === null ? NOTHING : bytesOf(label), data);

const ENCRYPTION = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
const ALGORITHMS = {
  'AES-CBC': { ...aes('AES-CBC', ENCRYPTION), encrypt: cbc(true), decrypt: cbc(false) },
  'AES-CTR': { ...aes('AES-CTR', ENCRYPTION), encrypt: ctr, decrypt: ctr },
  'AES-GCM': { ...aes('AES-GCM', ENCRYPTION), encrypt: gcm(true), decrypt: gcm(false) },
  'AES-KW': aes('AES-KW', ['wrapKey', 'unwrapKey']),
  HMAC: hmac,
  ECDSA: ecdsa,
  ECDH: ecdh,
  PBKDF2: pbkdf2,
  'RSASSA-PKCS1-v1_5': rsaSignature('RSASSA-PKCS1-v1_5', () => null),
  'RSA-PSS': rsaSignature('RSA-PSS', pssSalt),
  'RSA-OAEP': {
    ...rsa('RSA-OAEP', [['decrypt', 'unwrapKey'], ['encrypt', 'wrapKey']]), encrypt: oaep(true), decrypt: oaep(false),
  },
};
for (const name of Object.keys(HASHES)) {
  ALGORITHMS[name] = { digest: (data) => runForBytes('digest', name, data) };
}
const NAMES = new Map(Object.keys(ALGORITHMS).map((name) => [name.toUpperCase(), name]));

/** [name, parameters, implementation] of an algorithm that can do this. */
const find = (operation, given) => {
  const parameters = typeof given === 'object' && given !== null ? given : { name: given };
  const name = NAMES.get(String(parameters.name).toUpperCase());
  const found = name && ALGORITHMS[name];
  if (!found || !found[operation]) {
    fail('NotSupportedError',
      'algorithm "' + String(parameters.name) + '" doesn\'t support (in implementation) operation "' + operation + '"');
  }
  return [name, parameters, found];
};

const checkKey = (key, name, usage) => {
  if (!isKey(key)) fail('TypeError', 'key is no CryptoKey');
  if (key.algorithm.name !== name) fail('InvalidAccessError', 'the key is one of ' + String(key.algorithm.name) + ', not of ' + name);
  if (!key.usages.includes(usage)) fail('InvalidAccessError', 'the key cannot be used to ' + String(usage));
};

const FORMATS = ['raw', 'jwk', 'spki', 'pkcs8'];

const keyed = (operation) => (algorithm, key, data) => promised(() => {
  const [name, parameters, found] = find(operation, algorithm);
  checkKey(key, name, operation);
  return found[operation](parameters, key, bytesOf(data));
});

const subtle = {
  encrypt: keyed('encrypt'),
  decrypt: keyed('decrypt'),
  sign: keyed('sign'),
  verify: (algorithm, key, signature, data) => promised(() => {
    const [name, parameters, found] = find('verify', algorithm);
    checkKey(key, name, 'verify');
    return found.verify(parameters, key, bytesOf(signature, 'signature'), bytesOf(data));
  }),
  digest: (algorithm, data) => promised(() => {
    const [, , found] = find('digest', algorithm);
    return found.digest(bytesOf(data));
  }),
  generateKey: (algorithm, extractable, usages) => promised(() => {
    const [, parameters, found] = find('generateKey', algorithm);
    return found.generateKey(parameters, Boolean(extractable), usages);
  }),
  importKey: (format, data, algorithm, extractable, usages) => promised(() => {
    const [, parameters, found] = find('importKey', algorithm);
    if (!FORMATS.includes(format)) fail('ImplementationError', 'unsupported key format: ' + String(format));
    return found.importKey(format, data, parameters, Boolean(extractable), usages);
  }),
  exportKey: (format, key) => promised(() => {
    if (!isKey(key)) fail('TypeError', 'key is no CryptoKey');
    const [, , found] = find('exportKey', key.algorithm);
    if (!key.extractable) fail('InvalidAccessError', 'the key is not extractable');
    return found.exportKey(format, key);
  }),
  deriveBits: (algorithm, key, length) => promised(() => {
    const [name, parameters, found] = find('deriveBits', algorithm);
    const bits = count(length, 'number of bits');
    if (bits % 8) fail('OperationError', 'invalid number of bits: ' + String(length));
    checkKey(key, name, 'deriveBits');
    return found.deriveBits(parameters, key, bits);
  }),
  deriveKey: (algorithm, key, derived, extractable, usages) => promised(() => {
    const [name, parameters, found] = find('deriveKey', algorithm);
    const [, target, kind] = find('get key length', derived);
    checkKey(key, name, 'deriveKey');
    return found.deriveKey(parameters, key, kind['get key length'](target))
      .then((bytes) => kind.importKey('raw', bytes, target, Boolean(extractable), usages));
  }),
  wrapKey: () => Promise.reject(new GoValue('not implemented')),
  unwrapKey: () => Promise.reject(new GoValue('not implemented')),
};

Object.defineProperties(crypto, {
  CryptoKey: { value: CryptoKey, enumerable: true },
  subtle: { value: subtle, enumerable: true },
});

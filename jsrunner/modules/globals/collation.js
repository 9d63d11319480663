// String.prototype.localeCompare as k6 has it for all languages: the order of Unicode's collation algorithm
// (https://www.unicode.org/reports/tr10/) without tailoring, in which white space and punctuation count. The whole
// table of weights has 1 MB. This file has the weights of ASCII, of Latin letters with accents and of common
// punctuation. Letters of other scripts are ordered by code point.
// @ts-check
import { Map, RegExpPrototypeSymbolReplace, StringPrototypeToLowerCase } from 'jsrunner:more_primordials';
import { ArrayPrototypePush, ObjectDefineProperty, SafeArray, String, uncurryThis } from 'jsrunner:primordials';

const { RegExp } = globalThis;
const { fromCodePoint } = String;
const { prototype } = String;
const normalize = uncurryThis(prototype.normalize);
const codeAt = uncurryThis(prototype.codePointAt);
const unitAt = uncurryThis(prototype.charCodeAt);
const { sign } = Math;
const matches = uncurryThis(RegExp.prototype.test);
const setValue = uncurryThis(Map.prototype.set);
const valueOf = uncurryThis(Map.prototype.get);

/** Return a map from each character of a text to its position. */
const places = (text) => {
  const map = new Map();
  for (let i = 0; i < text.length; i += 1) setValue(map, text[i], i + 1);
  return map;
};

// -- weights ---------------------------------------------------------------------------------------

/** Characters that sort before the letters. All other symbols sort behind the tilde, by code point. */
const BEFORE_LETTERS = places('\t\n\v\f\r\u0085 _-\u2010\u2013\u2014\u2015,;:!\u00a1?\u00bf.\u00b7\'\u2018\u2019\u201a\u2039'
  + '\u203a"\u201c\u201d\u201e\u00ab\u00bb()[]{}\u00a7\u00b6@*/\\&#%\u2030\u2020\u2021\u2022`\u00b4^\u00af\u00a8\u00b8\u00b0'
  + '\u00a9\u00ae+\u00b1\u00f7\u00d7<=>\u00ac|\u00a6~\u00a4\u00a2$\u00a3\u00a5\u20ac0123456789');
const TILDE = valueOf(BEFORE_LETTERS, '~');
/** The order of Latin letters, with those that Unicode does not decompose. */
const LATIN = places('abcdefghi\u0131jklmn\u014bopq\u0138rst\u0167uvwxyz\u00fe');
/** First weight of each group of characters. */
const FIRST = { latin: 1000, letter: 10000, han: 2000000, unknown: 4000000 };
/** Weights of accents, which count where the letters are equal. */
const ACCENTS = places('\u0332\u0313\u0314\u0301\u0300\u0306\u0302\u030c\u030a\u0342\u0308\u030b\u0303\u0307\u0338\u0335\u0327\u0328'
  + '\u0304');
/** Letters with a stroke, and ligatures -> the letters whose weight they have. */
const SAME = new Map();
setValue(SAME, '\u00e6', 'a\u0332e');
setValue(SAME, '\u0153', 'o\u0332e');
setValue(SAME, '\u00df', 's\u0332s');
setValue(SAME, '\u00f8', 'o\u0338');
setValue(SAME, '\u0142', 'l\u0335');
setValue(SAME, '\u0111', 'd\u0335');
setValue(SAME, '\u0127', 'h\u0335');
setValue(SAME, '\u00f0', 'd\u0361');
/** A letter that Unicode decomposes, although it sorts as a letter of its own. */
const SHORT_I = '\u0439';
const DECOMPOSED_SHORT_I = /([\u0418\u0438])\u0306/g;

const LETTER = /\p{L}/u;
const MARK = /\p{M}/u;
const HAN = /\p{Script=Han}/u;
const KATAKANA = /[\u30a1-\u30f6]/;
const IGNORED = /[\p{Cc}\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/u;
const SURROGATE = /[\ud800-\udfff]/u;

/** Weights of case and width, which count where letters and accents are equal. */
const WRITTEN = {
  plain: 0, compatible: 1, capital: 2, superscript: 3,
};
const SUPERSCRIPT = /[\u00aa\u00b2\u00b3\u00b9\u00ba\u02b0-\u02b8\u2070-\u209c]/;

const primary = (character) => {
  const code = codeAt(character, 0);
  const latin = valueOf(LATIN, character);
  if (latin) return FIRST.latin + latin;
  if (matches(SURROGATE, character)) return FIRST.unknown + code;
  if (matches(HAN, character)) return FIRST.han + code;
  return matches(LETTER, character) ? FIRST.letter + code : TILDE + code / 0x200000;
};

/** Append the weights of a decomposed text. */
const weigh = (text, weights, written) => {
  for (let i = 0; i < text.length;) {
    const character = fromCodePoint(codeAt(text, i));
    i += character.length;
    const early = valueOf(BEFORE_LETTERS, character);
    if (early) {
      ArrayPrototypePush(weights.primary, early);
      ArrayPrototypePush(weights.accents, 0);
      ArrayPrototypePush(weights.written, written);
    } else if (matches(MARK, character)) {
      ArrayPrototypePush(weights.accents, valueOf(ACCENTS, character) ?? 100 + codeAt(character, 0));
      ArrayPrototypePush(weights.written, written);
    } else if (!matches(IGNORED, character)) {
      weighOther(character, weights, written);
    }
  }
};

const weighOther = (character, weights, written) => {
  const small = StringPrototypeToLowerCase(character);
  const form = small === character ? written : WRITTEN.capital;
  const same = small === SHORT_I ? small : valueOf(SAME, small) ?? normalize(small, 'NFKD');
  if (same !== small) {
    weigh(same, weights, matches(SUPERSCRIPT, small) ? WRITTEN.superscript : form || WRITTEN.compatible);
  } else if (matches(KATAKANA, small)) {
    weigh(fromCodePoint(codeAt(small, 0) - 0x60), weights, WRITTEN.compatible);
  } else {
    ArrayPrototypePush(weights.primary, primary(small));
    ArrayPrototypePush(weights.accents, 0);
    ArrayPrototypePush(weights.written, form);
  }
};

const weightsOf = (text) => {
  const weights = { primary: SafeArray(), accents: SafeArray(), written: SafeArray() };
  const decomposed = RegExpPrototypeSymbolReplace(DECOMPOSED_SHORT_I, normalize(text, 'NFD'), (match) => (
    match[1] === '\u0418' ? '\u0419' : SHORT_I));
  weigh(decomposed, weights, WRITTEN.plain);
  return weights;
};

// -- comparison ------------------------------------------------------------------------------------

const difference = (one, other) => {
  for (let i = 0; i < one.length && i < other.length; i += 1) {
    if (one[i] !== other[i]) return one[i] < other[i] ? -1 : 1;
  }
  if (one.length === other.length) return 0;
  return one.length < other.length ? -1 : 1;
};

/** ASCII code -> [weight, weight of its case]; undefined for characters without weight. */
const ASCII = SafeArray();
for (let code = 0; code < 128; code += 1) {
  const character = fromCodePoint(code);
  const weights = weightsOf(character);
  if (weights.primary.length) ASCII[code] = [weights.primary[0], weights.written[0]];
}

/** Return the comparison of two texts of ASCII; undefined for others. */
const compareAscii = (one, other) => {
  let first = 0;
  let second = 0;
  for (let i = 0; i < one.length && i < other.length; i += 1) {
    const left = ASCII[unitAt(one, i)];
    const right = ASCII[unitAt(other, i)];
    if (!left || !right) return undefined;
    first ||= left[0] - right[0];
    second ||= left[1] - right[1];
  }
  const longer = one.length > other.length ? one : other;
  for (let i = one.length + other.length - longer.length; i < longer.length; i += 1) {
    if (!ASCII[unitAt(longer, i)]) return undefined;
  }
  return sign(first || one.length - other.length || second);
};

const compare = (one, other) => {
  if (one === other) return 0;
  const quick = compareAscii(one, other);
  if (quick !== undefined) return quick;
  const left = weightsOf(one);
  const right = weightsOf(other);
  return difference(left.primary, right.primary) || difference(left.accents, right.accents)
    || difference(left.written, right.written);
};

const native = uncurryThis(prototype.localeCompare);
const methods = {
  localeCompare(that) {
    if (this === undefined || this === null) return native(this, that);
    return compare(`${this}`, `${that}`);
  },
};
ObjectDefineProperty(prototype, 'localeCompare', {
  __proto__: null, value: methods.localeCompare, writable: true, configurable: true,
});

// jsrunner:html/selection — documents that Python keeps, and jQuery's view of their nodes as k6 has it.
// @ts-check
import { goType } from 'jsrunner:bytes';
import {
  Element, elementsOf, goName, isPlainElement, numberOf, setSelection,
} from 'jsrunner:html/elements';
import { GoError } from 'jsrunner:errors';
import { host, packText, release, unpack } from 'jsrunner:host';
import { WeakRef } from 'jsrunner:primordials';
import { onFlush } from 'jsrunner:samples';

/** A parsed document: a handle of Python's, and where the document came from. */
class Page {
  constructor(handle, url) {
    this.handle = handle;
    this.url = url;
  }
}

// Python keeps a document as long as there is a page for it. Nobody is told when a page is gone:
// it is looked for whenever control leaves for longer, and before the next document is made.
/** @type {[WeakRef, number][]} */
let pages = [];
const sweep = () => {
  if (!pages.length) return;
  const gone = pages.filter(([page]) => !page.deref());
  if (!gone.length) return;
  pages = pages.filter(([page]) => page.deref());
  host('html.free', gone.map(([, handle]) => handle));
};
onFlush(sweep);

/** The document as a selection; `url` is the page's address, which links are resolved against. */
export const parse = (source, url = '') => {
  sweep();
  const page = new Page(host('html.parse', packText(source)), url);
  release();
  pages.push([new WeakRef(page), page.handle]);
  return new Selection(page, [0]);
};

const text = (value) => (value === undefined || value === null ? '' : String(value));
const long = (value) => (typeof value === 'string' ? value : unpack(value.long));
const integer = (value) => Math.trunc(Number(value)) || 0;

/** What an exception in a callback is to Go: its text and where it was thrown. */
const failure = (error) => {
  const [, place] = /\n\tat (.*)/.exec(error?.stack ?? '') ?? [];
  return place ? String(error) + ' at ' + place : String(error);
};

const invalid = (value) => {
  const type = value instanceof Element ? goName(value) : goType(value);
  return new GoError("invalid argument, cannot use a '" + String(type) + "' as a selector");
};

/** Nodes of one document, in an order of their own. */
export class Selection {
  #page;
  #nodes;
  #before;

  constructor(page, nodes, before) {
    this.#page = page;
    this.#nodes = nodes;
    this.#before = before;
    this.url = page.url;
  }

  static pageOf(selection) {
    return selection.#page;
  }

  static nodesOf(selection) {
    return selection.#nodes;
  }

  /** A selection of what stands in this relation to the nodes; see html/relations.py. */
  static related(selection, relation) {
    return selection.#related(relation, []);
  }

  #push(nodes) {
    return new this.constructor(this.#page, nodes, this);
  }

  #ask(operation, ...args) {
    return host('html.' + operation, this.#page.handle, this.#nodes, ...args);
  }

  /** Nodes of an argument that is a selection; those of other documents are unknown here. */
  #numbers(selection) {
    return selection.#page === this.#page ? selection.#nodes : [];
  }

  /** A selector, a selection or an element: text or node numbers. */
  #wanted(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Selection) return this.#numbers(value);
    if (isPlainElement(value)) return this.#numbers(value.selection());
    throw invalid(value);
  }

  // -- narrowing and widening ----------------------------------------------------------------------

  add(value) {
    const wanted = this.#wanted(value);
    const nodes = typeof wanted === 'string' ? host('html.find', this.#page.handle, [0], wanted) : wanted;
    return this.#push([...new Set([...this.#nodes, ...nodes])]);
  }

  find(value) {
    const wanted = this.#wanted(value);
    if (typeof wanted === 'string') return this.#push(this.#ask('find', wanted));
    return this.#push(wanted.filter((node) => this.#contains(node)));
  }

  single(selector) {
    return this.#push(this.#ask('find_first', text(selector)));
  }

  closest(value) {
    return this.#push(this.#ask('closest', this.#wanted(value)));
  }

  has(value) {
    return this.#push(this.#ask('having', this.#wanted(value)));
  }

  not(value) {
    if (typeof value === 'function') return this.#push(this.#those(value, false));
    const wanted = this.#wanted(value);
    if (typeof wanted === 'string') return this.#push(this.#ask('filter', wanted, false));
    return this.#push(this.#nodes.filter((node) => !wanted.includes(node)));
  }

  filter(value) {
    return this.#push(this.#matching(value, 'filter'));
  }

  is(value) {
    return this.#matching(value, 'is').length > 0;
  }

  #matching(value, method) {
    if (typeof value === 'string') return this.#ask('filter', value, true);
    if (value instanceof Selection) {
      const wanted = this.#numbers(value);
      return this.#nodes.filter((node) => wanted.includes(node));
    }
    if (typeof value === 'function') return this.#those(value, true);
    throw new GoError('the argument to ' + String(method) + '() must be a function, a selector or a selection');
  }

  #those(test, keep) {
    return this.#nodes.filter((node, index) => Boolean(
      test.call(test, index, new RawSelection(this.#page, [node])),
    ) === keep);
  }

  /** Whether a node is below one of these. */
  #contains(node) {
    return this.#ask('having', [node]).length > 0;
  }

  eq(index) {
    const node = this.#nodes.at(integer(index));
    return node === undefined ? new this.constructor(this.#page, []) : this.#push([node]);
  }

  first() {
    return this.eq(0);
  }

  last() {
    return this.eq(-1);
  }

  slice(start, ...end) {
    const count = this.#nodes.length;
    let from = integer(start);
    let to = end.length && integer(end[0]) < count ? integer(end[0]) : count;
    if (from < 0) from += count;
    if (to < 0) to += count;
    if (from < 0 || from > to) throw new GoError('runtime error: slice bounds out of range [' + from + ':' + to + ']');
    return this.#push(this.#nodes.slice(from, to));
  }

  end() {
    return this.#before ?? new this.constructor(this.#page, []);
  }

  // -- neighbours ----------------------------------------------------------------------------------

  #related(relation, filter) {
    return this.#push(this.#ask('relatives', relation, filter.length ? text(filter[0]) : null));
  }

  #relatedUntil(relation, args) {
    const [value, filter] = args;
    const known = value === undefined || value === null || typeof value === 'string' || value instanceof Selection;
    if (!known || args.length > 2) throw invalid(value);
    const until = value instanceof Selection ? this.#numbers(value) : value ?? '';
    return this.#push(this.#ask('relatives', relation, args.length === 2 ? String(filter) : null, until));
  }

  children(...filter) {
    return this.#related('children', filter);
  }

  contents() {
    return this.#related('contents', []);
  }

  next(...filter) {
    return this.#related('next', filter);
  }

  nextAll(...filter) {
    return this.#related('nextAll', filter);
  }

  nextUntil(...args) {
    return this.#relatedUntil('nextAll', args);
  }

  parent(...filter) {
    return this.#related('parent', filter);
  }

  parents(...filter) {
    return this.#related('parents', filter);
  }

  parentsUntil(...args) {
    return this.#relatedUntil('parents', args);
  }

  prev(...filter) {
    return this.#related('prev', filter);
  }

  prevAll(...filter) {
    return this.#related('prevAll', filter);
  }

  prevUntil(...args) {
    return this.#relatedUntil('prevAll', args);
  }

  siblings(...filter) {
    return this.#related('siblings', filter);
  }

  // -- one by one ----------------------------------------------------------------------------------

  each(visit) {
    if (typeof visit !== 'function') throw new GoError('the argument to each() must be a function');
    elementsOf(this).forEach((element, index) => {
      try {
        visit.call(visit, index, element);
      } catch (error) {
        throw new GoError('the function passed to each() failed: ' + failure(error));
      }
    });
    return this;
  }

  map(convert) {
    if (typeof convert !== 'function') throw new GoError('the argument to map() must be a function');
    const values = [];
    this.#nodes.forEach((node, index) => {
      try {
        values.push(convert.call(convert, index, new Selection(this.#page, [node])));
      } catch {
        // k6 leaves out what failed
      }
    });
    return values;
  }

  toArray() {
    return this.#nodes.map((node) => this.#push([node]));
  }

  get(...index) {
    if (!index.length) return elementsOf(this);
    const at = integer(index[0]);
    const count = this.#nodes.length;
    return at < count && at > -count ? elementsOf(this.eq(at))[0] : undefined;
  }

  size() {
    return this.#nodes.length;
  }

  index(...of) {
    const [first] = this.#nodes;
    if (!of.length) return first === undefined ? -1 : this.first().prevAll().size();
    const [value] = of;
    if (typeof value === 'string') {
      return first === undefined ? -1 : host('html.find', this.#page.handle, [0], value).indexOf(first);
    }
    if (value instanceof Selection) return this.#nodes.indexOf(this.#numbers(value)[0]);
    return isPlainElement(value) ? this.#nodes.indexOf(numberOf(value)) : -1;
  }

  // -- content -------------------------------------------------------------------------------------

  text() {
    return this.#nodes.length ? long(this.#ask('text')) : '';
  }

  html() {
    const [first] = this.#nodes;
    return first === undefined ? '' : long(host('html.markup', this.#page.handle, first));
  }

  attr(name, ...otherwise) {
    const [first] = this.#nodes;
    if (first === undefined) return otherwise[0];
    return host('html.attribute', this.#page.handle, first, text(name)) ?? otherwise[0];
  }

  val() {
    const [first] = this.#nodes;
    return first === undefined ? undefined : host('html.value', this.#page.handle, first);
  }

  data(...key) {
    const [first] = this.#nodes;
    if (first === undefined) return undefined;
    const attributes = host('html.attributes', this.#page.handle, first);
    if (!attributes.length) return undefined;
    if (key.length) {
      const name = 'data-' + attributeName(text(key[0]));
      const found = attributes.find(([, attribute]) => attribute === name);
      return found && dataValue(found[2]);
    }
    const data = {};
    for (const [, name, value] of attributes) {
      if (name.startsWith('data-') && name.length > 5) data[propertyName(name.slice(5))] = dataValue(value);
    }
    return data;
  }

  serialize() {
    return this.#ask('serialize');
  }

  serializeArray() {
    return this.#ask('fields').map(([name, value]) => ({ name, value: value ?? undefined }));
  }

  serializeObject() {
    return Object.fromEntries(this.#ask('fields').map(([name, value]) => [name, value ?? undefined]));
  }
}

setSelection(Selection);

/**
 * What k6 gives to the functions in filter(), not() and is(): the selection of the library below,
 * whose attr() returns [value, whether there is one], and which knows less of forms.
 */
class RawSelection extends Selection {
  attr(name) {
    const value = super.attr(name);
    return [value ?? '', value !== undefined];
  }

  attrOr(name, otherwise) {
    return super.attr(name, text(otherwise));
  }

  hasClass(name) {
    return this.is((_, one) => one.attrOr('class', '').split(/[\t\r\n ]/).includes(text(name)));
  }

  length() {
    return this.size();
  }
}
for (const name of ['data', 'serialize', 'serializeArray', 'serializeObject', 'toArray', 'val']) {
  RawSelection.prototype[name] = undefined;
}

// -- data attributes: names and values ---------------------------------------------------------------

// The words that Go's conventions write in capitals: `data-user-id` is `userID`.
const CAPITALS = new Set(['ACL', 'API', 'ASCII', 'CPU', 'CSS', 'DNS', 'EOF', 'ETA', 'GPU', 'GUID', 'HTML', 'HTTP',
  'HTTPS', 'ID', 'IP', 'JSON', 'LHS', 'OS', 'OAuth', 'QPS', 'RAM', 'RHS', 'RPC', 'SLA', 'SMTP', 'SQL', 'SSH', 'TCP',
  'TLS', 'TTL', 'UDP', 'UI', 'UID', 'URI', 'URL', 'UTF8', 'UUID', 'VM', 'XML', 'XMPP', 'XSRF', 'XSS']);

const propertyName = (name) => {
  const [first, ...others] = name.split('-');
  return first + others.flatMap((word) => word.split('_')).map((word) => {
    if (word === 'oauth') return 'OAuth';
    const upper = word.toUpperCase();
    return CAPITALS.has(upper) ? upper : word.charAt(0).toUpperCase() + word.slice(1);
  }).join('');
};

const attributeName = (name) => {
  const words = [];
  let start = 0;
  for (let at = 1; at < name.length; at += 1) {
    const letter = name[at];
    if (letter === letter.toLowerCase() || letter !== letter.toUpperCase()) continue;
    const capitals = [5, 4, 3, 2].map((length) => name.slice(start, start + length))
      .find((word) => CAPITALS.has(word));
    if (capitals) {
      words.push(capitals);
      at += capitals.length - 1;
    } else {
      words.push(name.slice(start, at));
    }
    start = at;
  }
  words.push(name.slice(start));
  return words.filter((word) => word !== '').join('-').toLowerCase().replaceAll('_', '-');
};

/** A number without an exponent, as Go prints it. */
const plainNumber = (value) => {
  const [, sign, first, rest = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? [];
  if (!exponent) return Object.is(value, -0) ? '-0' : String(value);
  const digits = first + rest;
  return Number(exponent) < 0
    ? sign + '0.' + String(digits.padStart(digits.length - Number(exponent) - 1, '0'))
    : sign + digits.padEnd(Number(exponent) + 1, '0');
};

const dataValue = (value) => {
  if (value === '' || value === 'null' || value === 'undefined') return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  if (value.startsWith('{') || value.startsWith('[')) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  if (value === 'NaN') return NaN;
  if (value === '+Inf' || value === '-Inf') return value === '+Inf' ? Infinity : -Infinity;
  const number = Number(value);
  return Number.isFinite(number) && plainNumber(number) === value ? number : value;
};

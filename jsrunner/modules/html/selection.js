// jsrunner:html/selection — documents, which Python holds, and k6's jQuery-like selections of their nodes.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import { attributeName, dataValue, propertyName } from 'jsrunner:html/data';
import { Element, elementsOf, goName, isPlainElement, numberOf, setSelection } from 'jsrunner:html/elements';
import { RegExpPrototypeSymbolReplace, WeakRef, WeakRefPrototypeDeref } from 'jsrunner:more_primordials';
import {
  ArrayFromSafe, ArrayPrototypeFilter, ArrayPrototypeFind, ArrayPrototypeIncludes, ArrayPrototypeIndexOf,
  ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSlice, FunctionPrototypeCall, MathTrunc, NumberIsFinite,
  ObjectCreate, ObjectPrototype, SafeArray, String, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeSplit, isInstance,
} from 'jsrunner:primordials';
import { asText, isNullish, isObject, setOwn } from 'jsrunner:values';

/** A parsed document: its handle in Python, and its address. */
class Page {
  handle;
  url;
  constructor(handle, url) {
    this.handle = handle;
    this.url = url;
  }
}

// Python keeps a document until its page is collected. No event reports that, so collected pages are searched for
// before the next document is made.
/** Pages of this VU, each as [WeakRef, handle]. */
let pages = SafeArray();
const isGone = (pair) => WeakRefPrototypeDeref(pair[0]) === undefined;
const sweep = () => {
  const gone = ArrayPrototypeFilter(pages, isGone);
  if (gone.length === 0) return;
  pages = ArrayPrototypeFilter(pages, (pair) => !ArrayPrototypeIncludes(gone, pair));
  host('html.free', ArrayPrototypeMap(gone, (pair) => pair[1]));
};

/** Parse a document and return it as a selection. Links are resolved against `url`, the page's address. */
export const parse = (source, url = '') => {
  sweep();
  const page = new Page(host('html.parse', source), url);
  ArrayPrototypePush(pages, [new WeakRef(page), page.handle]);
  return new Selection(page, [0]);
};

const integer = (value) => {
  const number = MathTrunc(value);
  return NumberIsFinite(number) ? number || 0 : 0;
};

/** Return the items of both lists, each once. */
const united = (one, other) => {
  const all = ArrayPrototypeSlice(one);
  for (let i = 0; i < other.length; i += 1) {
    if (!ArrayPrototypeIncludes(all, other[i])) ArrayPrototypePush(all, other[i]);
  }
  return all;
};

/** Return k6's text of an exception in a callback: the exception's text and the place of the throw. */
const failure = (error) => {
  const stack = isObject(error) ? error.stack : undefined;
  const start = typeof stack === 'string' ? StringPrototypeIndexOf(stack, '\n\tat ') : -1;
  if (start < 0) return String(error);
  return String(error) + ' at '
    + StringPrototypeSlice(stack, start + 5, StringPrototypeIndexOf(stack, '\n', start + 5));
};

const invalid = (value) => {
  const type = isInstance(Element, value) ? goName(value) : goType(value);
  return new GoError("invalid argument, cannot use a '" + type + "' as a selector");
};

/** Nodes of one document, in an order of their own. */
export class Selection {
  url;
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

  static count(selection) {
    return selection.#nodes.length;
  }

  /** Return a selection of the nodes' relatives; see html/relations.py. */
  static related(selection, relation, filter) {
    return selection.#related(relation, filter === undefined ? [] : [filter]);
  }

  /** Return a selection of the nodes' children. */
  static below(selection, value) {
    const wanted = selection.#wanted(value);
    if (typeof wanted === 'string') return selection.#push(selection.#ask('find', wanted));
    return selection.#push(ArrayPrototypeFilter(wanted, (node) => selection.#isAbove(node)));
  }

  /** Return a selection of the nodes and others. */
  static joined(selection, value) {
    const wanted = selection.#wanted(value);
    const nodes = typeof wanted === 'string' ? host('html.find', selection.#page.handle, [0], wanted) : wanted;
    return selection.#push(united(selection.#nodes, nodes));
  }

  /** Return the attribute of the first node, undefined if there is none. */
  static attributeOf(selection, name) {
    const nodes = selection.#nodes;
    return nodes.length ? host('html.attribute', selection.#page.handle, nodes[0], name) : undefined;
  }

  static closest(selection, value) {
    return selection.#push(selection.#ask('closest', selection.#wanted(value)));
  }

  static matches(selection, selector) {
    return selection.#matching(selector, 'is').length > 0;
  }

  /** Return the value of the first node, undefined if it has none. */
  static fieldOf(selection) {
    const nodes = selection.#nodes;
    return nodes.length ? host('html.value', selection.#page.handle, nodes[0]) : undefined;
  }

  /** Return [name, value] of each field that a form would send. */
  static fieldsOf(selection) {
    return selection.#ask('fields');
  }

  /** Return the index of another selection's first node among the nodes. */
  static placeOf(selection, other) {
    return ArrayPrototypeIndexOf(selection.#nodes, selection.#numbers(other)[0]);
  }

  /** Return a selection of one of the nodes; a negative index counts from the end. */
  static nth(selection, index) {
    const nodes = selection.#nodes;
    const node = nodes[index < 0 ? nodes.length + index : index];
    return node === undefined ? selection.#made([]) : selection.#push([node]);
  }

  #made(nodes, before) {
    return isInstance(RawSelection, this) ? new RawSelection(this.#page, nodes, before)
      : new Selection(this.#page, nodes, before);
  }

  #push(nodes) {
    return this.#made(nodes, this);
  }

  #ask(operation, first, second, third) {
    const name = 'html.' + operation;
    if (first === undefined) return host(name, this.#page.handle, this.#nodes);
    if (second === undefined) return host(name, this.#page.handle, this.#nodes, first);
    if (third === undefined) return host(name, this.#page.handle, this.#nodes, first, second);
    return host(name, this.#page.handle, this.#nodes, first, second, third);
  }

  /** Return the node numbers of a selection; of a selection of another document, none. */
  #numbers(selection) {
    return selection.#page === this.#page ? selection.#nodes : [];
  }

  /** Return the text or the node numbers of a selector, a selection or an element. */
  #wanted(value) {
    if (typeof value === 'string') return value;
    if (isInstance(Selection, value)) return this.#numbers(value);
    if (isPlainElement(value)) return this.#numbers(value.selection());
    throw invalid(value);
  }

  // -- narrowing and widening ----------------------------------------------------------------------

  add(value) {
    return Selection.joined(this, value);
  }

  find(value) {
    return Selection.below(this, value);
  }

  single(selector) {
    return this.#push(this.#ask('find_first', asText(selector)));
  }

  closest(value) {
    return Selection.closest(this, value);
  }

  has(value) {
    return this.#push(this.#ask('having', this.#wanted(value)));
  }

  not(value) {
    if (typeof value === 'function') return this.#push(this.#those(value, false));
    const wanted = this.#wanted(value);
    if (typeof wanted === 'string') return this.#push(this.#ask('filter', wanted, false));
    return this.#push(ArrayPrototypeFilter(this.#nodes, (node) => !ArrayPrototypeIncludes(wanted, node)));
  }

  filter(value) {
    return this.#push(this.#matching(value, 'filter'));
  }

  is(value) {
    return this.#matching(value, 'is').length > 0;
  }

  #matching(value, method) {
    if (typeof value === 'string') return this.#ask('filter', value, true);
    if (isInstance(Selection, value)) {
      const wanted = this.#numbers(value);
      return ArrayPrototypeFilter(this.#nodes, (node) => ArrayPrototypeIncludes(wanted, node));
    }
    if (typeof value === 'function') return this.#those(value, true);
    throw new GoError('the argument to ' + method + '() must be a function, a selector or a selection');
  }

  #those(test, keep) {
    return ArrayPrototypeFilter(this.#nodes, (node, index) => (
      !!FunctionPrototypeCall(test, test, index, new RawSelection(this.#page, [node])) === keep
    ));
  }

  /** Return true if a node is below a node of this selection. */
  #isAbove(node) {
    return this.#ask('having', [node]).length > 0;
  }

  eq(index) {
    return Selection.nth(this, integer(index));
  }

  first() {
    return Selection.nth(this, 0);
  }

  last() {
    return Selection.nth(this, -1);
  }

  slice(start, ...end) {
    const count = this.#nodes.length;
    let from = integer(start);
    let to = end.length && integer(end[0]) < count ? integer(end[0]) : count;
    if (from < 0) from += count;
    if (to < 0) to += count;
    if (from < 0 || from > to) throw new GoError('runtime error: slice bounds out of range [' + from + ':' + to + ']');
    return this.#push(ArrayPrototypeSlice(this.#nodes, from, to));
  }

  end() {
    return this.#before ?? this.#made([]);
  }

  // -- neighbours ----------------------------------------------------------------------------------

  #related(relation, filter) {
    return this.#push(this.#ask('relatives', relation, filter.length ? asText(filter[0]) : null));
  }

  #relatedUntil(relation, args) {
    const value = args[0];
    const isSelection = isInstance(Selection, value);
    const isKnown = isNullish(value) || typeof value === 'string' || isSelection;
    if (!isKnown || args.length > 2) throw invalid(value);
    const until = isSelection ? this.#numbers(value) : value ?? '';
    return this.#push(this.#ask('relatives', relation, args.length === 2 ? String(args[1]) : null, until));
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
    const elements = elementsOf(this);
    for (let i = 0; i < elements.length; i += 1) {
      try {
        FunctionPrototypeCall(visit, visit, i, elements[i]);
      } catch (error) {
        throw new GoError('the function passed to each() failed: ' + failure(error));
      }
    }
    return this;
  }

  map(convert) {
    if (typeof convert !== 'function') throw new GoError('the argument to map() must be a function');
    const values = SafeArray();
    for (let i = 0; i < this.#nodes.length; i += 1) {
      try {
        const selection = new Selection(this.#page, [this.#nodes[i]]);
        ArrayPrototypePush(values, FunctionPrototypeCall(convert, convert, i, selection));
      } catch {
        // k6 leaves out items whose callback has failed
      }
    }
    return ArrayFromSafe(values);
  }

  toArray() {
    return ArrayFromSafe(ArrayPrototypeMap(this.#nodes, (node) => this.#push([node])));
  }

  get(...index) {
    if (!index.length) return elementsOf(this);
    const at = integer(index[0]);
    const count = this.#nodes.length;
    return at < count && at > -count ? elementsOf(Selection.nth(this, at))[0] : undefined;
  }

  size() {
    return this.#nodes.length;
  }

  index(...of) {
    const isEmpty = this.#nodes.length === 0;
    if (!of.length) return isEmpty ? -1 : Selection.count(Selection.related(Selection.nth(this, 0), 'prevAll'));
    const value = of[0];
    if (typeof value === 'string') {
      return isEmpty ? -1 : ArrayPrototypeIndexOf(host('html.find', this.#page.handle, [0], value), this.#nodes[0]);
    }
    if (isInstance(Selection, value)) return Selection.placeOf(this, value);
    return isPlainElement(value) ? ArrayPrototypeIndexOf(this.#nodes, numberOf(value)) : -1;
  }

  // -- content -------------------------------------------------------------------------------------

  text() {
    return this.#nodes.length ? this.#ask('text') : '';
  }

  html() {
    return this.#nodes.length ? host('html.markup', this.#page.handle, this.#nodes[0]) : '';
  }

  attr(name, ...otherwise) {
    return Selection.attributeOf(this, asText(name)) ?? (otherwise.length ? otherwise[0] : undefined);
  }

  val() {
    return Selection.fieldOf(this);
  }

  data(...key) {
    if (this.#nodes.length === 0) return undefined;
    const attributes = host('html.attributes', this.#page.handle, this.#nodes[0]);
    if (!attributes.length) return undefined;
    if (key.length) {
      const wanted = 'data-' + attributeName(asText(key[0]));
      const found = ArrayPrototypeFind(attributes, (attribute) => attribute[1] === wanted);
      return found && dataValue(found[2]);
    }
    const data = ObjectCreate(ObjectPrototype);
    for (let i = 0; i < attributes.length; i += 1) {
      const name = attributes[i][1];
      if (StringPrototypeSlice(name, 0, 5) === 'data-' && name.length > 5) {
        setOwn(data, propertyName(StringPrototypeSlice(name, 5)), dataValue(attributes[i][2]));
      }
    }
    return data;
  }

  serialize() {
    return this.#ask('serialize');
  }

  serializeArray() {
    return ArrayFromSafe(ArrayPrototypeMap(this.#ask('fields'), (field) => ({
      name: field[0], value: field[1] ?? undefined,
    })));
  }

  serializeObject() {
    const fields = this.#ask('fields');
    const object = ObjectCreate(ObjectPrototype);
    for (let i = 0; i < fields.length; i += 1) setOwn(object, fields[i][0], fields[i][1] ?? undefined);
    return object;
  }
}

setSelection(Selection);

/**
 * The selection that k6 passes to the functions of filter(), not() and is(). It is an object of the Go library, whose
 * attr() returns [value, true if the attribute exists], and which handles fewer form elements.
 */
class RawSelection extends Selection {
  attr(name) {
    const value = Selection.attributeOf(this, asText(name));
    return [value ?? '', value !== undefined];
  }

  attrOr(name, otherwise) {
    return Selection.attributeOf(this, asText(name)) ?? asText(otherwise);
  }

  hasClass(name) {
    const wanted = asText(name);
    const nodes = Selection.nodesOf(this);
    for (let i = 0; i < nodes.length; i += 1) {
      const classes = Selection.attributeOf(Selection.nth(this, i), 'class') ?? '';
      const words = StringPrototypeSplit(RegExpPrototypeSymbolReplace(/[\t\r\n]/g, classes, () => ' '), ' ');
      if (ArrayPrototypeIncludes(words, wanted)) return true;
    }
    return false;
  }

  length() {
    return Selection.count(this);
  }
}
const ABSENT = ['data', 'serialize', 'serializeArray', 'serializeObject', 'toArray', 'val'];
for (let i = 0; i < ABSENT.length; i += 1) setOwn(RawSelection.prototype, ABSENT[i], undefined);

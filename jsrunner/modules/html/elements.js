// jsrunner:html/elements — nodes as in k6: read-only, with the DOM's properties as methods.
// @ts-check
import { load } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import {
  ArrayFromSafe, ArrayPrototypeFind, ArrayPrototypeMap, ArrayPrototypePush, ObjectCreate, ObjectGetPrototypeOf,
  ObjectPrototype, RegExpPrototypeExec, SafeArray, StringPrototypeSlice, StringPrototypeToUpperCase, isInstance,
} from 'jsrunner:primordials';
import { asText, defineMethods, setOwn } from 'jsrunner:values';

// Element and Selection need each other. A circular import would be compiled anew for each VU, so this one is late.
/** @type {typeof import('jsrunner:html/selection').Selection} */
let Selection;
export const setSelection = (theClass) => {
  Selection = theClass;
};

// The DOM's numbers of node types.
const ELEMENT = 1;
const TEXT = 3;
const COMMENT = 8;

const NAMESPACES = { __proto__: null, svg: 'http://www.w3.org/2000/svg', math: 'http://www.w3.org/1998/Math/MathML' };
const namespaceURI = (prefix) => NAMESPACES[prefix] ?? 'http://www.w3.org/1999/xhtml';

/** An attribute as a node. */
class Attribute {
  owner_element;
  name;
  value;
  #prefix;
  /** `described` is [prefix, name, value]. */
  constructor(element, described) {
    this.#prefix = described[0];
    this.owner_element = element;
    this.name = described[1];
    this.value = described[2];
  }

  prefix() {
    return this.#prefix;
  }

  localName() {
    return this.name;
  }

  namespaceURI() {
    return namespaceURI(this.#prefix);
  }
}

export class Element {
  #selection;
  #type;
  #name;
  #namespace;
  #attributes;

  /** `described` is [type, name, namespace]. */
  constructor(selection, described) {
    this.#selection = selection;
    this.#type = described[0];
    this.#name = described[1];
    this.#namespace = described[2];
  }

  #all() {
    this.#attributes ??= host('html.attributes', Selection.pageOf(this.#selection).handle, numberOf(this));
    return this.#attributes;
  }

  #find(name) {
    return ArrayPrototypeFind(this.#all(), (attribute) => attribute[1] === name);
  }

  #relatives(relation) {
    return Selection.related(this.#selection, relation);
  }

  #neighbour(relation) {
    return elementOf(this.#relatives(relation));
  }

  selection() {
    return this.#selection;
  }

  nodeName() {
    return this.#name;
  }

  nodeType() {
    return this.#type;
  }

  nodeValue() {
    return this.#type === TEXT || this.#type === COMMENT ? this.textContent() : undefined;
  }

  textContent() {
    return this.#selection.text();
  }

  innerHTML() {
    return this.#selection.html();
  }

  toString() {
    return this.#type === ELEMENT ? '[object html.Node]' : '[object ' + this.#name + ']';
  }

  namespaceURI() {
    return namespaceURI(this.#namespace);
  }

  isDefaultNamespace() {
    return this.#namespace === '';
  }

  // -- attributes ----------------------------------------------------------------------------------

  attributes() {
    const all = this.#all();
    const attributes = ObjectCreate(ObjectPrototype);
    for (let i = 0; i < all.length; i += 1) setOwn(attributes, all[i][1], new Attribute(this, all[i]));
    return attributes;
  }

  getAttribute(name) {
    const found = this.#find(asText(name));
    return found && found[2];
  }

  getAttributeNode(name) {
    const found = this.#find(asText(name));
    return found && new Attribute(this, found);
  }

  hasAttribute(name) {
    return this.#find(asText(name)) !== undefined;
  }

  hasAttributes() {
    return this.#all().length > 0;
  }

  id() {
    return this.getAttribute('id') ?? '';
  }

  className() {
    return this.getAttribute('class');
  }

  classList() {
    const words = SafeArray();
    const word = /\S+/g;
    const all = asText(this.getAttribute('class'));
    for (let found = RegExpPrototypeExec(word, all); found; found = RegExpPrototypeExec(word, all)) {
      ArrayPrototypePush(words, found[0]);
    }
    return ArrayFromSafe(words);
  }

  lang() {
    const found = this.#find('lang');
    return found && found[0] === '' ? found[2] : undefined;
  }

  // -- the tree ------------------------------------------------------------------------------------

  ownerDocument() {
    return elementOf(new Selection(Selection.pageOf(this.#selection), [0]));
  }

  parentNode() {
    return this.#neighbour('parentNode');
  }

  parentElement() {
    return this.#neighbour('parent');
  }

  previousSibling() {
    return this.#neighbour('previousSibling');
  }

  nextSibling() {
    return this.#neighbour('nextSibling');
  }

  previousElementSibling() {
    return this.#neighbour('prev');
  }

  nextElementSibling() {
    return this.#neighbour('next');
  }

  childNodes() {
    return elementsOf(this.#relatives('contents'));
  }

  hasChildNodes() {
    return Selection.count(this.#relatives('contents')) > 0;
  }

  firstChild() {
    return elementOf(this.#relatives('contents'));
  }

  lastChild() {
    return elementOf(Selection.nth(this.#relatives('contents'), -1));
  }

  children() {
    return elementsOf(this.#relatives('children'));
  }

  childElementCount() {
    return Selection.count(this.#relatives('children'));
  }

  firstElementChild() {
    return elementOf(this.#relatives('children'));
  }

  lastElementChild() {
    return elementOf(Selection.nth(this.#relatives('children'), -1));
  }

  // -- searches and comparisons --------------------------------------------------------------------

  getElementsByClassName(name) {
    return elementsOf(Selection.below(this.#selection, '.' + asText(name)));
  }

  getElementsByTagName(name) {
    return elementsOf(Selection.below(this.#selection, asText(name)));
  }

  querySelector(selector) {
    return elementOf(this.#selection.single(selector));
  }

  querySelectorAll(selector) {
    return elementsOf(Selection.below(this.#selection, asText(selector)));
  }

  matches(selector) {
    return Selection.matches(this.#selection, asText(selector));
  }

  contains(other) {
    return isPlainElement(other) && Selection.count(Selection.below(this.#selection, other)) > 0;
  }

  isSameNode(other) {
    return isPlainElement(other) && Selection.pageOf(other.selection()) === Selection.pageOf(this.#selection)
      && numberOf(other) === numberOf(this);
  }

  isEqualNode(other) {
    return isPlainElement(other) && this.innerHTML() === other.innerHTML();
  }
}

/** Return true if k6 accepts the value as an element in arguments. It does not accept elements with special methods. */
export const isPlainElement = (value) => isInstance(Element, value) && ObjectGetPrototypeOf(value) === Element.prototype;

/** Return the number by which Python knows the node. */
export const numberOf = (element) => Selection.nodesOf(element.selection())[0];

// Elements whose type in k6 is not named after their tag.
const NAMES = {
  __proto__: null,
  a: 'Anchor', col: 'TableCol', datalist: 'DataList', fieldset: 'FieldSet', iframe: 'IFrame', img: 'Image', ol: 'OList',
  optgroup: 'OptGroup', tbody: 'TableBody', td: 'TableDataCell', textarea: 'TextArea', tfoot: 'TableFoot',
  th: 'TableHeaderCell', thead: 'TableHead', tr: 'TableRow', ul: 'UList',
};

/** Return Go's name of the element's type. */
export const goName = (element) => {
  if (isPlainElement(element)) return 'html.Element';
  const name = element.nodeName();
  const written = NAMES[name]
    ?? StringPrototypeToUpperCase(StringPrototypeSlice(name, 0, 1)) + StringPrototypeSlice(name, 1);
  return 'html.' + written + 'Element';
};

/** A function that html/kinds.js sets. The first element loads that module. */
let methodsOf;
export const setMethods = (find) => {
  methodsOf = find;
};

/** Tag name -> class. @type {Record<string, typeof Element>} */
const classes = { __proto__: null };
const classOf = (name) => {
  if (!classes[name]) {
    if (!methodsOf) load('jsrunner:html/kinds');
    const methods = methodsOf(name);
    classes[name] = methods ? class extends Element {} : Element;
    if (methods) defineMethods(classes[name].prototype, methods);
  }
  return classes[name];
};

/** Return the elements of a selection's nodes. */
export const elementsOf = (selection) => {
  const page = Selection.pageOf(selection);
  const nodes = Selection.nodesOf(selection);
  if (nodes.length === 0) return ArrayFromSafe(SafeArray());
  const described = host('html.describe', page.handle, nodes);
  return ArrayFromSafe(ArrayPrototypeMap(described, (description, index) => {
    const Class = description[0] === ELEMENT ? classOf(description[1]) : Element;
    return new Class(new Selection(page, [nodes[index]], selection), description);
  }));
};

/** Return the element of the first node; undefined if there is none. */
export const elementOf = (selection) => {
  const count = Selection.count(selection);
  if (count === 0) return undefined;
  return elementsOf(count > 1 ? Selection.nth(selection, 0) : selection)[0];
};

// -- functions of selections for html/kinds.js ---------------------------------------------------

/** Return the nodes below an element or a selection that match a selector. */
export const below = (owner, selector) => Selection.below(selectionOf(owner), selector);
/** Return the relatives of an element or a selection that match a selector. */
export const related = (owner, relation, selector) => Selection.related(selectionOf(owner), relation, selector);
export const closest = (element, selector) => Selection.closest(selectionOf(element), selector);
export const joined = (selection, other) => Selection.joined(selection, other);
export const count = (selection) => Selection.count(selection);
export const attributeOf = (selection, name) => Selection.attributeOf(selection, name);
export const fieldOf = (selection) => Selection.fieldOf(selection);
export const placeOf = (selection, other) => Selection.placeOf(selection, other);
/** Return the document's nodes that match a selector. */
export const search = (owner, selector) => (
  Selection.below(Selection.nth(Selection.related(selectionOf(owner), 'parents'), -1), selector)
);

const selectionOf = (owner) => (isInstance(Element, owner) ? owner.selection() : owner);

// jsrunner:html/elements — nodes as k6 shows them: the DOM's properties as methods, read-only.
// @ts-check
import { load } from 'jsrunner:globals/environment';
import { host } from 'jsrunner:host';

// The two classes need each other; modules that do are compiled anew for each VU.
/** @type {typeof import('jsrunner:html/selection').Selection} */
let Selection;
export const setSelection = (theClass) => {
  Selection = theClass;
};

// The DOM's numbers of node types.
const ELEMENT = 1;
const TEXT = 3;
const COMMENT = 8;

const NAMESPACES = { svg: 'http://www.w3.org/2000/svg', math: 'http://www.w3.org/1998/Math/MathML' };
const namespaceURI = (prefix) => NAMESPACES[prefix] ?? 'http://www.w3.org/1999/xhtml';

const text = (value) => (value === undefined || value === null ? '' : String(value));

/** An attribute as a node of its own. */
class Attribute {
  #prefix;
  constructor(element, [prefix, name, value]) {
    this.#prefix = prefix;
    this.owner_element = element;
    this.name = name;
    this.value = value;
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

  constructor(selection, [type, name, namespace]) {
    this.#selection = selection;
    this.#type = type;
    this.#name = name;
    this.#namespace = namespace;
  }

  #all() {
    this.#attributes ??= host('html.attributes', Selection.pageOf(this.#selection).handle, numberOf(this));
    return this.#attributes;
  }

  #find(name) {
    return this.#all().find((attribute) => attribute[1] === name);
  }

  #neighbour(relation) {
    return elementOf(Selection.related(this.#selection, relation));
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
    return this.#type === ELEMENT ? '[object html.Node]' : '[object ' + String(this.#name) + ']';
  }

  namespaceURI() {
    return namespaceURI(this.#namespace);
  }

  isDefaultNamespace() {
    return this.#namespace === '';
  }

  // -- attributes ----------------------------------------------------------------------------------

  attributes() {
    return Object.fromEntries(this.#all().map((attribute) => [attribute[1], new Attribute(this, attribute)]));
  }

  getAttribute(name) {
    return this.#find(text(name))?.[2];
  }

  getAttributeNode(name) {
    const found = this.#find(text(name));
    return found && new Attribute(this, found);
  }

  hasAttribute(name) {
    return this.#find(text(name)) !== undefined;
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
    return text(this.className()).split(/\s+/).filter((name) => name !== '');
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
    return elementsOf(this.#selection.contents());
  }

  hasChildNodes() {
    return this.#selection.contents().size() > 0;
  }

  firstChild() {
    return elementOf(this.#selection.contents());
  }

  lastChild() {
    return elementOf(this.#selection.contents().last());
  }

  children() {
    return elementsOf(this.#selection.children());
  }

  childElementCount() {
    return this.#selection.children().size();
  }

  firstElementChild() {
    return elementOf(this.#selection.children());
  }

  lastElementChild() {
    return elementOf(this.#selection.children().last());
  }

  // -- searches and comparisons --------------------------------------------------------------------

  getElementsByClassName(name) {
    return elementsOf(this.#selection.find('.' + text(name)));
  }

  getElementsByTagName(name) {
    return elementsOf(this.#selection.find(text(name)));
  }

  querySelector(selector) {
    return elementOf(this.#selection.single(selector));
  }

  querySelectorAll(selector) {
    return elementsOf(this.#selection.find(text(selector)));
  }

  matches(selector) {
    return this.#selection.is(text(selector));
  }

  contains(other) {
    return isPlainElement(other) && this.#selection.find(other).size() > 0;
  }

  isSameNode(other) {
    return isPlainElement(other) && Selection.pageOf(other.selection()) === Selection.pageOf(this.#selection)
      && numberOf(other) === numberOf(this);
  }

  isEqualNode(other) {
    return isPlainElement(other) && this.innerHTML() === other.innerHTML();
  }
}

/** Whether k6 takes the value for an element in arguments: those with methods of their own it does not. */
export const isPlainElement = (value) => value instanceof Element && value.constructor === Element;

/** The number by which Python knows the node. */
export const numberOf = (element) => Selection.nodesOf(element.selection())[0];

// The kinds that k6 does not call by their tags.
const NAMES = {
  a: 'Anchor', col: 'TableCol', datalist: 'DataList', fieldset: 'FieldSet', iframe: 'IFrame', img: 'Image', ol: 'OList',
  optgroup: 'OptGroup', tbody: 'TableBody', td: 'TableDataCell', textarea: 'TextArea', tfoot: 'TableFoot',
  th: 'TableHeaderCell', thead: 'TableHead', tr: 'TableRow', ul: 'UList',
};

/** What Go calls the element's type. */
export const goName = (element) => {
  if (isPlainElement(element)) return 'html.Element';
  const name = element.nodeName();
  return 'html.' + String(NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1)) + 'Element';
};

/** What html/kinds.js gives to this module when it is loaded, for the first element. */
let methodsOf;
export const setMethods = (find) => {
  methodsOf = find;
};

/** @type {Record<string, typeof Element>} by tag name */
const classes = {};
const classOf = (name) => {
  if (!Object.hasOwn(classes, name)) {
    if (!methodsOf) load('jsrunner:html/kinds');
    const methods = methodsOf(name);
    if (!methods) {
      classes[name] = Element;
    } else {
      classes[name] = class extends Element {};
      for (const [key, value] of Object.entries(methods)) {
        Object.defineProperty(classes[name].prototype, key, { value, writable: true, configurable: true });
      }
    }
  }
  return classes[name];
};

/** The elements of a selection's nodes. */
export const elementsOf = (selection) => {
  const page = Selection.pageOf(selection);
  const nodes = Selection.nodesOf(selection);
  if (!nodes.length) return [];
  return host('html.describe', page.handle, nodes).map((description, index) => {
    const [type, name] = description;
    const Class = type === ELEMENT ? classOf(name) : Element;
    return new Class(new Selection(page, [nodes[index]], selection), description);
  });
};

/** The element of the first node; undefined if there is none. */
export const elementOf = (selection) => {
  const nodes = Selection.nodesOf(selection);
  return elementsOf(nodes.length > 1 ? selection.first() : selection)[0];
};

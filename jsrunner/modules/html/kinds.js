// jsrunner:html/kinds — the methods of HTML elements, beyond those of all elements, by tag names.
// The first element loads it.
// @ts-check
import { host } from 'jsrunner:host';
import {
  attributeOf, below, closest, count, elementOf, elementsOf, fieldOf, joined, placeOf, related, search, setMethods,
} from 'jsrunner:html/elements';
import {
  RegExpPrototypeSymbolReplace, StringPrototypeToLowerCase, encodeURIComponent,
} from 'jsrunner:more_primordials';
import {
  ArrayFromSafe, ArrayPrototypeIncludes, Number, RegExpPrototypeExec, SafeArray, StringPrototypeSplit,
} from 'jsrunner:primordials';

/** @typedef {import('jsrunner:html/elements').Element} Element */

// -- makers of methods ---------------------------------------------------------------------------------

/** Make methods: `names` is a text with their names, and `make(name in lower case)` returns a method. */
const each = (names, make) => {
  const methods = { __proto__: null };
  const all = StringPrototypeSplit(names, ' ');
  for (let i = 0; i < all.length; i += 1) methods[all[i]] = make(StringPrototypeToLowerCase(all[i]));
  return methods;
};

/** Return a method that returns the attribute as text, "" if it is missing. */
const string = (attribute) => function read() {
  return this.getAttribute(attribute) ?? '';
};
const flag = (attribute) => function read() {
  return this.hasAttribute(attribute);
};
const integerOf = (element, attribute, otherwise) => {
  const value = element.getAttribute(attribute) ?? '';
  return RegExpPrototypeExec(/^[+-]?\d+$/, value) ? Number(value) : otherwise;
};
const integer = (attribute, otherwise) => function read() {
  return integerOf(this, attribute, otherwise);
};
/** Return a method that returns the attribute as an address, resolved against the page's address. */
const address = (attribute, otherwise = () => '') => function read() {
  const value = this.getAttribute(attribute);
  const base = this.selection().url;
  if (base === '') return value ?? '';
  return (value === undefined ? undefined : host('html.resolve', base, value)) ?? otherwise(base);
};
/** Return a method that returns the attribute if it is one of the words, else the first word. */
const choice = (attribute, options) => function read() {
  const value = this.getAttribute(attribute);
  return ArrayPrototypeIncludes(options, value) ? value : options[0];
};
const optionalChoice = (attribute, options) => function read() {
  const value = this.getAttribute(attribute);
  return ArrayPrototypeIncludes(options, value) ? value : undefined;
};
const constant = (value) => () => value;

const strings = (names) => each(names, string);
const flags = (names) => each(names, flag);
const addresses = (names) => each(names, (attribute) => address(attribute));
const integers = (names, otherwise) => each(names, (attribute) => integer(attribute, otherwise));

const found = (selector) => function find() {
  return elementsOf(below(this, selector));
};
const countOf = (selector) => function measure() {
  return count(below(this, selector));
};
const content = function textContent() {
  return this.textContent();
};
const list = (attribute) => function split() {
  const value = this.getAttribute(attribute) ?? '';
  return ArrayFromSafe(value === '' ? SafeArray() : StringPrototypeSplit(value, ' '));
};

// -- forms ---------------------------------------------------------------------------------------------

const ownerForm = (element) => {
  const around = closest(element, 'form');
  if (count(around)) return around;
  const id = element.getAttribute('form') ?? '';
  return id === '' ? around : search(element, '#' + id);
};
const owned = {
  form() {
    return elementOf(ownerForm(this));
  },
};
const labelled = {
  labels() {
    const around = closest(this, 'label');
    const id = this.id();
    return elementsOf(id === '' ? around : joined(around, search(this, 'label[for="' + id + '"]')));
  },
};

/** Return an attribute of the form, or the attribute by which a button or a field overrides it. */
const submission = (element, name) => element.getAttribute('form' + name)
  ?? attributeOf(ownerForm(element), name);

const FORM_FIELD = () => ({
  ...owned,
  ...labelled,
  ...strings('name'),
  formAction() {
    const action = submission(this, 'action') ?? '';
    const page = this.selection().url;
    if (page === '') return action;
    return action === '' ? page : host('html.resolve', page, action) ?? action;
  },
  formEnctype() {
    const type = submission(this, 'enctype');
    return type === 'multipart/form-data' || type === 'text/plain' ? type : 'application/x-www-form-urlencoded';
  },
  formMethod() {
    return StringPrototypeToLowerCase(submission(this, 'method') ?? '') === 'post' ? 'post' : 'get';
  },
  formNoValidate() {
    return submission(this, 'novalidate') !== undefined;
  },
  formTarget() {
    return submission(this, 'target') ?? '';
  },
});

const ENCODINGS = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const INPUT_TYPES = ['text', 'button', 'checkbox', 'color', 'date', 'datetime-local', 'email', 'file', 'hidden', 'image',
  'month', 'number', 'password', 'radio', 'range', 'reset', 'search', 'submit', 'tel', 'time', 'url', 'week'];
const WITHOUT_LIST = ['hidden', 'checkbox', 'radio', 'file', 'button'];
const REFERRER_POLICIES = ['', 'no-referrer', 'no-referrer-when-downgrade', 'origin', 'origin-when-cross-origin',
  'unsafe-url'];
const CROSS_ORIGINS = ['anonymous', 'use-credentials'];
const FORM_ELEMENTS = 'input,select,button,textarea,fieldset';

const referrerPolicy = () => ({ referrerPolicy: choice('referrerpolicy', REFERRER_POLICIES) });
const crossOrigin = () => ({ crossOrigin: optionalChoice('crossorigin', CROSS_ORIGINS) });
const autocomplete = () => ({ autocomplete: choice('autocomplete', ['on', 'off']) });

/** A method that returns the attribute `value`, or else the element's text. */
const value = {
  value() {
    return this.getAttribute('value') ?? this.innerHTML();
  },
};

/** Return the index of the element among the elements of its container that match the selector. */
const position = (element, container, selector, otherwise) => {
  const around = related(element, 'parents', container);
  return count(around) ? placeOf(below(around, selector), element.selection()) : otherwise;
};

const FORMS = {
  button: () => ({
    ...FORM_FIELD(),
    ...value,
    ...strings('accessKey'),
    ...flags('autofocus disabled'),
    ...integers('tabIndex', 0),
    type: choice('type', ['submit', 'button', 'menu', 'reset']),
  }),
  datalist: () => ({ options: found('option') }),
  fieldset: () => ({
    ...owned,
    ...strings('name'),
    ...flags('disabled'),
    elements: found('input,select,button,textarea'),
    type: constant('fieldset'),
    validity: constant(undefined),
  }),
  form: () => ({
    ...strings('name target'),
    ...flags('noValidate'),
    ...addresses('action'),
    ...autocomplete(),
    acceptCharset: string('accept-charset'),
    elements: found(FORM_ELEMENTS),
    encoding: choice('enctype', ENCODINGS),
    enctype: choice('enctype', ENCODINGS),
    length: countOf(FORM_ELEMENTS),
    method: choice('method', ['get', 'post']),
  }),
  input: () => ({
    ...FORM_FIELD(),
    ...strings('accept accessKey alt dirName height max min pattern placeholder step value width'),
    ...flags('autofocus checked disabled multiple readonly required'),
    ...addresses('src'),
    ...integers('size tabIndex', 0),
    ...integers('maxLength', -1),
    ...autocomplete(),
    defaultChecked: flag('checked'),
    defaultValue: string('value'),
    list() {
      const id = this.getAttribute('list') ?? '';
      if (id === '' || ArrayPrototypeIncludes(WITHOUT_LIST, this.getAttribute('type'))) return undefined;
      return elementOf(search(this, 'datalist[id="' + id + '"]'));
    },
    type: choice('type', INPUT_TYPES),
  }),
  keygen: () => ({
    ...owned,
    ...labelled,
    ...strings('challenge name'),
    ...flags('autofocus disabled'),
    keytype: choice('keytype', ['RSA', 'DSA', 'EC']),
    type: constant('keygen'),
  }),
  label: () => ({
    ...owned,
    control() {
      const id = this.getAttribute('for');
      return id === undefined ? undefined : elementOf(search(this, '#' + id));
    },
    htmlFor: string('for'),
  }),
  legend: () => ({ ...owned, ...strings('accessKey') }),
  meter: () => ({ ...labelled, ...integers('high low max min optimum', 0) }),
  optgroup: () => ({ ...strings('label'), ...flags('disabled') }),
  option: () => ({
    ...value,
    ...flags('selected'),
    defaultSelected: flag('selected'),
    disabled() {
      return this.hasAttribute('disabled') || attributeOf(related(this, 'parents', 'optgroup'), 'disabled') !== undefined;
    },
    form() {
      const around = related(this, 'parents', 'form');
      if (count(around)) return elementOf(around);
      const select = related(this, 'parents', 'select');
      const id = attributeOf(select, 'form');
      return id === undefined ? undefined : elementOf(search(select, 'form#' + id));
    },
    index() {
      return position(this, 'select,datalist', 'option', 0);
    },
    label() {
      return this.getAttribute('label') ?? this.textContent();
    },
    text: content,
  }),
  output: () => ({
    ...owned,
    ...labelled,
    ...strings('name'),
    defaultValue: content,
    htmlFor: string('for'),
    type: constant('output'),
    value: content,
  }),
  progress: () => {
    const float = (text) => (
      RegExpPrototypeExec(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, text ?? '') ? Number(text) : NaN
    );
    const max = (element) => {
      const limit = float(element.getAttribute('max'));
      return limit >= 0 ? limit : 1;
    };
    const share = (otherwise) => function divide() {
      const done = float(this.getAttribute('value'));
      return done >= 0 ? done / max(this) : otherwise;
    };
    return {
      ...labelled,
      max() {
        return max(this);
      },
      position: share(-1),
      value: share(0),
    };
  },
  select: () => ({
    ...owned,
    ...labelled,
    ...strings('name'),
    ...flags('autofocus disabled multiple required'),
    ...integers('tabIndex', 0),
    length: countOf('option'),
    options: found('option'),
    selectedIndex() {
      return placeOf(below(this, 'option'), below(this, 'option[selected]'));
    },
    selectedOptions: found('option[selected]'),
    size() {
      return this.hasAttribute('multiple') ? 4 : 1;
    },
    type() {
      return this.hasAttribute('multiple') ? 'select-multiple' : 'select';
    },
    value() {
      return fieldOf(below(this, 'option[selected]')) ?? '';
    },
  }),
  textarea: () => ({
    ...owned,
    ...labelled,
    ...strings('accessKey placeholder value'),
    ...flags('readOnly required'),
    ...integers('cols maxLength rows tabIndex', 0),
    ...autocomplete(),
    autocapitalize: choice('autocapitalize', ['sentences', 'none', 'off', 'characters', 'words']),
    defaultValue: string('value'),
    length() {
      return RegExpPrototypeSymbolReplace(/%../g, encodeURIComponent(this.value()), () => '.').length;
    },
    type: constant('textarea'),
    wrap: choice('wrap', ['soft', 'hard', 'off']),
  }),
};

// -- links ---------------------------------------------------------------------------------------------

const HREF = () => ({
  ...strings('accessKey download hrefLang rel target type'),
  ...addresses('href'),
  ...referrerPolicy(),
  ...each('hash host hostname origin password pathname port protocol search username', (part) => function read() {
    return host('html.link', this.selection().url, this.getAttribute('href') ?? null)[part];
  }),
  relList: list('rel'),
  text: content,
  toString: address('href'),
});

const LINKS = {
  a: HREF,
  area: HREF,
  base: () => ({ ...strings('target'), href: address('href', (page) => page) }),
  link: () => ({
    ...strings('hreflang media rel target type'),
    ...addresses('href'),
    ...crossOrigin(),
    ...referrerPolicy(),
    relList: list('rel'),
  }),
};

// -- media and other resources -------------------------------------------------------------------------

const MEDIA = () => ({
  ...strings('mediaGroup'),
  ...flags('autoplay controls loop muted'),
  ...addresses('src'),
  ...crossOrigin(),
  currentSrc: string('src'),
  defaultMuted: flag('muted'),
  preload: choice('preload', ['auto', 'metadata', 'none']),
  textTracks: found('track'),
});

const RESOURCES = {
  audio: MEDIA,
  canvas: () => integers('height width', 150),
  embed: () => strings('height src type width'),
  iframe: () => ({
    ...strings('height name width'),
    ...flags('allowfullscreen'),
    ...addresses('src'),
    ...referrerPolicy(),
  }),
  img: () => ({
    ...strings('alt name sizes srcset useMap'),
    ...flags('isMap'),
    ...integers('height width', 0),
    ...addresses('src'),
    ...crossOrigin(),
    ...referrerPolicy(),
    currentSrc: address('src'),
  }),
  map: () => ({
    ...strings('name'),
    areas: found('area'),
    images() {
      const id = this.getAttribute('id');
      if (id === undefined) return ArrayFromSafe(SafeArray());
      return elementsOf(search(this, 'img[usemap="#' + id + '"],object[usemap="#' + id + '"]'));
    },
  }),
  object: () => ({
    ...owned,
    ...strings('height name type useMap width'),
    ...flags('typeMustMatch'),
    ...integers('tabIndex', 0),
    ...addresses('data'),
  }),
  param: () => strings('name value'),
  script: () => ({
    ...strings('charset crossOrigin type'),
    ...flags('async defer noModule'),
    ...addresses('src'),
    text: content,
  }),
  source: () => strings('keySystem media sizes src srcset type'),
  style: () => ({
    ...strings('media'),
    type() {
      return this.getAttribute('type') || 'text/css';
    },
  }),
  track: () => ({
    ...strings('label srclang'),
    ...flags('default'),
    ...addresses('src'),
    kind: choice('kind', ['subtitle', 'captions', 'descriptions', 'chapters', 'metadata']),
  }),
  video: MEDIA,
};

// -- tables --------------------------------------------------------------------------------------------

const child = (name) => function first() {
  return elementOf(related(this, 'children', name));
};
const CELL = () => ({
  ...strings('headers'),
  ...integers('colSpan rowSpan', 1),
  cellIndex() {
    return position(this, 'tr', 'th,td', -1);
  },
});
const SECTION = () => ({ rows: found('tr') });

const TABLES = {
  col: () => ({
    span() {
      const span = integerOf(this, 'span', 1);
      return span < 1 ? 1 : span;
    },
  }),
  table: () => ({
    ...flags('sortable'),
    caption: child('caption'),
    rows: found('tr'),
    tBodies: found('tbody'),
    tFoot: child('tfoot'),
    tHead: child('thead'),
  }),
  tbody: SECTION,
  td: CELL,
  tfoot: SECTION,
  th: () => ({
    ...CELL(),
    ...strings('abbr'),
    ...flags('sorted'),
    scope: choice('scope', ['', 'row', 'col', 'colgroup', 'rowgroup']),
  }),
  thead: SECTION,
  tr: () => ({
    cells: found('th,td'),
    rowIndex() {
      return position(this, 'table', 'tr', -1);
    },
    sectionRowIndex() {
      return position(this, 'thead,tbody,tfoot', 'tr', -1);
    },
  }),
};

// -- text ----------------------------------------------------------------------------------------------

const EDIT = () => strings('cite datetime');

const TEXTS = {
  data: () => strings('value'),
  del: EDIT,
  ins: EDIT,
  li: () => ({
    ...integers('value', 0),
    type: choice('type', ['', '1', 'a', 'A', 'i', 'I', 'disc', 'square', 'circle']),
  }),
  meta: () => ({
    ...strings('content name'),
    httpEquiv: choice('http-equiv', ['content-type', 'default-style', 'refresh']),
  }),
  ol: () => ({
    ...flags('reversed'),
    ...integers('start', 0),
    type: choice('type', ['1', 'a', 'A', 'i', 'I']),
  }),
  pre: () => strings('name value'),
  quote: () => strings('cite'),
  time: () => strings('datetime'),
  title: () => ({ text: content }),
  ul: () => strings('type'),
};

const KINDS = {
  __proto__: null, ...FORMS, ...LINKS, ...RESOURCES, ...TABLES, ...TEXTS,
};

setMethods((name) => KINDS[name]?.());

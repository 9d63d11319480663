"""A parsed document: Lexbor's tree with the differences of Go's golang.org/x/net/html.

The parser is that of the HTML standard, with scripting on, so that the content of <noscript> is text.
As in Go, the content of a <template> are its children, and the attributes of foreign elements
(`xlink:href`) have a namespace and a local name.

`mem_id` identifies a node; `==` would compare the markup of nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = LexborNode

#: The most elements that Go's parser has open at once.
MOST_OPEN: Final = 512
#: The selector of elements that have as many ancestors.
_TOO_DEEP: Final = " > ".join(["*"] * (MOST_OPEN + 1))

# The DOM standard's numbers of node types.
ELEMENT: Final = 1
TEXT: Final = 3
COMMENT: Final = 8
DOCUMENT: Final = 9
DOCTYPE: Final = 10

_KINDS: Final = {
    "-text": TEXT,
    "-comment": COMMENT,
    "-document": DOCUMENT,
    "-doctype": DOCTYPE,
    None: COMMENT,  # a processing instruction, which is a comment to older parsers
}

_NAMESPACED: Final = frozenset(
    {"xml:lang", "xml:space", "xmlns:xlink"}
    | {f"xlink:{name}" for name in ("actuate", "arcrole", "href", "role", "show", "title", "type")}
)
_HTML_IN_SVG: Final = frozenset({"desc", "foreignObject", "title"})
_TEXT_IN_MATH: Final = frozenset({"mi", "mn", "mo", "ms", "mtext"})


class TooDeepError(ValueError):
    """The elements of a document are nested more deeply than Go's parser allows."""


class Attribute(NamedTuple):
    """An attribute of an element. `namespace` is "" unless the element is foreign."""

    namespace: str
    name: str
    value: str


class Tree:
    """A document. Its nodes live as long as this object.

    Args:
        source: The markup.

    Raises:
        TooDeepError: The elements are nested too deeply.
    """

    def __init__(self, source: bytes) -> None:
        self._parser = LexborHTMLParser(source, scripting=True)
        html = self._parser.root
        assert html is not None
        assert html.parent is not None
        self.document: Node = html.parent
        #: The nodes by number; the document is 0.
        self.nodes: list[Node] = [self.document]
        self._numbers = {self.document.mem_id: 0}
        #: True if there is SVG or MathML, whose names have upper-case letters and namespaces.
        self.foreign = self._parser.css_first("svg, math") is not None
        #: The contents of templates by the template's mem_id.
        self._contents: dict[int, Node] = {}
        #: The templates by their content's mem_id.
        self._templates: dict[int, Node] = {}
        may_be_deep = source.count(b"<") > MOST_OPEN - 3  # the parser adds html, head and body
        if may_be_deep and self._parser.css_first(_TOO_DEEP) is not None:
            raise TooDeepError
        if self._parser.css_first("template") is not None:
            self._adopt_templates(html)

    def _adopt_templates(self, node: Node, depth: int = 0) -> None:
        """Make the contents of all templates below a node their children."""
        if depth > MOST_OPEN:
            raise TooDeepError
        for content in node.template_fragments():
            template = content.parent
            assert template is not None
            self._contents[template.mem_id] = content
            self._templates[content.mem_id] = template
            self._adopt_templates(content, depth + 1)

    @property
    def has_templates(self) -> bool:
        """True if the document has templates. Lexbor's own search and text skip their contents."""
        return bool(self._contents)

    # -- numbers -----------------------------------------------------------------------------------

    def number(self, node: Node) -> int:
        """Return the node's index in `nodes`; append the node the first time."""
        number = self._numbers.setdefault(node.mem_id, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
        return number

    # -- neighbours --------------------------------------------------------------------------------

    def parent(self, node: Node) -> Node | None:
        """Return the parent of a node."""
        parent = node.parent
        if parent is not None and self._templates:
            return self._templates.get(parent.mem_id, parent)
        return parent

    def first_child(self, node: Node) -> Node | None:
        """Return the first child of a node."""
        return self._inside(node).first_child

    def last_child(self, node: Node) -> Node | None:
        """Return the last child of a node."""
        return self._inside(node).last_child

    def _inside(self, node: Node) -> Node:
        return self._contents.get(node.mem_id, node) if self._contents else node

    def children(self, node: Node) -> Iterator[Node]:
        """Yield the children of a node."""
        child = self.first_child(node)
        while child is not None:
            yield child
            child = child.next

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Yield the ancestors of a node, from its parent to the document."""
        ancestor = self.parent(node)
        while ancestor is not None:
            yield ancestor
            ancestor = self.parent(ancestor)

    def descendants(self, node: Node) -> Iterator[Node]:
        """Yield all nodes below a node, in document order."""
        top, current = node.mem_id, self.first_child(node)
        while current is not None:
            yield current
            following = self.first_child(current)
            while following is None:
                following = current.next
                if following is None:
                    above = self.parent(current)
                    if above is None or above.mem_id == top:
                        return
                    current = above
            current = following

    # -- kinds, names and attributes ---------------------------------------------------------------

    @staticmethod
    def kind(node: Node) -> int:
        """Return the type of a node, as the DOM standard numbers it."""
        return _KINDS.get(node.tag, ELEMENT)

    def name(self, node: Node) -> str:
        """Return the name of an element or a document type; `#text` and the like for other nodes."""
        kind = self.kind(node)
        if kind == ELEMENT:
            return node.tag or ""
        if kind == DOCTYPE:
            return doctype(node)[0]
        return {TEXT: "#text", COMMENT: "#comment"}.get(kind, "#document")

    def namespace(self, node: Node) -> str:
        """Return the namespace of an element: `svg`, `math`, or "" for HTML."""
        if not self.foreign or self.kind(node) != ELEMENT:
            return ""
        if node.tag in ("svg", "math"):
            return str(node.tag)
        above = self.parent(node)
        outer = self.namespace(above) if above is not None else ""
        if above is None or not outer:
            return ""
        if outer == "svg":
            return "" if above.tag in _HTML_IN_SVG else outer
        if above.tag in _TEXT_IN_MATH and node.tag not in ("mglyph", "malignmark"):
            return ""
        if above.tag == "annotation-xml":
            encoding = (self.attribute(above, "encoding") or "").lower()
            return "" if encoding in ("text/html", "application/xhtml+xml") else outer
        return outer

    def attributes(self, node: Node) -> list[Attribute]:
        """Return the attributes of an element, in the order of the source."""
        values = node.attributes
        if not self.foreign or not _NAMESPACED.intersection(values):
            return [Attribute("", name, value or "") for name, value in values.items()]
        foreign = bool(self.namespace(node))
        return [
            Attribute(*_split(name) if foreign else ("", name), value or "")
            for name, value in values.items()
        ]

    def attribute(self, node: Node, name: str) -> str | None:
        """Return the value of the first attribute of a name, in any namespace, or None."""
        if not self.foreign:
            values = node.attributes
            return (values[name] or "") if name in values else None
        same_name = (attribute for attribute in self.attributes(node) if attribute.name == name)
        return next((attribute.value for attribute in same_name), None)

    # -- text --------------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """Return all text in a node, with that of scripts and styles."""
        if self.kind(node) == TEXT:
            return node.text_content or ""
        if not self._contents:
            return node.text()
        return "".join(
            below.text_content or "" for below in self.descendants(node) if below.tag == "-text"
        )

    def own_text(self, node: Node) -> str:
        """Return the text of a node's own children."""
        return "".join(
            child.text_content or "" for child in self.children(node) if child.tag == "-text"
        )


def _split(name: str) -> tuple[str, str]:
    """Split an attribute's name into namespace and local name."""
    if name in _NAMESPACED:
        prefix, _, local = name.partition(":")
        return prefix, local
    return "", name


def comment(node: Node) -> str:
    """Return the text of a comment or of a processing instruction, without its delimiters."""
    markup = node.html or ""
    return markup[4:-3] if node.tag else markup[1:-1]


def doctype(node: Node) -> tuple[str, str, str]:
    """Return the name, the public and the system identifier of a document type."""
    markup = (node.html_pretty(full_doctype=True) or "").strip().removeprefix("<!DOCTYPE")
    name, _, rest = markup[:-1].strip().partition(" ")
    word, _, rest = rest.partition(" ")
    first, _, second = rest[1:-1].partition('" "')
    return (name, first, second) if word == "PUBLIC" else (name, "", first)

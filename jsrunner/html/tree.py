"""A parsed document: Lexbor's tree, read as Go's golang.org/x/net/html would have built it.

The parser is the HTML standard's (with scripting on: what is in <noscript> is text). Two things are
turned back into what Go does: the content of a <template> hangs below it like any children, and the
attributes of foreign elements (`xlink:href`) have a namespace and a local name.

Nodes are told apart by `mem_id`; comparing them with `==` would compare their markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = LexborNode

#: So many elements Go's parser has open at most.
MOST_OPEN: Final = 512
#: Finds elements that have as many above them.
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
    """A document has more elements in each other than Go's parser would open."""


class Attribute(NamedTuple):
    namespace: str
    name: str
    value: str


class Tree:
    """A document. Its nodes live as long as this object, which numbers those that are asked for."""

    def __init__(self, source: bytes) -> None:
        """Raises TooDeepError."""
        self._parser = LexborHTMLParser(source, scripting=True)
        html = self._parser.root
        assert html is not None
        assert html.parent is not None
        self.document: Node = html.parent
        #: Nodes by number; the document is 0.
        self.nodes: list[Node] = [self.document]
        self._numbers = {self.document.mem_id: 0}
        #: Whether there is SVG or MathML, whose names have upper-case letters and namespaces.
        self.foreign = self._parser.css_first("svg, math") is not None
        #: The content of templates by the template's mem_id, and the way back.
        self._contents: dict[int, Node] = {}
        self._templates: dict[int, Node] = {}
        may_be_deep = source.count(b"<") > MOST_OPEN - 3  # three the parser adds: html, head, body
        if may_be_deep and self._parser.css_first(_TOO_DEEP) is not None:
            raise TooDeepError
        if self._parser.css_first("template") is not None:
            self._adopt_templates(html)

    def _adopt_templates(self, node: Node, depth: int = 0) -> None:
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
        """Whether some nodes are out of reach for Lexbor's own search and text."""
        return bool(self._contents)

    # -- numbers -----------------------------------------------------------------------------------

    def number(self, node: Node) -> int:
        """The node's number in `nodes`."""
        found = self._numbers.setdefault(node.mem_id, len(self.nodes))
        if found == len(self.nodes):
            self.nodes.append(node)
        return found

    # -- neighbours --------------------------------------------------------------------------------

    def parent(self, node: Node) -> Node | None:
        found = node.parent
        if found is not None and self._templates:
            return self._templates.get(found.mem_id, found)
        return found

    def first_child(self, node: Node) -> Node | None:
        return self._inside(node).first_child

    def last_child(self, node: Node) -> Node | None:
        return self._inside(node).last_child

    def _inside(self, node: Node) -> Node:
        return self._contents.get(node.mem_id, node) if self._contents else node

    def children(self, node: Node) -> Iterator[Node]:
        child = self.first_child(node)
        while child is not None:
            yield child
            child = child.next

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Parent, its parent and so on, the document last."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    def descendants(self, node: Node) -> Iterator[Node]:
        """All nodes below, in document order."""
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

    # -- what a node is ----------------------------------------------------------------------------

    @staticmethod
    def kind(node: Node) -> int:
        return _KINDS.get(node.tag, ELEMENT)

    def name(self, node: Node) -> str:
        """The tag's name, the document type's, or `#text` and the like."""
        kind = self.kind(node)
        if kind == ELEMENT:
            return node.tag or ""
        if kind == DOCTYPE:
            return doctype(node)[0]
        return {TEXT: "#text", COMMENT: "#comment"}.get(kind, "#document")

    def namespace(self, node: Node) -> str:
        """`svg`, `math` or, for HTML, nothing."""
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
        """In the order of the source."""
        found = node.attributes
        if not self.foreign or not _NAMESPACED.intersection(found):
            return [Attribute("", name, value or "") for name, value in found.items()]
        foreign = bool(self.namespace(node))
        return [
            Attribute(*_split(name) if foreign else ("", name), value or "")
            for name, value in found.items()
        ]

    def attribute(self, node: Node, name: str) -> str | None:
        """The value of the first attribute of that name, whatever its namespace."""
        if not self.foreign:
            found = node.attributes
            return (found[name] or "") if name in found else None
        return next((one.value for one in self.attributes(node) if one.name == name), None)

    # -- text --------------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """All text in the node, scripts and styles too."""
        if self.kind(node) == TEXT:
            return node.text_content or ""
        if not self._contents:
            return node.text()
        return "".join(
            below.text_content or "" for below in self.descendants(node) if below.tag == "-text"
        )

    def own_text(self, node: Node) -> str:
        """The text directly in the node."""
        return "".join(
            child.text_content or "" for child in self.children(node) if child.tag == "-text"
        )


def _split(name: str) -> tuple[str, str]:
    if name in _NAMESPACED:
        prefix, _, local = name.partition(":")
        return prefix, local
    return "", name


def comment(node: Node) -> str:
    """What is between the dashes; of a processing instruction what is between the brackets."""
    markup = node.html or ""
    return markup[4:-3] if node.tag else markup[1:-1]


def doctype(node: Node) -> tuple[str, str, str]:
    """Name, public identifier, system identifier."""
    markup = (node.html_pretty(full_doctype=True) or "").strip().removeprefix("<!DOCTYPE")
    name, _, rest = markup[:-1].strip().partition(" ")
    word, _, rest = rest.partition(" ")
    first, _, second = rest[1:-1].partition('" "')
    return (name, first, second) if word == "PUBLIC" else (name, "", first)

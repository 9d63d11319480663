"""What the pieces of a selector match, in the dialect of Go's cascadia.

Each piece is compiled to a test of one node, which is the truth, and to CSS for Lexbor's search,
which runs at C speed: that finds at least the same elements, and no others where it is `exact`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jsrunner.html.tree import COMMENT, DOCUMENT, ELEMENT, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jsrunner.html.tree import Node, Tree

    Test = Callable[[Tree, Node], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """A selector, or a piece of one."""

    #: Whether a node matches.
    test: Test
    #: CSS that finds all matching elements, and maybe others; "" finds all elements.
    css: str = ""
    #: Whether `css` finds nothing else.
    exact: bool = False
    #: Whether only elements match; else texts and comments may, too.
    elements_only: bool = True


def _is_element(tree: Tree, node: Node) -> bool:
    return tree.kind(node) == ELEMENT


EVERY_ELEMENT: Final = Part(_is_element, exact=True)
NOTHING: Final = Part(lambda tree, node: False)

# -- names, classes, attributes --------------------------------------------------------------------

_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_-]*\Z")
_SPACE: Final = re.compile(r"[ \t\r\n\f]")
_CSS_ESCAPE: Final = re.compile(r'["\\\n\r\f\0]')


def _css_string(text: str) -> str:
    return '"' + _CSS_ESCAPE.sub(lambda match: f"\\{ord(match[0]):x} ", text) + '"'


def tag(name: str) -> Part:
    """`name` is in lower case: the names of SVG with capitals are never matched."""

    def test(tree: Tree, node: Node) -> bool:
        return node.tag == name

    plain = bool(_PLAIN_NAME.match(name))
    return Part(test, css=name if plain else "", exact=plain)


def attribute(name: str, operator: str, value: str, *, ignore_case: bool) -> Part:
    """`[name]` (operator ""), `[name=value]` and so on; `name` is in lower case."""
    compare = _COMPARISONS[operator](value.lower() if ignore_case else value)

    def test(tree: Tree, node: Node) -> bool:
        found = tree.attribute(node, name)
        return found is not None and compare(found.lower() if ignore_case else found)

    if not _PLAIN_NAME.match(name):
        return Part(test)
    if operator == "":
        return Part(test, css=f"[{name}]", exact=True)
    # CSS finds nothing by an empty value, and folds other letters than ASCII's its own way.
    if not value.strip() or (operator == "~=" and _SPACE.search(value)):
        return Part(test, css=f"[{name}]")
    if ignore_case and not value.isascii():
        return Part(test, css=f"[{name}]")
    flag = "i" if ignore_case else "s"
    return Part(test, css=f"[{name}{operator}{_css_string(value)} {flag}]", exact=True)


def _equals(value: str) -> Callable[[str], bool]:
    return lambda found: found == value


def _includes(value: str) -> Callable[[str], bool]:
    return lambda found: found != "" and value in _SPACE.split(found)


def _begins(value: str) -> Callable[[str], bool]:
    return lambda found: found.strip() != "" and found.startswith(value)


def _ends(value: str) -> Callable[[str], bool]:
    return lambda found: found.strip() != "" and found.endswith(value)


def _contains(value: str) -> Callable[[str], bool]:
    return lambda found: found.strip() != "" and value in found


def _dashes(value: str) -> Callable[[str], bool]:
    return lambda found: found == value or found.startswith(value + "-")


_COMPARISONS: Final[dict[str, Callable[[str], Callable[[str], bool]]]] = {
    "": lambda value: lambda found: True,
    "=": _equals,
    "~=": _includes,
    "|=": _dashes,
    "^=": _begins,
    "$=": _ends,
    "*=": _contains,
}


def attribute_differs(name: str, value: str, *, ignore_case: bool) -> Part:
    """`[name!=value]`: the attribute has another value, or is not there."""
    wanted = value.lower() if ignore_case else value

    def test(tree: Tree, node: Node) -> bool:
        if tree.kind(node) != ELEMENT:
            return False
        found = tree.attribute(node, name)
        return found is None or (found.lower() if ignore_case else found) != wanted

    return Part(test)


def attribute_pattern(name: str, pattern: re.Pattern[str]) -> Part:
    """`[name#=pattern]`."""

    def test(tree: Tree, node: Node) -> bool:
        found = tree.attribute(node, name)
        return found is not None and pattern.search(found) is not None

    return Part(test, css=f"[{name}]" if _PLAIN_NAME.match(name) else "")


def _has(tree: Tree, node: Node, name: str) -> bool:
    return tree.attribute(node, name) is not None


# -- texts -----------------------------------------------------------------------------------------


def _text(tree: Tree, node: Node, own: bool) -> str:
    if own:
        return tree.own_text(node)
    return tree.text(node) if tree.kind(node) in (ELEMENT, TEXT) else ""


def contains(text: str, *, own: bool) -> Part:
    """`:contains("text")`, `:containsown("text")`; whatever the case of letters."""
    wanted = text.lower()
    return Part(
        lambda tree, node: wanted in _text(tree, node, own).lower(),
        elements_only=False,
    )


def matches(pattern: re.Pattern[str], *, own: bool) -> Part:
    """`:matches(pattern)`, `:matchesown(pattern)`."""
    return Part(
        lambda tree, node: pattern.search(_text(tree, node, own)) is not None,
        elements_only=False,
    )


def language(name: str) -> Part:
    """`:lang(name)`."""

    def test(tree: Tree, node: Node) -> bool:
        for one in (node, *tree.ancestors(node)):
            found = tree.attribute(one, "lang")
            if found is not None and (found == name or found.startswith(name + "-")):
                return True
        return False

    return Part(test, elements_only=False)


# -- relations -------------------------------------------------------------------------------------


def negation(group: Part) -> Part:
    """`:not(group)`."""
    css = f":not({group.css})" if group.exact and _is_compound(group.css) else ""
    return Part(
        lambda tree, node: tree.kind(node) == ELEMENT and not group.test(tree, node),
        css=css,
        exact=bool(css),
    )


def _is_compound(css: str) -> bool:
    # In strings there may be blanks, too: then the search does without.
    return bool(css) and " " not in css.replace(" s]", "]").replace(" i]", "]")


def has(group: Part, *, child: bool) -> Part:
    """`:has(group)`, `:haschild(group)`: something below matches, seen from the whole document."""

    def test(tree: Tree, node: Node) -> bool:
        below = tree.children(node) if child else tree.descendants(node)
        return tree.kind(node) == ELEMENT and any(group.test(tree, one) for one in below)

    return Part(test)


def compound(parts: Sequence[Part]) -> Part:
    """What all parts match."""
    if not parts:
        return EVERY_ELEMENT
    if len(parts) == 1:
        return parts[0]

    def test(tree: Tree, node: Node) -> bool:
        return all(part.test(tree, node) for part in parts)

    return Part(
        test,
        css="".join(part.css for part in parts),
        exact=all(part.exact for part in parts),
        elements_only=any(part.elements_only for part in parts),
    )


def combination(first: Part, combinator: str, second: Part) -> Part:
    """`first second`, `first > second`, `first + second`, `first ~ second`."""
    related = _RELATIONS[combinator]

    def test(tree: Tree, node: Node) -> bool:
        return second.test(tree, node) and any(first.test(tree, one) for one in related(tree, node))

    if not (first.exact and first.elements_only):
        return Part(test, css=second.css, elements_only=second.elements_only)
    return Part(
        test,
        css=f"{first.css or '*'} {combinator} {second.css or '*'}",
        exact=second.exact,
        elements_only=second.elements_only,
    )


def _parent(tree: Tree, node: Node) -> Iterator[Node]:
    found = tree.parent(node)
    if found is not None:
        yield found


def _before(tree: Tree, node: Node) -> Iterator[Node]:
    found = node.prev
    while found is not None:
        yield found
        found = found.prev


def _just_before(tree: Tree, node: Node) -> Iterator[Node]:
    for found in _before(tree, node):
        if tree.kind(found) not in (TEXT, COMMENT):
            yield found
            return


_RELATIONS: Final[dict[str, Callable[[Tree, Node], Iterator[Node]]]] = {
    " ": lambda tree, node: tree.ancestors(node),
    ">": _parent,
    "+": _just_before,
    "~": _before,
}


def group(parts: Sequence[Part]) -> Part:
    """What any of the parts matches."""
    if len(parts) == 1:
        return parts[0]

    def test(tree: Tree, node: Node) -> bool:
        return any(part.test(tree, node) for part in parts)

    return Part(
        test,
        css=", ".join(part.css or "*" for part in parts),
        exact=all(part.exact for part in parts),
        elements_only=all(part.elements_only for part in parts),
    )


# -- places ----------------------------------------------------------------------------------------


_LARGEST_CSS_NUMBER: Final = 2**31 - 1


def nth(step: int, offset: int, *, last: bool, of_type: bool) -> Part:
    """`:nth-child(step n + offset)` and its relatives: counted from the end, within a type."""

    def counts(position: int) -> bool:
        distance = position - offset
        return distance == 0 if step == 0 else distance % step == 0 and distance // step >= 0

    def test(tree: Tree, node: Node) -> bool:
        if tree.kind(node) != ELEMENT or tree.parent(node) is None:
            return False
        position = 1
        other = node.next if last else node.prev
        while other is not None:
            if other.tag == node.tag if of_type else tree.kind(other) == ELEMENT:
                position += 1
            other = other.next if last else other.prev
        return counts(position)

    name = f"nth-{'last-' if last else ''}{'of-type' if of_type else 'child'}"
    css = f":{name}({step}n{offset:+d})"
    if name == "nth-child":  # Lexbor counts the document type, too, before the root element
        css = f":is({css},:root)" if counts(1) else f"{css}:not(:root)"
    if max(abs(step), abs(offset)) > _LARGEST_CSS_NUMBER:
        return Part(test)
    return Part(test, css=css, exact=True)


def only(*, of_type: bool) -> Part:
    """`:only-child`, `:only-of-type`."""
    first = nth(0, 1, last=False, of_type=of_type)
    last = nth(0, 1, last=True, of_type=of_type)
    return compound((first, last))


def _is_empty(tree: Tree, node: Node) -> bool:
    if tree.kind(node) != ELEMENT:
        return False
    for child in tree.children(node):
        kind = tree.kind(child)
        if kind == ELEMENT or (kind == TEXT and (child.text_content or "").strip()):
            return False
    return True


def _is_root(tree: Tree, node: Node) -> bool:
    if tree.kind(node) != ELEMENT:
        return False
    above = tree.parent(node)
    return above is not None and tree.kind(above) == DOCUMENT


# -- states of forms and links ---------------------------------------------------------------------

_LINKS: Final = ("a", "area", "link")
_FIELDS: Final = ("button", "input", "option", "select", "textarea")
_CONTAINERS: Final = ("fieldset", "menuitem", "optgroup")


def _is_field(tree: Tree, node: Node) -> bool:
    return node.tag in ("button", "input", "select", "textarea")


def _is_link(tree: Tree, node: Node) -> bool:
    return node.tag in _LINKS and _has(tree, node, "href")


def _in_disabled_fieldset(tree: Tree, node: Node) -> bool:
    inner = node
    for outer in tree.ancestors(node):
        if outer.tag == "fieldset" and _has(tree, outer, "disabled"):
            legends = any(one.tag == "legend" for one in _before(tree, inner))
            if inner.tag != "legend" or legends:
                return True
        inner = outer
    return False


def _is_disabled(tree: Tree, node: Node) -> bool:
    if node.tag in _FIELDS:
        return _has(tree, node, "disabled") or _in_disabled_fieldset(tree, node)
    return node.tag in _CONTAINERS and _has(tree, node, "disabled")


def _is_enabled(tree: Tree, node: Node) -> bool:
    if node.tag in _LINKS:
        return _has(tree, node, "href")
    return (node.tag in _FIELDS or node.tag in _CONTAINERS) and not _is_disabled(tree, node)


def _is_checked(tree: Tree, node: Node) -> bool:
    if node.tag == "option":
        return _has(tree, node, "selected")
    if node.tag not in ("input", "menuitem") or not _has(tree, node, "checked"):
        return False
    return (tree.attribute(node, "type") or "").lower() in ("checkbox", "radio")


#: Pseudo-classes without an argument.
PSEUDO_CLASSES: Final[dict[str, Part]] = {
    "first-child": nth(0, 1, last=False, of_type=False),
    "last-child": nth(0, 1, last=True, of_type=False),
    "first-of-type": nth(0, 1, last=False, of_type=True),
    "last-of-type": nth(0, 1, last=True, of_type=True),
    "only-child": only(of_type=False),
    "only-of-type": only(of_type=True),
    "empty": Part(_is_empty),
    "root": Part(_is_root),
    "input": Part(_is_field),
    "link": Part(_is_link, css="[href]"),
    "enabled": Part(_is_enabled),
    "disabled": Part(_is_disabled),
    "checked": Part(_is_checked),
    # What depends on somebody who looks at the page never applies.
    **dict.fromkeys(("visited", "hover", "active", "focus", "target"), NOTHING),
}

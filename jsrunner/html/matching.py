"""The simple selectors of the dialect of Go's cascadia, and their combinations.

`selector` compiles each part of a selector to a test of a node and to CSS. The test decides. The CSS is
for Lexbor's search, which is written in C: it finds all matching elements, and only these if the CSS is
`exact`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.html.tree import COMMENT, DOCUMENT, ELEMENT, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jsrunner.html.tree import Node, Tree

    Test = Callable[[Tree, Node], bool]


class Selector(Struct, frozen=True):
    """A compiled selector, or a piece of a selector."""

    #: Returns whether a node matches.
    test: Test
    #: CSS that finds all matching elements, and maybe others; "" finds all elements.
    css: str = ""
    #: True if `css` finds only matching elements.
    exact: bool = False
    #: True if only elements match. Otherwise texts and comments may match, too.
    elements_only: bool = True


def _is_element(tree: Tree, node: Node) -> bool:
    return tree.kind(node) == ELEMENT


EVERY_ELEMENT: Final = Selector(_is_element, exact=True)
NOTHING: Final = Selector(lambda tree, node: False)

# -- names, classes, attributes --------------------------------------------------------------------

_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_-]*\Z")
_SPACE: Final = re.compile(r"[ \t\r\n\f]")
_CSS_ESCAPE: Final = re.compile(r'["\\\n\r\f\0]')


def _css_string(text: str) -> str:
    return '"' + _CSS_ESCAPE.sub(lambda match: f"\\{ord(match[0]):x} ", text) + '"'


def tag(name: str) -> Selector:
    """Return the selector of a tag's name.

    Args:
        name: The name in lower case. Names of SVG with capitals never match, as in cascadia.
    """

    def test(tree: Tree, node: Node) -> bool:
        return node.tag == name

    plain = bool(_PLAIN_NAME.match(name))
    return Selector(test, css=name if plain else "", exact=plain)


def attribute(name: str, operator: str, value: str, *, ignore_case: bool) -> Selector:
    """Return the selector of an attribute: `[name]`, `[name=value]` and so on.

    Args:
        name: The attribute in lower case.
        operator: The operator; "" for `[name]`.
        value: The value.
        ignore_case: True if the case of the value does not matter.
    """
    compare = _COMPARISONS[operator](value.lower() if ignore_case else value)

    def test(tree: Tree, node: Node) -> bool:
        actual = tree.attribute(node, name)
        return actual is not None and compare(actual.lower() if ignore_case else actual)

    if not _PLAIN_NAME.match(name):
        return Selector(test)
    if operator == "":
        return Selector(test, css=f"[{name}]", exact=True)
    # CSS matches nothing with an empty value, and folds letters beyond ASCII differently.
    if not value.strip() or (operator == "~=" and _SPACE.search(value)):
        return Selector(test, css=f"[{name}]")
    if ignore_case and not value.isascii():
        return Selector(test, css=f"[{name}]")
    flag = "i" if ignore_case else "s"
    return Selector(test, css=f"[{name}{operator}{_css_string(value)} {flag}]", exact=True)


def _equals(value: str) -> Callable[[str], bool]:
    return lambda actual: actual == value


def _includes(value: str) -> Callable[[str], bool]:
    return lambda actual: actual != "" and value in _SPACE.split(actual)


def _begins(value: str) -> Callable[[str], bool]:
    return lambda actual: actual.strip() != "" and actual.startswith(value)


def _ends(value: str) -> Callable[[str], bool]:
    return lambda actual: actual.strip() != "" and actual.endswith(value)


def _contains(value: str) -> Callable[[str], bool]:
    return lambda actual: actual.strip() != "" and value in actual


def _dashes(value: str) -> Callable[[str], bool]:
    return lambda actual: actual == value or actual.startswith(value + "-")


#: For each operator of attributes a function that makes the comparison with a value.
_COMPARISONS: Final[dict[str, Callable[[str], Callable[[str], bool]]]] = {
    "": lambda value: lambda actual: True,
    "=": _equals,
    "~=": _includes,
    "|=": _dashes,
    "^=": _begins,
    "$=": _ends,
    "*=": _contains,
}


def attribute_differs(name: str, value: str, *, ignore_case: bool) -> Selector:
    """Return the selector `[name!=value]`: elements whose attribute has another value or is missing."""
    expected = value.lower() if ignore_case else value

    def test(tree: Tree, node: Node) -> bool:
        if tree.kind(node) != ELEMENT:
            return False
        actual = tree.attribute(node, name)
        return actual is None or (actual.lower() if ignore_case else actual) != expected

    return Selector(test)


def attribute_pattern(name: str, pattern: re.Pattern[str]) -> Selector:
    """Return the selector `[name#=pattern]`."""

    def test(tree: Tree, node: Node) -> bool:
        actual = tree.attribute(node, name)
        return actual is not None and pattern.search(actual) is not None

    return Selector(test, css=f"[{name}]" if _PLAIN_NAME.match(name) else "")


def _has(tree: Tree, node: Node, name: str) -> bool:
    return tree.attribute(node, name) is not None


# -- texts -----------------------------------------------------------------------------------------


def _text(tree: Tree, node: Node, own: bool) -> str:
    if own:
        return tree.own_text(node)
    return tree.text(node) if tree.kind(node) in (ELEMENT, TEXT) else ""


def contains(text: str, *, own: bool) -> Selector:
    """Return the selector `:contains("text")`, or `:containsown("text")` if `own`.

    The case of letters does not matter.
    """
    expected = text.lower()
    return Selector(
        lambda tree, node: expected in _text(tree, node, own).lower(),
        elements_only=False,
    )


def matches(pattern: re.Pattern[str], *, own: bool) -> Selector:
    """Return the selector `:matches(pattern)`, or `:matchesown(pattern)` if `own`."""
    return Selector(
        lambda tree, node: pattern.search(_text(tree, node, own)) is not None,
        elements_only=False,
    )


def language(name: str) -> Selector:
    """Return the selector `:lang(name)`."""

    def test(tree: Tree, node: Node) -> bool:
        for element in (node, *tree.ancestors(node)):
            lang = tree.attribute(element, "lang")
            if lang is not None and (lang == name or lang.startswith(name + "-")):
                return True
        return False

    return Selector(test, elements_only=False)


# -- relations -------------------------------------------------------------------------------------


def negation(group: Selector) -> Selector:
    """Return the selector `:not(group)`."""
    css = f":not({group.css})" if group.exact and _is_compound(group.css) else ""
    return Selector(
        lambda tree, node: tree.kind(node) == ELEMENT and not group.test(tree, node),
        css=css,
        exact=bool(css),
    )


def _is_compound(css: str) -> bool:
    # A string may contain blanks, too: then the CSS is not used, which is only slower.
    return bool(css) and " " not in css.replace(" s]", "]").replace(" i]", "]")


def has(group: Selector, *, child: bool) -> Selector:
    """Return the selector `:has(group)`, or `:haschild(group)` if `child`.

    The group is tested against the whole document, as in cascadia.
    """

    def test(tree: Tree, node: Node) -> bool:
        below = tree.children(node) if child else tree.descendants(node)
        return tree.kind(node) == ELEMENT and any(group.test(tree, other) for other in below)

    return Selector(test)


def compound(parts: Sequence[Selector]) -> Selector:
    """Return the selector of nodes that match all parts."""
    if not parts:
        return EVERY_ELEMENT
    if len(parts) == 1:
        return parts[0]

    def test(tree: Tree, node: Node) -> bool:
        return all(part.test(tree, node) for part in parts)

    return Selector(
        test,
        css="".join(part.css for part in parts),
        exact=all(part.exact for part in parts),
        elements_only=any(part.elements_only for part in parts),
    )


def combination(first: Selector, combinator: str, second: Selector) -> Selector:
    """Return the selector `first second`, `first > second`, `first + second` or `first ~ second`."""
    related = _RELATIONS[combinator]

    def test(tree: Tree, node: Node) -> bool:
        return second.test(tree, node) and any(first.test(tree, other) for other in related(tree, node))

    if not (first.exact and first.elements_only):
        return Selector(test, css=second.css, elements_only=second.elements_only)
    return Selector(
        test,
        css=f"{first.css or '*'} {combinator} {second.css or '*'}",
        exact=second.exact,
        elements_only=second.elements_only,
    )


def _parent(tree: Tree, node: Node) -> Iterator[Node]:
    parent = tree.parent(node)
    if parent is not None:
        yield parent


def _before(tree: Tree, node: Node) -> Iterator[Node]:
    sibling = node.prev
    while sibling is not None:
        yield sibling
        sibling = sibling.prev


def _just_before(tree: Tree, node: Node) -> Iterator[Node]:
    for sibling in _before(tree, node):
        if tree.kind(sibling) not in (TEXT, COMMENT):
            yield sibling
            return


#: For each combinator the nodes that the left side may match.
_RELATIONS: Final[dict[str, Callable[[Tree, Node], Iterator[Node]]]] = {
    " ": lambda tree, node: tree.ancestors(node),
    ">": _parent,
    "+": _just_before,
    "~": _before,
}


def group(parts: Sequence[Selector]) -> Selector:
    """Return the selector of nodes that match any of the parts."""
    if len(parts) == 1:
        return parts[0]

    def test(tree: Tree, node: Node) -> bool:
        return any(part.test(tree, node) for part in parts)

    return Selector(
        test,
        css=", ".join(part.css or "*" for part in parts),
        exact=all(part.exact for part in parts),
        elements_only=all(part.elements_only for part in parts),
    )


# -- places ----------------------------------------------------------------------------------------


_LARGEST_CSS_NUMBER: Final = 2**31 - 1


def nth(step: int, offset: int, *, last: bool, of_type: bool) -> Selector:
    """Return the selector `:nth-child(step n + offset)` or one of its variants.

    Args:
        step: The step.
        offset: The offset.
        last: True if positions are counted from the end: `:nth-last-child`.
        of_type: True if only elements of the same name are counted: `:nth-of-type`.
    """

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
    if name == "nth-child":  # Lexbor also counts the document type before the root element
        css = f":is({css},:root)" if counts(1) else f"{css}:not(:root)"
    if max(abs(step), abs(offset)) > _LARGEST_CSS_NUMBER:
        return Selector(test)
    return Selector(test, css=css, exact=True)


def only(*, of_type: bool) -> Selector:
    """Return the selector `:only-child`, or `:only-of-type` if `of_type`."""
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
            legends = any(sibling.tag == "legend" for sibling in _before(tree, inner))
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
PSEUDO_CLASSES: Final[dict[str, Selector]] = {
    "first-child": nth(0, 1, last=False, of_type=False),
    "last-child": nth(0, 1, last=True, of_type=False),
    "first-of-type": nth(0, 1, last=False, of_type=True),
    "last-of-type": nth(0, 1, last=True, of_type=True),
    "only-child": only(of_type=False),
    "only-of-type": only(of_type=True),
    "empty": Selector(_is_empty),
    "root": Selector(_is_root),
    "input": Selector(_is_field),
    "link": Selector(_is_link, css="[href]"),
    "enabled": Selector(_is_enabled),
    "disabled": Selector(_is_disabled),
    "checked": Selector(_is_checked),
    # States that depend on a user who views the page never apply.
    **dict.fromkeys(("visited", "hover", "active", "focus", "target"), NOTHING),
}

"""Renderer of a node's content as markup, with the output of Go's html.Render."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from jsrunner.html.tree import ELEMENT, comment, doctype

if TYPE_CHECKING:
    from jsrunner.html.tree import Node, Tree

# fmt: off
_VOID: Final = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param",
    "source", "track", "wbr",
))
_LITERAL: Final = frozenset((
    "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "xmp",
))
# fmt: on
#: Elements in which a parser drops a newline at the start.
_NEWLINE_LOST: Final = frozenset({"pre", "listing", "textarea"})

_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "\r": "&#13;"}
)
_TO_ESCAPE: Final = re.compile("[&'<>\"\r]")
_TO_ESCAPE_IN_COMMENT: Final = re.compile(r"&|\A>|(?<=[!-])>")


def inner_html(tree: Tree, node: Node) -> str:
    """Return the markup of a node's content."""
    parts: list[str] = []
    #: For each open element: the node behind it, True if that is in a literal element, the closing tag.
    stack: list[tuple[Node | None, bool, str]] = []
    current, literal = tree.first_child(node), _is_literal(tree, node, node.tag)
    while True:
        if current is None:
            if not stack:
                return "".join(parts)
            current, literal, closing = stack.pop()
            parts.append(closing)
            continue
        name = current.tag
        if name == "-text":
            text = current.text_content or ""
            parts.append(text if literal else _escaped(text))
        elif tree.kind(current) == ELEMENT:
            assert name is not None
            parts.append(_opening(tree, current, name))
            if name == "plaintext" and not tree.namespace(current):
                parts.append(tree.text(current))
                return "".join(parts)  # a parser would take all further markup for its text
            if name not in _VOID:
                stack.append((current.next, literal, f"</{name}>"))
                literal = _is_literal(tree, current, name)
                current = tree.first_child(current)
                if name in _NEWLINE_LOST and current and _begins_a_line(current):
                    parts.append("\n")
                continue
        else:
            parts.append(_other(tree, current))
        current = current.next


def _begins_a_line(node: Node) -> bool:
    return (node.text_content or "").startswith("\n")


def _is_literal(tree: Tree, node: Node, name: str | None) -> bool:
    return name in _LITERAL and not tree.namespace(node)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _TO_ESCAPE.search(text) else text


def _escape_match(match: re.Match[str]) -> str:
    return match[0].translate(_ESCAPES)


def _opening(tree: Tree, node: Node, name: str) -> str:
    parts = [name]
    for namespace, key, value in tree.attributes(node):
        parts.append(f'{namespace}{":" if namespace else ""}{key}="{_escaped(value)}"')
    return f"<{' '.join(parts)}{'/' if name in _VOID else ''}>"


def _other(tree: Tree, node: Node) -> str:
    """Return the markup of a comment or a document type."""
    if node.tag != "-doctype":
        text = html.unescape(comment(node))
        return f"<!--{_TO_ESCAPE_IN_COMMENT.sub(_escape_match, text)}-->"
    name, public, system = doctype(node)
    identifiers = f' PUBLIC "{public}"' if public else " SYSTEM" if system else ""
    return f"<!DOCTYPE {_escaped(name)}{identifiers}" + (f' "{system}">' if system else ">")

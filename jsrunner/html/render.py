"""Markup of a node's content, in the spelling of Go's html.Render."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from jsrunner.html import tree as dom

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
#: A newline at the start of these would be dropped by the next parser.
_NEWLINE_LOST: Final = frozenset({"pre", "listing", "textarea"})

_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "\r": "&#13;"}
)
_TO_ESCAPE: Final = re.compile("[&'<>\"\r]")
_TO_ESCAPE_IN_COMMENT: Final = re.compile(r"&|\A>|(?<=[!-])>")


def inner_html(tree: Tree, node: Node) -> str:
    """The markup of what is in the node."""
    parts: list[str] = []
    literal = _is_literal(tree, node)
    stack: list[tuple[Node | str | None, bool]] = [(tree.first_child(node), literal)]
    while stack:
        current, literal = stack.pop()
        if current is None:
            continue
        if isinstance(current, str):
            parts.append(current)
            continue
        stack.append((current.next, literal))
        kind = tree.kind(current)
        if kind == dom.TEXT:
            text = current.text_content or ""
            parts.append(text if literal else _escaped(text))
        elif kind == dom.ELEMENT:
            name = current.tag or ""
            parts.append(_opening(tree, current, name))
            if name not in _VOID:
                child = tree.first_child(current)
                if (
                    name in _NEWLINE_LOST
                    and child is not None
                    and (child.text_content or "").startswith("\n")
                ):
                    parts.append("\n")
                if name == "plaintext" and not tree.namespace(current):
                    parts.append(tree.text(current))
                    break  # everything after it would be its text
                stack += [(f"</{name}>", False), (child, _is_literal(tree, current))]
        elif kind == dom.DOCTYPE:
            parts.append(_doctype(current))
        else:
            text = html.unescape(dom.comment(current))
            parts.append(f"<!--{_TO_ESCAPE_IN_COMMENT.sub(_escape_match, text)}-->")
    return "".join(parts)


def _is_literal(tree: Tree, node: Node) -> bool:
    return node.tag in _LITERAL and not tree.namespace(node)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _TO_ESCAPE.search(text) else text


def _escape_match(match: re.Match[str]) -> str:
    return match[0].translate(_ESCAPES)


def _opening(tree: Tree, node: Node, name: str) -> str:
    attributes = "".join(
        f' {one.namespace + ":" if one.namespace else ""}{one.name}="{_escaped(one.value)}"'
        for one in tree.attributes(node)
    )
    return f"<{name}{attributes}{'/' if name in _VOID else ''}>"


def _doctype(node: Node) -> str:
    name, public, system = dom.doctype(node)
    identifiers = f' PUBLIC "{public}"' if public else " SYSTEM" if system else ""
    return f"<!DOCTYPE {_escaped(name)}{identifiers}" + (f' "{system}">' if system else ">")

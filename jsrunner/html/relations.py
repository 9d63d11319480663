"""Relations of nodes: the elements that goquery's methods return, and the nodes that the DOM's do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.html.tree import ELEMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsrunner.html.tree import Node, Tree


def _elements(tree: Tree, nodes: Iterable[Node]) -> Iterator[Node]:
    return (node for node in nodes if tree.kind(node) == ELEMENT)


def _optional(node: Node | None) -> Iterator[Node]:
    return iter(() if node is None else (node,))


def _parents(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, tree.ancestors(node))


def _parent(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, _optional(tree.parent(node)))


def _children(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, tree.children(node))


def _siblings(tree: Tree, node: Node) -> Iterator[Node]:
    above = tree.parent(node)
    if above is None:
        return iter(())
    return (child for child in _children(tree, above) if child.mem_id != node.mem_id)


def _next_all(tree: Tree, node: Node) -> Iterator[Node]:
    following = node.next
    while following is not None:
        if tree.kind(following) == ELEMENT:
            yield following
        following = following.next


def _prev_all(tree: Tree, node: Node) -> Iterator[Node]:
    """Yield the elements before a node, the nearest first."""
    before = node.prev
    while before is not None:
        if tree.kind(before) == ELEMENT:
            yield before
        before = before.prev


def _first(walk: Callable[[Tree, Node], Iterator[Node]]) -> Callable[[Tree, Node], Iterator[Node]]:
    def nearest(tree: Tree, node: Node) -> Iterator[Node]:
        for related in walk(tree, node):
            yield related
            return

    return nearest


#: The relations by their names in jQuery and the DOM.
RELATIONS: Final[dict[str, Callable[[Tree, Node], Iterator[Node]]]] = {
    "children": _children,
    "contents": lambda tree, node: tree.children(node),
    "next": _first(_next_all),
    "nextSibling": lambda tree, node: _optional(node.next),
    "nextAll": _next_all,
    "parent": _parent,
    "parentNode": lambda tree, node: _optional(tree.parent(node)),
    "parents": _parents,
    "prev": _first(_prev_all),
    "prevAll": _prev_all,
    "previousSibling": lambda tree, node: _optional(node.prev),
    "siblings": _siblings,
}

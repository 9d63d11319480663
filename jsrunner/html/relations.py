"""Who is related to a node: the elements as goquery walks them, and all nodes as the DOM has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.html.tree import ELEMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsrunner.html.tree import Node, Tree


def _elements(tree: Tree, nodes: Iterable[Node]) -> Iterator[Node]:
    return (node for node in nodes if tree.kind(node) == ELEMENT)


def _one(node: Node | None) -> Iterator[Node]:
    return iter(() if node is None else (node,))


def _parents(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, tree.ancestors(node))


def _parent(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, _one(tree.parent(node)))


def _children(tree: Tree, node: Node) -> Iterator[Node]:
    return _elements(tree, tree.children(node))


def _siblings(tree: Tree, node: Node) -> Iterator[Node]:
    above = tree.parent(node)
    if above is None:
        return iter(())
    return (one for one in _children(tree, above) if one.mem_id != node.mem_id)


def _next_all(tree: Tree, node: Node) -> Iterator[Node]:
    following = node.next
    while following is not None:
        if tree.kind(following) == ELEMENT:
            yield following
        following = following.next


def _prev_all(tree: Tree, node: Node) -> Iterator[Node]:
    """The nearest first."""
    before = node.prev
    while before is not None:
        if tree.kind(before) == ELEMENT:
            yield before
        before = before.prev


def _first(walk: Callable[[Tree, Node], Iterator[Node]]) -> Callable[[Tree, Node], Iterator[Node]]:
    def nearest(tree: Tree, node: Node) -> Iterator[Node]:
        for found in walk(tree, node):
            yield found
            return

    return nearest


#: The relations by the names that jQuery and the DOM have for them.
RELATIONS: Final[dict[str, Callable[[Tree, Node], Iterator[Node]]]] = {
    "children": _children,
    "contents": lambda tree, node: tree.children(node),
    "next": _first(_next_all),
    "nextSibling": lambda tree, node: _one(node.next),
    "nextAll": _next_all,
    "parent": _parent,
    "parentNode": lambda tree, node: _one(tree.parent(node)),
    "parents": _parents,
    "prev": _first(_prev_all),
    "prevAll": _prev_all,
    "previousSibling": lambda tree, node: _one(node.prev),
    "siblings": _siblings,
}

"""Python half of `k6/html`: documents and their nodes, which JavaScript knows by number."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import quote_plus

from jsrunner.engine.errors import HostError
from jsrunner.html.relations import RELATIONS
from jsrunner.html.render import inner_html
from jsrunner.html.selector import below, compiled
from jsrunner.html.tree import MOST_OPEN, TooDeepError, Tree
from jsrunner.modules.base import HostModule, operation
from jsrunner.transport.url import URL, decoded, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsrunner.html.tree import Node
    from jsrunner.modules.context import ModuleContext

_F = TypeVar("_F", bound="Callable[..., object]")

_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ftp": "21"}
_FIELDS = "input,select,textarea,keygen"
_NO_FIELD_TYPES = ("button", "file", "image", "reset", "submit")


def _selecting(method: _F) -> _F:
    """Refuse a selector of more levels than Python can follow."""

    @functools.wraps(method)
    def guarded(*arguments: object) -> object:
        try:
            return method(*arguments)
        except RecursionError:
            raise HostError("the selector has too many levels") from None

    return cast("_F", guarded)


class HTML(HostModule):
    """The Python half of `k6/html`.

    Selections cross as lists of node numbers, in their order; node 0 is the document.
    """

    specifier = "k6/html"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        self._trees: dict[int, Tree] = {}
        self._last = 0

    @operation
    def parse(self, source: str) -> int:
        """Parse a document; return its handle, valid until `free`."""
        try:
            tree = Tree(source.encode())
        except TooDeepError:
            raise HostError(f"html: open stack of elements exceeds {MOST_OPEN} nodes") from None
        self._last += 1
        self._trees[self._last] = tree
        return self._last

    @operation
    def free(self, handles: list[int]) -> None:
        """Forget documents that no object of the script refers to."""
        for handle in handles:
            del self._trees[handle]

    # -- selecting ---------------------------------------------------------------------------------

    @operation
    @_selecting
    def find(self, handle: int, nodes: list[int], text: str) -> list[int]:
        """Return the descendants of nodes that match a selector."""
        tree = self._trees[handle]
        return _numbers(tree, _find(tree, _nodes(tree, nodes), text))

    @operation
    @_selecting
    def find_first(self, handle: int, nodes: list[int], text: str) -> list[int]:
        """Return the first descendant of nodes that matches a selector, in a list."""
        tree = self._trees[handle]
        for node in _find(tree, _nodes(tree, nodes), text):
            return [tree.number(node)]
        return []

    @operation
    @_selecting
    def filter(self, handle: int, nodes: list[int], text: str, keep: bool) -> list[int]:
        """Return the nodes that match the selector, or, without `keep`, those that do not."""
        tree, test = self._trees[handle], compiled(text).test
        return [number for number in nodes if test(tree, tree.nodes[number]) == keep]

    @operation
    @_selecting
    def having(self, handle: int, nodes: list[int], wanted: str | list[int]) -> list[int]:
        """Return the nodes with a matching or a wanted descendant."""
        tree = self._trees[handle]
        if isinstance(wanted, str):
            return [
                number
                for number in nodes
                if any(True for _ in _find(tree, [tree.nodes[number]], wanted))
            ]
        above = {outer.mem_id for inner in _nodes(tree, wanted) for outer in tree.ancestors(inner)}
        return [number for number in nodes if tree.nodes[number].mem_id in above]

    @operation
    @_selecting
    def closest(self, handle: int, nodes: list[int], wanted: str | list[int]) -> list[int]:
        """Return the first matching or wanted node among each node and its ancestors."""
        tree = self._trees[handle]
        stop = _stop(tree, wanted)
        matches = (
            next((candidate for candidate in (node, *tree.ancestors(node)) if stop(candidate)), None)
            for node in _nodes(tree, nodes)
        )
        return _numbers(tree, (candidate for candidate in matches if candidate is not None))

    @operation
    @_selecting
    def relatives(
        self,
        handle: int,
        nodes: list[int],
        relation: str,
        wanted: str | None = None,
        until: str | list[int] | None = None,
    ) -> list[int]:
        """Return relatives of each node up to `until` that match `wanted` (see html.relations)."""
        tree = self._trees[handle]
        stop = _stop(tree, until) if until is not None else None
        test = compiled(wanted).test if wanted is not None else None

        def matching() -> Iterator[Node]:
            for node in _nodes(tree, nodes):
                for relative in RELATIONS[relation](tree, node):
                    if stop is not None and stop(relative):
                        break
                    if test is None or test(tree, relative):
                        yield relative

        return _numbers(tree, matching())

    # -- reading -----------------------------------------------------------------------------------

    @operation
    def describe(self, handle: int, nodes: list[int]) -> list[tuple[int, str, str]]:
        """Return the kind (the DOM's number), name and namespace of each node."""
        tree = self._trees[handle]
        return [
            (tree.kind(node), tree.name(node), tree.namespace(node)) for node in _nodes(tree, nodes)
        ]

    @operation
    def attribute(self, handle: int, node: int, name: str) -> str | None:
        """Return the value of a node's attribute; None without it."""
        tree = self._trees[handle]
        return tree.attribute(tree.nodes[node], name)

    @operation
    def attributes(self, handle: int, node: int) -> list[tuple[str, ...]]:
        """Return (namespace, name, value) of each attribute."""
        tree = self._trees[handle]
        return [tuple(attribute) for attribute in tree.attributes(tree.nodes[node])]

    @operation
    def text(self, handle: int, nodes: list[int]) -> object:
        """Return the text in nodes."""
        tree = self._trees[handle]
        return "".join(tree.text(node) for node in _nodes(tree, nodes))

    @operation
    def markup(self, handle: int, node: int) -> object:
        """Return the HTML inside the node."""
        tree = self._trees[handle]
        return inner_html(tree, tree.nodes[node])

    @operation
    def value(self, handle: int, node: int) -> str | list[str] | None:
        """Return the value of a form's field; None for other nodes."""
        tree = self._trees[handle]
        return _value(tree, tree.nodes[node])

    @operation
    def fields(self, handle: int, nodes: list[int]) -> list[tuple[str, str | list[str] | None]]:
        """Return the names and values that forms send, and those of nodes that are fields."""
        tree = self._trees[handle]
        return _fields(tree, nodes)

    @operation
    def serialize(self, handle: int, nodes: list[int]) -> str:
        """Return the fields as a form sends them (application/x-www-form-urlencoded), by name."""
        values = dict(_fields(self._trees[handle], nodes))
        pairs = (
            (name, value)
            for name, held in sorted(values.items())
            for value in (held if isinstance(held, list) else [held or ""])
        )
        return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)

    # -- links -------------------------------------------------------------------------------------

    @operation
    def resolve(self, base: str, reference: str) -> str | None:
        """Return the URL of a reference on the page `base`; None if it is no URL."""
        link = resolve(base, reference)
        return None if link is None else str(link)

    @operation
    def link(self, base: str, reference: str | None) -> dict[str, str]:
        """Return the parts of a link; all empty if it is no URL."""
        link = None if reference is None else resolve(base, reference)
        return link_parts(link or URL())


def link_parts(url: URL) -> dict[str, str]:
    """Return the properties of the DOM's links, as k6 spells them: `protocol` has no colon."""
    port = url.port_text
    host = url.authority.removesuffix(f":{port}") if port else url.authority.removesuffix(":")
    has_default_port = port != "" and port == _DEFAULT_PORTS.get(url.scheme)
    user, password = url.credentials
    origin = ""
    if url.scheme:
        origin = str(url) if url.scheme == "file" else f"{url.scheme}://{url.authority}"
    return {
        "hash": f"#{decoded(url.fragment)}" if url.fragment else "",
        "host": host.strip("[]") if has_default_port else url.authority,
        "hostname": host.strip("[]") if ":" in url.authority.rpartition("]")[2] else host,
        "origin": origin,
        "password": password,
        "pathname": decoded(url.path),
        "port": port,
        "protocol": url.scheme or ":",
        "search": f"?{url.query}" if url.query else "",
        "username": user,
    }


def _nodes(tree: Tree, numbers: Iterable[int]) -> list[Node]:
    return [tree.nodes[number] for number in numbers]


def _numbers(tree: Tree, nodes: Iterable[Node]) -> list[int]:
    """Return the numbers of the nodes without duplicates."""
    return list(dict.fromkeys(map(tree.number, nodes)))


def _find(tree: Tree, nodes: Iterable[Node], text: str) -> Iterator[Node]:
    selector = compiled(text)
    for node in nodes:
        yield from below(tree, node, selector)


def _stop(tree: Tree, wanted: str | list[int]) -> Callable[[Node], bool]:
    """Return a predicate: is a node wanted, or does it match the selector."""
    if isinstance(wanted, str):
        test = compiled(wanted).test
        return lambda node: test(tree, node)
    numbers = set(wanted)
    return lambda node: tree.number(node) in numbers


def _value(tree: Tree, node: Node) -> str | list[str] | None:
    def value_or_content(option: Node) -> str:
        held = tree.attribute(option, "value")
        return inner_html(tree, option) if held is None else held

    if node.tag == "input":
        held = tree.attribute(node, "value")
        if held is None:
            return "on" if tree.attribute(node, "type") in ("checkbox", "radio") else ""
        return held
    if node.tag == "button":
        return tree.attribute(node, "value") or ""
    if node.tag == "textarea":
        return inner_html(tree, node)
    if node.tag == "option":
        return value_or_content(node)
    if node.tag != "select":
        return None
    chosen = _find(tree, [node], "option[selected]")
    if tree.attribute(node, "multiple") is not None:
        return [value_or_content(option) for option in chosen]
    return next((value_or_content(option) for option in chosen), "")


def _fields(tree: Tree, numbers: list[int]) -> list[tuple[str, str | list[str] | None]]:
    nodes: Iterable[Node] = _nodes(tree, numbers)
    if any(node.tag == "form" for node in nodes):
        nodes = _find(tree, nodes, _FIELDS)
    else:
        test = compiled(_FIELDS).test
        nodes = [node for node in nodes if test(tree, node)]
    fields_by_node: dict[int, tuple[str, str | list[str] | None]] = {}
    for node in nodes:
        name = tree.attribute(node, "name")
        kind = tree.attribute(node, "type")
        # k6 wants these words: a bare `checked` or `disabled` does not count.
        checked = tree.attribute(node, "checked") == "checked"
        disabled = tree.attribute(node, "disabled") == "disabled"
        if not name or disabled or kind in _NO_FIELD_TYPES:
            continue
        if checked or kind not in ("checkbox", "radio"):
            fields_by_node[node.mem_id] = (name, _value(tree, node))
    return list(fields_by_node.values())

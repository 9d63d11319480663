"""Relations of nodes."""

from __future__ import annotations

import pytest

from jsrunner.html.relations import RELATIONS
from jsrunner.html.selector import below, compiled
from jsrunner.html.tree import Tree

PAGE = b"<body>s<ul>t<li id=a>1</li>u<li id=b>2<i></i></li><!--c--><li id=c>3</li></ul><p></p></body>"


@pytest.mark.parametrize(
    ("of", "relation", "expected"),
    [
        ("#b", "next", "li#c"),
        ("#b", "prev", "li#a"),
        ("#b", "nextSibling", "#comment"),
        ("#b", "previousSibling", "#text"),
        ("#a", "nextAll", "li#b li#c"),
        ("#c", "prevAll", "li#b li#a"),
        ("#b", "siblings", "li#a li#c"),
        ("#c", "next", ""),
        ("#c", "nextSibling", ""),
        ("#b", "parent", "ul"),
        ("#b", "parents", "ul body html"),
        ("html", "parent", ""),
        ("html", "parentNode", "#document"),
        ("html", "siblings", ""),
        ("ul", "children", "li#a li#b li#c"),
        ("ul", "contents", "#text li#a #text li#b #comment li#c"),
    ],
)
def test_relations(of: str, relation: str, expected: str) -> None:
    tree = Tree(PAGE)
    node = next(below(tree, tree.document, compiled(of)))
    found = []
    for one in RELATIONS[relation](tree, node):
        identifier = tree.attribute(one, "id") if tree.kind(one) == 1 else None
        found.append(tree.name(one) + (f"#{identifier}" if identifier else ""))
    assert found == expected.split()


def test_the_document_is_alone() -> None:
    tree = Tree(PAGE)
    for relation in (
        "parent",
        "parents",
        "parentNode",
        "siblings",
        "next",
        "prev",
        "nextAll",
        "prevAll",
    ):
        assert list(RELATIONS[relation](tree, tree.document)) == []

"""Selectors: what the dialect knows, what it refuses, and that the fast search finds the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.html import matching
from jsrunner.html.selector import below, compiled
from jsrunner.html.tree import ELEMENT, Tree

PAGE = b"""<!doctype html><html lang=en-US><body>
<div id=top class="a  b"><p title=x>one</p><p class=x>two <b>bold</b></p><!-- no --><p></p></div>
<div class="b"><p data-k=v lang=de-AT>three</p> <span data-k="V w">four</span><p> </p></div>
<form><fieldset disabled><legend><input id=i1></legend><input id=i2><legend><input id=i3></legend>
</fieldset><input id=i4 type=Radio checked><select id=s><option selected id=o1><option id=o2 disabled>
</select><button id=b1 disabled></button><textarea id=t></textarea></form>
<a id=l1 href=/x>link</a><a id=l2>none</a></body></html>"""


def find(selector: str, page: bytes = PAGE) -> list[str]:
    """Names (with ids) of what is found in a page."""
    tree = Tree(page)
    found = []
    for node in below(tree, tree.document, compiled(selector)):
        identifier = tree.attribute(node, "id") if tree.kind(node) == ELEMENT else None
        found.append(f"#{identifier}" if identifier else tree.name(node))
    return found


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("span", "span"),
        ("SPAN", "span"),
        ("#top", "#top"),
        ("div.a.b", "#top"),
        (".B", ""),
        ("div > p", "p p p p p"),
        ("div>p+p", "p p"),
        ("p ~ span", "span"),
        ("body div b, span", "b span"),
        ("[data-k]", "p span"),
        ("[data-k=v]", "p"),
        ("[DATA-K='v' i]", "p"),
        ('[data-k~="w"]', "span"),
        ("p[lang|=de]", "p"),
        ("[id^=l]", "#l1 #l2"),
        ("[id$='1'][id*=l]", "#l1"),
        ("form [id!=i2]:input", "#i1 #i3 #i4 #s #b1 #t"),
        ("input[id#=^i[12]$]", "#i1 #i2"),
        ("input[id#=[[:digit:]]]", "#i1 #i2 #i3 #i4"),
        ("p:contains(TWO)", "p"),
        ("div:containsown(one)", ""),
        ("p:matches(^t.*d$)", "p"),
        ("p:matchesown(^two $)", "p"),
        ("div:has(span)", "div"),
        ("div:has(body b)", "#top"),
        ("div:haschild(b)", ""),
        ("div p:not(.x, [title], :empty)", "p"),
        ("#top p:not(div > .x)", "p p"),
        ("#top :empty", "p"),
        (":root", "html"),
        ("* > b", "b"),
        ("*|* b", "b"),
        ("p:first-child", "p p"),
        ("#top p:last-child", "p"),
        ("#top p:nth-child( 2n + 1 )", "p p"),
        ("#top p:nth-child(odd)", "p p"),
        ("#top p:nth-child(-n+2)", "p p"),
        ("#top p:nth-last-child(1)", "p"),
        ("div p:nth-of-type(2)", "p p"),
        ("span:only-of-type", "span"),
        ("b:only-child", "b"),
        ("p:lang(de), b:lang(en)", "b p"),
        (":link", "#l1"),
        ("a:enabled", "#l1"),
        ("input:enabled", "#i1 #i4"),
        (":disabled", "fieldset #i2 #i3 #o2 #b1"),
        (":checked", "#i4 #o1"),
        ("a:hover", ""),
        ("#\\74 op", "#top"),
        ("/* all */ #top /* of */ b", "b"),
    ],
)
def test_what_is_found(selector: str, expected: str) -> None:
    assert find(selector) == expected.split()


@pytest.mark.parametrize(
    "selector",
    [
        "", " ", ",", "p,", "p >", "> p", "p:foo", "p::before", "p:before", "[", "[a", "[a=", "[a=b",
        "[a=]", "[a/=b]", "[=b]", "#", ".", ".1", "1", "p)", "(p)", "p:not()", "p:not(p",
        "p:nth-child(x)", "p:nth-child(2m)", "p:contains(1)", "p:contains('x", "p:lang('de')",
        "p:matches([)", "p:matches((?=x))", r"p:matches((x)\1)", "p:nth-child", "p !", "*|", "'p'",
        "p:not(p::after)", "p:nth-child(99999999999999999999)", f"p:nth-child({'9' * 5000}n)",
    ],
)  # fmt: skip
def test_what_is_no_selector_matches_nothing(selector: str) -> None:
    assert compiled(selector) is matching.NOTHING
    assert find(selector) == []


def test_numbers_that_css_has_not() -> None:
    page = b"<p>1<p>2<p>3"
    assert find("p:nth-child(-9999999999n+2)", page) == ["p"]
    assert find("p:nth-child(9223372036854775807n+1)", page) == ["p"]
    assert find("p:nth-child(9999999999)", page) == []


def test_texts_match_where_no_piece_asks_for_an_element() -> None:
    page = b"<body><p>one</p>one</body>"
    assert find(":contains(one)", page) == ["html", "body", "p", "#text", "#text"]
    assert find("*:contains(one)", page) == ["html", "body", "p", "#text", "#text"]
    assert find("p:contains(one)", page) == ["p"]
    tree = Tree(page)
    body = next(node for node in tree.descendants(tree.document) if node.tag == "body")
    # Nobody looks at a text that is a child of the starting point.
    assert [node.tag for node in below(tree, body, compiled(":contains(one)"))] == ["p", "-text"]


def test_names_with_capitals_are_never_found() -> None:
    page = b"<svg viewBox=1><linearGradient id=g /></svg>"
    assert find("linearGradient", page) == []
    assert find("[viewBox]", page) == []
    assert find("#g", page) == ["#g"]


def test_attributes_are_found_by_their_local_name() -> None:
    page = b"<svg><use id=u xlink:href=x /></svg>"
    assert find("use[href]", page) == ["#u"]
    assert find(r"[xlink\:href]", page) == []


def test_templates_are_searched() -> None:
    assert find("template b", b"<template><p><b id=x></b></p></template>") == ["#x"]


def test_ancestors_outside_count() -> None:
    tree = Tree(b"<div><p><b></b></p></div>")
    p = next(node for node in tree.descendants(tree.document) if node.tag == "p")
    assert [node.tag for node in below(tree, p, compiled("div b"))] == ["b"]
    assert [node.tag for node in below(tree, p, compiled("p"))] == []


def test_quirks_change_nothing() -> None:
    """Without a document type classes and ids would be found whatever their case."""
    assert find(".foo, #BAR", b"<p class=Foo id=bar>") == []


# -- the two searches --------------------------------------------------------------------------------

_TAGS = st.sampled_from(["p", "div", "b", "svg", "template", "ul", "li"])
_ATTRIBUTES = st.sampled_from(
    ["", " class=a", ' class="a B"', " id=x", " id=X", ' href="a-b"', " href", ' type="T"', " a=' '"]
)


@st.composite
def _pages(draw: st.DrawFn) -> str:
    def element(depth: int) -> str:
        tag, inner = draw(_TAGS), ""
        for _ in range(draw(st.integers(0, 3 if depth else 0))):
            inner += draw(st.sampled_from(["", "t", "<!-- c -->"])) + element(depth - 1)
        return f"<{tag}{draw(_ATTRIBUTES)}>{inner}</{tag}>"

    start = draw(st.sampled_from(["", "<!doctype html>"]))
    return start + "".join(element(3) for _ in range(draw(st.integers(0, 3))))


_SIMPLE = st.sampled_from(
    [
        ".a", ".B", "#x", "#X", "[href]", "[href='']", "[href=a-b]", "[href|=a]", "[href^=a]",
        "[href$=b]", "[href*='-']", "[href*='']", "[class~=a]", "[class~='']", "[type=t i]",
        "[type=t]", "[a=' ']", "[a*=' ']", "[a!=b]", ":first-child", ":last-child",
        ":nth-child(2n+1)", ":nth-child(-n+2)", ":nth-last-child(2)", ":nth-of-type(even)",
        ":only-child", ":only-of-type", ":empty", ":root", ":not(.a)", ":not(p)", ":not(p .a)",
        ":not(*)", ":not(b, .a)", ":has(p)", ":haschild(b)", ":contains(t)", ":matches(^t)",
    ]
)  # fmt: skip
_COMPOUND = st.builds(
    lambda tag, simple: (tag + "".join(simple)) or "*",
    st.sampled_from(["", "*", "p", "div", "b", "li"]),
    st.lists(_SIMPLE, max_size=2),
)
_COMPLEX = st.builds(
    lambda first, others: first + "".join(combinator + part for combinator, part in others),
    _COMPOUND,
    st.lists(st.tuples(st.sampled_from([" ", " > ", "+", "~"]), _COMPOUND), max_size=2),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(_pages(), st.lists(_COMPLEX, min_size=1, max_size=2).map(", ".join))
def test_the_search_finds_what_the_test_of_each_node_finds(page: str, text: str) -> None:
    tree, selector = Tree(page.encode()), compiled(text)
    assert selector is not matching.NOTHING
    found = [node.mem_id for node in below(tree, tree.document, selector)]
    tested = [node.mem_id for node in tree.descendants(tree.document) if selector.test(tree, node)]
    assert found == tested


@settings(deadline=None)
@given(st.text(alphabet=".#[]=*^$|~!:()'\"\\abn+-2 ,>/i", max_size=20))
def test_any_text_can_be_tried(text: str) -> None:
    tree = Tree(PAGE)
    assert set(map(tree.number, below(tree, tree.document, compiled(text)))) >= set()

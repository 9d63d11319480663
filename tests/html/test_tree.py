"""Documents as Go's parser builds them: completion, templates, foreign elements, numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.html.tree import (
    COMMENT,
    DOCTYPE,
    DOCUMENT,
    ELEMENT,
    TEXT,
    TooDeepError,
    Tree,
    comment,
    doctype,
)


def names(source: str) -> list[str]:
    tree = Tree(source.encode())
    return [tree.name(node) for node in tree.descendants(tree.document)]


def test_a_document_is_completed() -> None:
    assert names("x") == ["html", "head", "body", "#text"]
    assert names("") == ["html", "head", "body"]
    assert names("<table><tr><td>") == ["html", "head", "body", "table", "tbody", "tr", "td"]


def test_kinds_of_nodes() -> None:
    tree = Tree(b"<!doctype html><p>x<!-- y -->")
    nodes = [tree.document, *tree.descendants(tree.document)]
    assert [tree.kind(node) for node in nodes] == [
        DOCUMENT, DOCTYPE, ELEMENT, ELEMENT, ELEMENT, ELEMENT, TEXT, COMMENT,
    ]  # fmt: skip
    assert tree.name(tree.document) == "#document"
    assert comment(nodes[-1]) == " y "


def test_what_noscript_holds_is_text() -> None:
    source = "<head><noscript><img src=pixel></noscript><title>t</title>"
    assert names(source) == ["html", "head", "noscript", "#text", "title", "#text", "body"]


def test_the_content_of_a_template_hangs_below_it() -> None:
    tree = Tree(b"<p>a<template>b<i>c</i><template>d</template></template>e")
    found = list(tree.descendants(tree.document))
    assert [tree.name(node) for node in found][3:] == [
        "p", "#text", "template", "#text", "i", "#text", "template", "#text", "#text",
    ]  # fmt: skip
    assert [tree.name(node) for node in tree.ancestors(found[10])] == [
        "template", "template", "p", "body", "html", "#document",
    ]  # fmt: skip
    assert tree.text(tree.document) == "abcde"
    assert tree.has_templates


def test_numbers_stay_with_their_nodes() -> None:
    tree = Tree(b"<p><b></b></p>")
    found = list(tree.descendants(tree.document))
    assert tree.number(tree.document) == 0
    assert [tree.number(node) for node in reversed(found)] == [1, 2, 3, 4, 5]
    again = list(tree.descendants(tree.document))
    assert [tree.number(node) for node in reversed(again)] == [1, 2, 3, 4, 5]
    assert [tree.nodes[number].tag for number in (1, 2)] == ["b", "p"]


def test_foreign_elements_have_namespaces_and_capitals() -> None:
    source = b"""<svg viewbox="0"><lineargradient/><foreignobject><p><svg></svg></p></foreignobject>
        <title><b>t</b></title></svg><math><mi><i></i><mglyph/></mi>
        <annotation-xml encoding="Text/HTML"><u></u></annotation-xml>
        <annotation-xml><mn></mn></annotation-xml></math><p>"""
    tree = Tree(source)
    found = {
        (node.tag, tree.namespace(node))
        for node in tree.descendants(tree.document)
        if tree.kind(node) == ELEMENT
    }
    assert found == {
        ("html", ""), ("head", ""), ("body", ""), ("p", ""), ("b", ""), ("i", ""), ("u", ""),
        ("svg", "svg"), ("linearGradient", "svg"), ("foreignObject", "svg"), ("title", "svg"),
        ("math", "math"), ("mi", "math"), ("mglyph", "math"), ("annotation-xml", "math"),
        ("mn", "math"),
    }  # fmt: skip


def test_attributes_of_foreign_elements_are_split() -> None:
    tree = Tree(b'<svg xmlns="x" xlink:href="#a" xml:lang="de" xml:base="y"><p xlink:href="b">')
    svg, p = (node for node in tree.descendants(tree.document) if node.tag in ("svg", "p"))
    assert tree.attributes(svg) == [
        ("", "xmlns", "x"), ("xlink", "href", "#a"), ("xml", "lang", "de"), ("", "xml:base", "y"),
    ]  # fmt: skip
    assert tree.attribute(svg, "href") == "#a"
    assert tree.attribute(svg, "xlink:href") is None
    assert tree.attribute(p, "xlink:href") == "b"


def test_attributes_without_a_value_are_empty() -> None:
    tree = Tree(b"<p a b='' c=&amp; A=second>")
    p = next(node for node in tree.descendants(tree.document) if node.tag == "p")
    assert tree.attributes(p) == [("", "a", ""), ("", "b", ""), ("", "c", "&")]
    assert tree.attribute(p, "a") == ""
    assert tree.attribute(p, "d") is None


def test_document_types() -> None:
    def read(source: str) -> tuple[str, str, str]:
        first = Tree(source.encode()).document.first_child
        assert first is not None
        return doctype(first)

    assert read("<!DOCTYPE html>") == ("html", "", "")
    assert read("<!doctype HTML SYSTEM 'about:legacy-compat'>") == ("html", "", "about:legacy-compat")
    assert read('<!doctype html public "-//W3C//DTD" "http://w3">') == (
        "html",
        "-//W3C//DTD",
        "http://w3",
    )
    assert read('<!doctype html public "-//W3C//DTD">') == ("html", "-//W3C//DTD", "")


def test_own_text_leaves_out_what_is_deeper() -> None:
    tree = Tree(b"<p>a<b>b</b>c<script>d</script></p>")
    p = next(node for node in tree.descendants(tree.document) if node.tag == "p")
    assert tree.own_text(p) == "ac"
    assert tree.text(p) == "abcd"


@settings(deadline=None)
@given(st.text(alphabet="<>/!-abtdpre= \"'&;", max_size=60))
def test_walks_agree(source: str) -> None:
    tree = Tree(source.encode())

    def walk(node: object) -> list[int]:
        found = []
        for child in tree.children(node):  # type: ignore[arg-type]
            found += [child.mem_id, *walk(child)]
        return found

    assert [node.mem_id for node in tree.descendants(tree.document)] == walk(tree.document)


@pytest.mark.slow
@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "template"])
def test_go_opens_512_elements(tag: str) -> None:
    most = 510 // len(tag.split("><"))
    Tree(f"<{tag}>".encode() * most)
    with pytest.raises(TooDeepError):
        Tree(f"<{tag}>".encode() * 20_000)
    if tag == "div":
        with pytest.raises(TooDeepError):
            Tree(b"<div>" * 511)

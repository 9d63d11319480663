"""Markup in Go's spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.html.render import inner_html
from jsrunner.html.selector import below, compiled
from jsrunner.html.tree import Tree


def body(source: str) -> str:
    tree = Tree(source.encode())
    return inner_html(tree, next(below(tree, tree.document, compiled("body"))))


def document(source: str) -> str:
    tree = Tree(source.encode())
    return inner_html(tree, tree.document)


@pytest.mark.parametrize(
    ("source", "markup"),
    [
        ("<br><img src=x>", '<br/><img src="x"/>'),
        ("<p title=\"a'b&quot;<>&amp;\">", '<p title="a&#39;b&#34;&lt;&gt;&amp;"></p>'),
        ("a'b\"c&lt;&gt;&amp;&nbsp;", "a&#39;b&#34;c&lt;&gt;&amp;\xa0"),
        ("&#13;", "&#13;"),
        ("<script>a < 'b'</script><style>p>a</style>", "<script>a < 'b'</script><style>p>a</style>"),
        ("<svg><style>a&gt;b</style></svg>", "<svg><style>a&gt;b</style></svg>"),
        ("<noscript><b>'x'</b></noscript>", "<noscript><b>'x'</b></noscript>"),
        ("<iframe><b></iframe>", "<iframe><b></iframe>"),
        ("<!-- a & b --><!--> c-->", "<!-- a &amp; b --><!----> c--&gt;"),
        ("<!-- &lt; --><!--a-->", "<!-- < --><!--a-->"),
        ("<pre>\n\nx</pre><textarea>\n\n</textarea>", "<pre>\n\nx</pre><textarea>\n\n</textarea>"),
        ("<pre>\nx</pre>", "<pre>x</pre>"),
        ("<svg viewbox=1 xlink:href=#a><foreignobject>", '<svg viewBox="1" xlink:href="#a">'
         "<foreignObject></foreignObject></svg>"),
        ("<template>a<b>c</b></template>", "<template>a<b>c</b></template>"),
        ("<p>x<plaintext>a<b>", "<p>x</p><plaintext>a<b>"),
        ("<p a b=''>", '<p a="" b=""></p>'),
    ],
)  # fmt: skip
def test_markup(source: str, markup: str) -> None:
    assert body(f"<body>{source}") == markup


@pytest.mark.parametrize(
    ("source", "markup"),
    [
        ("<!doctype HTML>", "<!DOCTYPE html>"),
        ('<!doctype html public "-//a" "b">', '<!DOCTYPE html PUBLIC "-//a" "b">'),
        ('<!doctype html public "-//a">', '<!DOCTYPE html PUBLIC "-//a">'),
        ("<!doctype html system 'b'>", '<!DOCTYPE html SYSTEM "b">'),
    ],
)
def test_document_types(source: str, markup: str) -> None:
    assert document(source) == markup + "<html><head></head><body></body></html>"


def test_great_depth() -> None:
    assert body("<div>" * 510) == "<div>" * 510 + "</div>" * 510


_TEXT = st.text(alphabet="ab<>&\"' \u00e4;", max_size=10)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["p", "b", "div", "br", "script"]), _TEXT), max_size=6))
def test_markup_that_is_parsed_again_is_the_same(parts: list[tuple[str, str]]) -> None:
    once = document("".join(f"<{tag}>{text}</{tag}>" for tag, text in parts))
    twice = document(once)
    assert document(twice) == twice

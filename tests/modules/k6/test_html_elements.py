"""k6/html as a script sees it: elements."""

from __future__ import annotations

import pytest
from html_values import FORM, start, value, values


@pytest.mark.parametrize(
    ("element", "calls"),
    [
        ("f", {"name": "fn", "action": "send?x", "method": "post", "enctype": "text/plain",
               "target": "", "encoding": "text/plain", "length": 15, "noValidate": False,
               "autocomplete": "on"}),
        ("i", {"value": "a & b", "defaultValue": "a & b", "type": "text", "maxLength": -1, "size": 0,
               "formMethod": "post", "formAction": "send?x", "formEnctype": "text/plain",
               "formNoValidate": False, "formTarget": "", "checked": False, "required": False}),
        ("c1", {"checked": True, "defaultChecked": True, "type": "checkbox", "readonly": False}),
        ("b", {"type": "submit", "value": "B<i>!</i>", "formAction": "other", "formMethod": "post"}),
        ("alone", {"form": "undefined", "formMethod": "get", "formAction": "",
                   "formEnctype": "application/x-www-form-urlencoded", "labels": []}),
        ("t", {"type": "textarea", "value": "", "length": 0, "rows": 0, "wrap": "soft"}),
        ("s1", {"type": "select", "size": 1, "value": "2", "selectedIndex": 1, "length": 2}),
        ("s2", {"type": "select-multiple", "size": 4, "value": "x", "selectedIndex": 0}),
        ("s3", {"selectedIndex": -1, "value": "", "selectedOptions": []}),
        ("o", {"text": "two", "label": "two", "value": "2", "index": 1, "selected": True,
               "disabled": False}),
        ("d1", {"label": "lab", "index": 0, "form": "undefined"}),
        ("fs", {"type": "fieldset", "disabled": True, "validity": "undefined"}),
        ("out", {"value": "42", "defaultValue": "42", "type": "output"}),
        ("m", {"min": 1, "max": 0}),
        ("pr", {"value": 0.75, "position": 0.75, "max": 4}),
        ("pr2", {"value": 0, "position": -1, "max": 1}),
        ("l", {"htmlFor": "i"}),
    ],
)  # fmt: skip
def test_fields(element: str, calls: dict[str, object]) -> None:
    found = values(*(f"doc.find('#{element}').get(0).{name}()" for name in calls), page=FORM)
    assert dict(zip(calls, found, strict=True)) == calls


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("get('i').form()", "f"),
        ("get('far').form()", "f"),
        ("get('lg').form()", "f"),
        ("get('o').form()", "f"),
        ("get('l').control()", "i"),
        ("get('far').list()", "dl"),
        ("get('i').labels()", "w l"),
        ("get('s1').options()", " o"),
        ("get('s1').selectedOptions()", "o"),
        ("get('dl').options()", "d1"),
    ],
)
def test_related_fields(expression: str, expected: str) -> None:
    source = f"""[((get) => {expression})((id) => doc.find(`#${{id}}`).get(0))].flat()
        .map((one) => one.id()).join(' ')"""
    assert value(source, page=FORM) == expected


LINKS = """<base href=/b><a id=a href="https://u:p@h.test:443/x%20y?q#f" rel="a b" accesskey=k
referrerpolicy=origin hreflang=de>A<b>!</b></a><area id=area><a id=bad href="%zz"></a>
<link rel="x  y" href=s.css crossorigin=use-credentials><img id=im height=5 width=5x src=i.png
crossorigin=other ismap><map id=mp name=n><area><area></map><img usemap="#mp"><object usemap="#mp">
</object><video autoplay><track kind=chapters><track kind=x></video><style></style>
<script async src=s.js>code</script><canvas></canvas><iframe src=f.html></iframe>"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.href()", "https://u:p@h.test:443/x%20y?q#f"),
        ("`${a}`", "https://u:p@h.test:443/x%20y?q#f"),
        ("[a.protocol(), a.host(), a.hostname(), a.port(), a.pathname(), a.search(), a.hash()]",
         ["https", "h.test", "h.test", "443", "/x y", "?q", "#f"]),
        ("[a.username(), a.password(), a.origin()]", ["u", "p", "https://h.test:443"]),
        ("[a.relList(), a.accessKey(), a.referrerPolicy(), a.hrefLang(), a.text(), a.target()]",
         [["a", "b"], "k", "origin", "de", "A!", ""]),
        ("[get('area').href(), get('area').protocol(), get('area').host()]", ["", ":", ""]),
        ("[get('#bad').href(), get('#bad').host()]", ["%zz", ""]),
        ("[get('base').href(), get('base').target()]", ["/b", ""]),
        ("[get('link').relList(), get('link').crossOrigin(), get('link').href()]",
         [["x", "", "y"], "use-credentials", "s.css"]),
        ("[get('img').height(), get('img').width(), get('img').src(), get('img').isMap()]",
         [5, 0, "i.png", True]),
        ("typeof get('img').crossOrigin()", "undefined"),
        ("[get('map').areas().length, get('map').images().length]", [2, 2]),
        ("get('video').textTracks().map((track) => track.kind())", ["chapters", "subtitle"]),
        ("[get('video').autoplay(), get('video').loop(), get('video').preload()]",
         [True, False, "auto"]),
        ("[get('style').type(), get('script').text(), get('script').async(), get('script').src()]",
         ["text/css", "code", True, "s.js"]),
        ("[get('canvas').width(), get('iframe').src()]", [150, "f.html"]),
    ],
)  # fmt: skip
def test_links_and_resources(expression: str, expected: object) -> None:
    source = f"""((get) => {{ const a = get('#a'); return {expression}; }})(
        (selector) => doc.find(selector).get(0))"""
    assert value(source, page=LINKS) == expected


TABLE = """<table id=t><caption>C</caption><thead><tr id=r1><th id=h scope=row abbr=x colspan=2>H</th>
<td></td></tr></thead><tbody><tr id=r2><td id=d rowspan=x></td></tr><tr id=r3></tr></tbody><tfoot>
<tr></tr></tfoot></table><col><ol start=3 reversed><li value=5 type=i></li></ol><table><colgroup>
<col span=-1><col span=2></table><time datetime=now></time>
<meta http-equiv=refresh content=c><ins cite=c></ins>"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[get('table').rows().length, get('table').tBodies().length]", [4, 1]),
        ("[get('table').caption().textContent(), get('table').tHead().rows().length]", ["C", 1]),
        ("get('table').tFoot().nodeName()", "tfoot"),
        ("[get('#r1').rowIndex(), get('#r3').rowIndex(), get('#r3').sectionRowIndex()]", [0, 2, 1]),
        ("get('#r1').cells().length", 2),
        ("[get('#h').cellIndex(), get('#h').scope(), get('#h').abbr(), get('#h').colSpan()]",
         [0, "row", "x", 2]),
        ("[get('#d').rowSpan(), get('#d').headers()]", [1, ""]),
        ("doc.find('col').get().map((one) => one.span())", [1, 2]),
        ("[get('ol').start(), get('ol').reversed(), get('ol').type()]", [3, True, "1"]),
        ("[get('li').value(), get('li').type()]", [5, "i"]),
        ("[get('time').datetime(), get('meta').httpEquiv(), get('meta').content()]",
         ["now", "refresh", "c"]),
        ("get('ins').cite()", "c"),
    ],
)  # fmt: skip
def test_tables_and_texts(expression: str, expected: object) -> None:
    source = f"((get) => {expression})((selector) => doc.find(selector).get(0))"
    assert value(source, page=TABLE) == expected


NODES = """<!doctype html>
<div id=d class="one  two" lang=de><p>first</p>text<!-- c --><span>last</span></div>
<svg xlink:href=#x xml:lang=fr><title>t</title></svg><p>first</p>"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[d.nodeName(), d.nodeType(), d.nodeValue(), d.id(), d.className(), d.lang(), `${d}`]",
         ["div", 1, None, "d", "one  two", "de", "[object html.Node]"]),
        ("d.classList()", ["one", "two"]),
        ("[p.classList(), p.className(), p.id(), p.lang()]", [[], None, "", None]),
        ("d.childNodes().map((one) => [one.nodeName(), one.nodeType(), one.nodeValue(), `${one}`])",
         [["p", 1, None, "[object html.Node]"], ["#text", 3, "text", "[object #text]"],
          ["#comment", 8, "", "[object #comment]"], ["span", 1, None, "[object html.Node]"]]),
        ("[d.innerHTML(), d.textContent()]",
         ["<p>first</p>text<!-- c --><span>last</span>", "firsttextlast"]),
        ("[d.childElementCount(), d.children().length, d.hasChildNodes()]", [2, 2, True]),
        ("[d.firstChild().nodeName(), d.lastChild().nodeName(), p.firstElementChild()]",
         ["p", "span", None]),
        ("[d.firstElementChild().nodeName(), d.lastElementChild().nodeName()]", ["p", "span"]),
        ("[p.nextSibling().nodeName(), p.nextElementSibling().nodeName(), p.previousSibling()]",
         ["#text", "span", None]),
        ("[get('span').previousSibling().nodeName(), get('span').previousElementSibling().nodeName()]",
         ["#comment", "p"]),
        ("[get('html').parentNode().nodeName(), get('html').parentElement()]", ["#document", None]),
        ("[d.ownerDocument().nodeType(), d.ownerDocument().nodeName(), d.parentElement().nodeName()]",
         [9, "#document", "body"]),
        ("[d.ownerDocument().firstChild().nodeName(), d.ownerDocument().firstChild().nodeType()]",
         ["html", 10]),
        ("Object.keys(d.attributes())", ["id", "class", "lang"]),
        ("((a) => [a.name, a.value, a.prefix(), a.localName(), a.owner_element.id()])("
         "d.attributes().id)",
         ["id", "d", "", "id", "d"]),
        ("((a) => [a.name, a.prefix(), a.namespaceURI()])(get('svg').getAttributeNode('href'))",
         ["href", "xlink", "http://www.w3.org/1999/xhtml"]),
        ("[d.getAttribute('id'), d.getAttribute('no'), d.getAttributeNode('no'), d.hasAttribute('id'),"
         "d.hasAttribute('no'), d.hasAttributes(), p.hasAttributes()]",
         ["d", None, None, True, False, True, False]),
        ("[get('svg').namespaceURI(), get('svg').isDefaultNamespace(), get('svg').lang()]",
         ["http://www.w3.org/2000/svg", False, None]),
        ("[p.namespaceURI(), p.isDefaultNamespace()]", ["http://www.w3.org/1999/xhtml", True]),
        ("[d.querySelector('span').nodeName(), d.querySelector('b'), d.querySelectorAll('*').length]",
         ["span", None, 2]),
        ("[d.getElementsByTagName('p').length, get('body').getElementsByClassName('two').length]",
         [1, 1]),
        ("[d.matches('.one'), d.matches('p'), d.matches('(')]", [True, False, False]),
        ("[d.contains(p), p.contains(d), d.contains(d), d.contains('p')]", [True, False, False, False]),
        ("[p.isSameNode(d.firstChild()), p.isSameNode(doc.find('p').get(1)), p.isSameNode(1)]",
         [True, False, False]),
        ("[p.isEqualNode(doc.find('p').get(1)), p.isEqualNode(d), p.isEqualNode()]",
         [True, False, False]),
        ("d.selection().find('span').text()", "last"),
        ("JSON.stringify(d)", "{}"),
    ],
)  # fmt: skip
def test_nodes(expression: str, expected: object) -> None:
    source = f"""((get) => {{ const [d, p] = [get('div'), get('p')]; return {expression}; }})(
        (selector) => doc.find(selector).get(0))"""
    assert value(source, page=NODES) == expected


def test_each_hands_over_elements() -> None:
    _, logged = start(
        """import html from 'k6/html';
        html.parseHTML('<b id=x></b><i></i>').find('b, i').each(function (index, element) {
          console.log(index, element.nodeName(), typeof this);
        });"""
    )
    assert logged == ["0 b function", "1 i function"]

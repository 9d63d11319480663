"""k6/html as a script sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.messages.protocol import Log
from jsrunner.script.script import Script
from jsrunner.secrets.sources import Secrets
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from jsrunner.worker.vu import VU

PAGE = """<html lang="en"><head><title>T</title></head><body><h1 id="top">Head</h1>
<ul id="u"><li id="a" class="x">1</li><li id="b">2</li><li id="c" class="x">3<b>!</b></li></ul>
<p id="p">text</p><a id="l" href="/x">link</a></body></html>"""


def start(source: str) -> tuple[VU, list[str]]:
    """A VU that has run its init code, and what this has logged."""
    said: list[object] = []
    process = Process(
        Script("script.js", source=source), environment={}, secrets=Secrets({}), say=said.append
    )
    vu = new_vu(process, 0)
    return vu, [message.text for message in said if isinstance(message, Log)]


def values(*expressions: str, page: str = PAGE) -> list[Any]:
    """The values of expressions in `doc`; of those that throw the exception's text."""
    _, logged = start(
        f"""import {{ parseHTML }} from 'k6/html';
        const doc = parseHTML({json.dumps(page)});
        const ids = (selection) => selection.map((i, one) => one.attr('id')
          ?? one.get(0).nodeName()).join(' ');
        const read = (get) => {{
          try {{
            const value = get();
            return value === undefined ? 'undefined' : value;
          }} catch (error) {{
            return `${{error}}`;
          }}
        }};
        for (const get of [{", ".join(f"() => ({one})" for one in expressions)}]) {{
          console.log(JSON.stringify(read(get)));
        }}"""
    )
    return [json.loads(one) for one in logged]


def value(expression: str, page: str = PAGE) -> Any:
    return values(expression, page=page)[0]


# -- Selection ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("doc.find('li')", "a b c"),
        ("doc.find('ul').find(doc.find('#b, #p'))", "b"),
        ("doc.find('body').find(doc.find('#p').get(0))", "p"),
        ("doc.find('li').find('b')", "b"),
        ("doc.find(':bad')", ""),
        ("doc.single('li')", "a"),
        ("doc.find('b').single('nothing')", ""),
        ("doc.find('#b').add('#p')", "b p"),
        ("doc.find('#b').add(doc.find('li'))", "b a c"),
        ("doc.find('#b').add(doc.find('#p').get(0))", "b p"),
        ("doc.find('li').filter('.x')", "a c"),
        ("doc.find('li').filter((i, one) => one.text() === '2')", "b"),
        ("doc.find('li').filter((i) => i)", "b c"),
        ("doc.find('li').filter(doc.find('#c'))", "c"),
        ("doc.find('li').not('.x')", "b"),
        ("doc.find('li').not((i) => i < 2)", "c"),
        ("doc.find('li').not(doc.find('#a'))", "b c"),
        ("doc.find('#b, #p').not(doc.find('#p').get(0))", "b"),
        ("doc.find('li').has('b')", "c"),
        ("doc.find('li').has(doc.find('b'))", "c"),
        ("doc.find('li, ul').has(doc.find('b').get(0))", "u c"),
        ("doc.find('b').closest('ul')", "u"),
        ("doc.find('b, #a').closest(doc.find('li'))", "a c"),
        ("doc.find('li').closest('ul')", "u"),
        ("doc.find('li').eq(1)", "b"),
        ("doc.find('li').eq(-1)", "c"),
        ("doc.find('li').eq(5)", ""),
        ("doc.find('li').first()", "a"),
        ("doc.find('li').last()", "c"),
        ("doc.find('li').slice(1)", "b c"),
        ("doc.find('li').slice(-2, -1)", "b"),
        ("doc.find('li').slice(0, 9)", "a b c"),
        ("doc.find('li').filter('.x').end()", "a b c"),
        ("doc.end()", ""),
        ("doc.find('ul').children()", "a b c"),
        ("doc.find('ul').children('.x')", "a c"),
        ("doc.find('ul').children(undefined)", ""),
        ("doc.find('#c').contents()", "#text b"),
        ("doc.find('#a').next()", "b"),
        ("doc.find('#a').next('.x')", ""),
        ("doc.find('li').next()", "b c"),
        ("doc.find('#a').nextAll()", "b c"),
        ("doc.find('#a').nextAll('.x')", "c"),
        ("doc.find('#a').nextUntil('.x')", "b"),
        ("doc.find('#a').nextUntil(doc.find('#b'))", ""),
        ("doc.find('#a').nextUntil()", "b c"),
        ("doc.find('#a').nextUntil(null)", "b c"),
        ("doc.find('#a').nextUntil(null, '.x')", "c"),
        ("doc.find('#a').nextUntil('#c', 'li')", "b"),
        ("doc.find('#a').nextUntil('#c', undefined)", ""),
        ("doc.find('#c').prev()", "b"),
        ("doc.find('#c').prevAll()", "b a"),
        ("doc.find('#c').prevUntil('#a')", "b"),
        ("doc.find('#c').prevUntil(doc.find('#a'), '.x')", ""),
        ("doc.find('li').parent()", "u"),
        ("doc.find('li').parent('ol')", ""),
        ("doc.find('b').parents()", "c u body html"),
        ("doc.find('b').parents('ul, html')", "u html"),
        ("doc.find('b').parentsUntil('body')", "c u"),
        ("doc.find('b').parentsUntil('body', 'ul')", "u"),
        ("doc.find('b').parentsUntil(doc.find('#u'))", "c"),
        ("doc.find('#b').siblings()", "a c"),
        ("doc.find('#b').siblings('#c')", "c"),
        ("doc.find('li').each(() => 1)", "a b c"),
    ],
)
def test_selections(expression: str, expected: str) -> None:
    assert value(f"ids({expression})") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("doc.find('li').size()", 3),
        ("doc.find('li').text()", "123!"),
        ("doc.find('none').text()", ""),
        ("doc.find('#c').html()", "3<b>!</b>"),
        ("doc.find('none').html()", ""),
        ("doc.find('#a').attr('class')", "x"),
        ("doc.find('#a').attr('none')", "undefined"),
        ("doc.find('#a').attr('none', 5)", 5),
        ("doc.find('none').attr('none', 'd')", "d"),
        ("doc.find('li').is('.x')", True),
        ("doc.find('#b').is('.x')", False),
        ("doc.find('li').is(doc.find('#c'))", True),
        ("doc.find('li').is((i, one) => one.is('#b'))", True),
        ("doc.find('li').index()", 0),
        ("doc.find('#p').index()", 2),
        ("doc.find('none').index()", -1),
        ("doc.find('li').index(doc.find('#c'))", 2),
        ("doc.find('li, p').index(doc.find('#p').get(0))", 3),
        ("doc.find('li').index(doc.find('#c').get(0))", -1),  # k6 takes plain elements only
        ("doc.find('#c').index('li')", 2),
        ("doc.find('#c').index('p')", -1),
        ("doc.find('li').index(5)", -1),
        ("doc.find('li').map((i, one) => i + one.text())", ["01", "12", "23!"]),
        ("doc.find('li').map((i) => { if (i) throw 1; return 'kept'; })", ["kept"]),
        ("doc.find('none').map(() => 1)", []),
        ("doc.find('li').toArray().map((one) => one.attr('id'))", ["a", "b", "c"]),
        ("doc.find('li').get().map((one) => one.id())", ["a", "b", "c"]),
        ("doc.find('li').get(1).id()", "b"),
        ("doc.find('li').get(-1).id()", "c"),
        ("doc.find('li').get(-3)", "undefined"),
        ("doc.find('li').get(3)", "undefined"),
        ("doc.url", ""),
        ("Object.keys(doc.find('li'))", ["url"]),
        ("doc.find('#p').val()", "undefined"),
        ("doc.find('none').val()", "undefined"),
        ("parseHTML().html()", "<html><head></head><body></body></html>"),
        ("parseHTML('\\u{1F600}&auml;').text()", "\U0001f600\u00e4"),
        ("parseHTML('a\\0b').find('body').text()", "ab"),
        ("parseHTML('x'.repeat(70000)).text().length", 70000),
    ],
)
def test_readings(expression: str, expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("doc.find()", "invalid argument, cannot use a '<nil>' as a selector"),
        ("doc.find(5)", "invalid argument, cannot use a 'int64' as a selector"),
        ("doc.add(1.5)", "invalid argument, cannot use a 'float64' as a selector"),
        ("doc.has({})", "invalid argument, cannot use a 'map[string]interface {}' as a selector"),
        ("doc.closest([])", "invalid argument, cannot use a '[]interface {}' as a selector"),
        ("doc.not(true)", "invalid argument, cannot use a 'bool' as a selector"),
        ("doc.find(() => 1)", "invalid argument, cannot use a 'func(sobek.FunctionCall) sobek.Value' "
         "as a selector"),
        ("doc.has(doc.find('a').get(0))",
         "invalid argument, cannot use a 'html.AnchorElement' as a selector"),
        ("doc.nextUntil(5)", "invalid argument, cannot use a 'int64' as a selector"),
        ("doc.prevUntil(doc.find('p').get(0))",
         "invalid argument, cannot use a 'html.Element' as a selector"),
        ("doc.parentsUntil('a', 'b', 'c')", "invalid argument, cannot use a 'string' as a selector"),
        ("doc.filter(5)", "the argument to filter() must be a function, a selector or a selection"),
        ("doc.is()", "the argument to is() must be a function, a selector or a selection"),
        ("doc.each('x')", "the argument to each() must be a function"),
        ("doc.map()", "the argument to map() must be a function"),
        ("doc.slice(5)", "runtime error: slice bounds out of range [5:1]"),
        ("doc.find(':not('.repeat(2000) + 'p' + ')'.repeat(2000))", "the selector has too many levels"),
        ("doc.find('p').is(':not('.repeat(2000) + 'p' + ')'.repeat(2000))",
         "the selector has too many levels"),
        ("parseHTML('<div>'.repeat(511))", "html: open stack of elements exceeds 512 nodes"),
    ],
)  # fmt: skip
def test_wrong_arguments(expression: str, text: str) -> None:
    assert value(expression) == f"GoError: {text}"


def test_exceptions_in_callbacks() -> None:
    each, place, kept, tested = values(
        "doc.find('p').each(() => { throw new TypeError('no'); })",
        "doc.find('p').each(function named() { throw new Error('no'); })",
        "doc.find('p').each(() => { throw 'text'; })",
        "doc.find('p').filter(() => { throw new RangeError('mine'); })",
    )
    start_of_text = "GoError: the function passed to each() failed: "
    assert each.startswith(f"{start_of_text}TypeError: no at file:///")
    assert place.startswith(f"{start_of_text}Error: no at named (file:///")
    assert kept == f"{start_of_text}text"
    assert tested == "RangeError: mine"


def test_functions_of_filters_see_another_kind_of_selection() -> None:
    _, logged = start(
        f"""import {{ parseHTML }} from 'k6/html';
        parseHTML({json.dumps(PAGE)}).find('#a').filter((i, one) => console.log(JSON.stringify([
          one.attr('id'), one.attr('no'), one.attrOr('no', 'd'), one.hasClass('x'), one.hasClass('y'),
          one.length(), typeof one.val, one.next().attr('id')])));"""
    )
    assert json.loads(logged[0]) == [
        ["a", True], ["", False], "d", True, False, 1, "undefined", ["b", True],
    ]  # fmt: skip


def test_nodes_of_other_documents_are_unknown() -> None:
    assert values(
        "doc.find('li').filter(parseHTML('<li>').find('li')).size()",
        "doc.find('li').index(parseHTML('<li>').find('li'))",
        "doc.find('p').get(0).isSameNode(parseHTML('<p>').find('p').get(0))",
    ) == [0, -1, False]


# -- data --------------------------------------------------------------------------------------------

DATA = """<div data-text="abc" data-num="12" data-neg="-0.5" data-zero="-0" data-small="0.0000001"
data-big="1000000000000000000000000" data-float="1.50" data-exp="1e3" data-zip="0123" data-yes="true"
data-no="false" data-nil="null" data-undef="undefined" data-empty="" data-obj='{"a": [1]}'
data-bad="{x" data-inf="+Inf" data-user-id="7" data-a-b-c="8" data-x--y="9" data-oauth-oauth-key="k"
data-="none"></div><p></p><i class="x"></i>"""


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("text", "abc"), ("num", 12), ("neg", -0.5), ("zero", 0), ("small", 1e-7), ("big", 1e24),
        ("float", "1.50"), ("exp", "1e3"), ("zip", "0123"), ("yes", True), ("no", False),
        ("nil", "undefined"), ("undef", "undefined"), ("empty", "undefined"), ("obj", {"a": [1]}),
        ("bad", "{x"), ("inf", None), ("user-id", 7), ("userID", 7), ("userId", 7), ("aBC", 8),
        ("none", "undefined"),
    ],
)  # fmt: skip
def test_data(key: str, expected: object) -> None:
    assert value(f"doc.find('div').data({json.dumps(key)})", page=DATA) == expected


def test_all_data() -> None:
    names, none, empty, missing = values(
        "Object.keys(doc.find('div').data())",
        "doc.find('p').data()",
        "doc.find('i').data()",
        "doc.find('none').data('x')",
        page=DATA,
    )
    assert set(names) >= {"text", "userID", "aBC", "xY", "oauthOAuthKey", "nil"}
    assert "" not in names
    assert (none, empty, missing) == ("undefined", {}, "undefined")


# -- forms -------------------------------------------------------------------------------------------

FORM = """<form id=f name=fn action="send?x" method=post enctype=text/plain><label id=w>W
<input id=i name=i value="a &amp; b"></label><input id=e><input id=c1 type=checkbox name=c1 checked>
<input id=c2 type=checkbox name=c2 checked=checked><input type=radio name=r value=1>
<input type=radio name=r value=2 checked=checked><input type=submit name=s value=S>
<input name=d disabled=disabled value=D><input name=d2 disabled value=D2>
<button id=b name=b formaction=other formmethod=POST>B<i>!</i></button>
<textarea id=t name=t>x &lt; y</textarea>
<select id=s1 name=s1><option>one</option><option id=o value=2 selected>two</option></select>
<select id=s2 name=s2 multiple><optgroup disabled><option selected>x</option></optgroup>
<option selected value=y></option></select><select id=s3 name=s3><option>no</option></select>
<fieldset id=fs disabled><legend id=lg>L</legend></fieldset><output id=out name=out>42</output>
<meter id=m min=1 max=x></meter><progress id=pr value=3 max=4></progress><progress id=pr2>
</progress></form>
<label id=l for=i>L</label><input id=far form=f list=dl type=url><button id=alone></button>
<datalist id=dl><option id=d1 label=lab>one</option></datalist>"""


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("#i", "a & b"), ("#e", ""), ("#c1", "on"), ("#b", ""), ("#t", "x &lt; y"), ("#s1", "2"),
        ("#s2", ["x", "y"]), ("#s3", ""), ("#o", "2"), ("form", "undefined"),
    ],
)  # fmt: skip
def test_values(selector: str, expected: object) -> None:
    assert value(f"doc.find('{selector}').val()", page=FORM) == expected


def test_serializing() -> None:
    text, array, fields, own = values(
        "doc.find('form').serialize()",
        "doc.find('form').serializeArray()",
        "doc.find('form').serializeObject()",
        "doc.find('#t, #i').serialize()",
        page=FORM,
    )
    expected = {
        "i": "a & b", "c2": "on", "r": "2", "d2": "D2", "t": "x &lt; y", "s1": "2",
        "s2": ["x", "y"], "s3": "",
    }  # fmt: skip
    assert fields == expected
    assert array == [{"name": name, "value": value} for name, value in expected.items()]
    assert text == "c2=on&d2=D2&i=a+%26+b&r=2&s1=2&s2=x&s2=y&s3=&t=x+%26lt%3B+y"
    assert own == "i=a+%26+b&t=x+%26lt%3B+y"


# -- Element -----------------------------------------------------------------------------------------


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


# -- memory ------------------------------------------------------------------------------------------


def test_documents_that_nobody_has_are_let_go() -> None:
    vu, logged = start(
        """import { parseHTML } from 'k6/html';
        const kept = parseHTML('<p>kept</p>').find('p');
        let element = parseHTML('<b>element</b>').find('b').get(0);
        for (let i = 0; i < 100; i += 1) parseHTML('<p></p>').find('p').text();
        console.log(kept.text(), element.textContent());"""
    )
    assert logged == ["kept element"]
    # The last one is looked for when another is made.
    assert len(vu.modules["html"]._trees) == 3  # type: ignore[attr-defined]

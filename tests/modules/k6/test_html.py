"""k6/html as a script sees it: selections, data, forms, memory."""

from __future__ import annotations

import json

import pytest
from html_values import FORM, PAGE, start, value, values

# -- Selection -------------------------------------------------------------------------------------------


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


# -- data ------------------------------------------------------------------------------------------------

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


# -- forms -----------------------------------------------------------------------------------------------


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


# -- memory ----------------------------------------------------------------------------------------------


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
    assert len(vu.context.modules["html"]._trees) == 3  # type: ignore[attr-defined]

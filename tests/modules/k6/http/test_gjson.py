"""Paths into JSON values: the examples of gjson's own description, and what lies beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.messages.protocol import Log
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE: dict[str, Any] = {
    "name": {"first": "Tom", "last": "Anderson"},
    "age": 37,
    "children": ["Sara", "Alex", "Jack"],
    "fav.movie": "Deer Hunter",
    "friends": [
        {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"]},
        {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"]},
        {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"]},
    ],
}
ODD: dict[str, Any] = {
    "a*b": 1, "": {"": 2}, "0": "zero", "list": [[1, 2], [3, [4]], None], "t": True, "f": False, "n": None,
    "values": [{"v": True}, {"v": False}, {"v": None}, {"v": 0}, {"v": "x*y"}, {}],
    "text": "[1,{\"a\":2}]", "__proto__": "mine", "numbers": [5, 1, 9],
}  # fmt: skip


@pytest.fixture(scope="module")
def select() -> Callable[[Any, str], Any]:
    """`select(value, path)` by the module as an interpreter runs it; None for undefined."""
    said: list[Any] = []
    process = Process(
        ScriptBundle("script.js", source="export default () => {}"),
        environment={},
        secrets=SecretSources({}),
        send=said.append,
    )
    interpreter = new_vu(process, 0).interpreter
    interpreter.evaluate(
        """import { get } from 'jsrunner:k6/http/gjson'; import { entries } from 'jsrunner:host';
        entries.select = (value, path) => get(value, path) ?? null;""",
        "jsrunner:test/select",
    )
    assert not [one for one in said if isinstance(one, Log)]
    return lambda value, path: interpreter.call("select", value, path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        # https://github.com/tidwall/gjson/blob/master/SYNTAX.md
        ("name.last", "Anderson"), ("name.first", "Tom"), ("age", 37), ("children.0", "Sara"),
        ("children.1", "Alex"), ("friends.1", PEOPLE["friends"][1]), ("friends.1.first", "Roger"),
        ("child*.2", "Jack"), ("c?ildren.0", "Sara"), (r"fav\.movie", "Deer Hunter"),
        ("friends.#", 3), ("friends.#.age", [44, 68, 47]),
        ('friends.#(last=="Murphy").first', "Dale"), ('friends.#(last=="Murphy")#.first', ["Dale", "Jane"]),
        ("friends.#(age>45)#.last", ["Craig", "Murphy"]), ('friends.#(first%"D*").last', "Murphy"),
        ('friends.#(first!%"D*").last', "Craig"), ('children.#(!%"*a*")', "Alex"),
        ('children.#(%"*a*")#', ["Sara", "Jack"]),
        ('friends.#(nets.#(=="fb"))#.first', ["Dale", "Roger"]),
        ("friends.0.first", "Dale"), ("friends|0.first", "Dale"), ("friends.0|first", "Dale"),
        ("friends|#", 3), ('friends.#(last="Murphy")#|0', PEOPLE["friends"][0]),
        ('friends.#(last="Murphy")#.0', []), ('friends.#(last="Murphy")#|#', 2),
        ('friends.#(last="Murphy")#|first', None),
        ("children.@reverse", ["Jack", "Alex", "Sara"]), ("children.@reverse.0", "Jack"),
        ("name.@keys", ["first", "last"]), ("name.@values", ["Tom", "Anderson"]),
        ('{name.first,age,"the_murphys":friends.#(last="Murphy")#.first}',
         {"first": "Tom", "age": 37, "the_murphys": ["Dale", "Jane"]}),
        ("[name.first,age,none]", ["Tom", 37]), ('name.{first,"made":!"up"}', {"first": "Tom", "made": "up"}),
        ("friends.#.{first,age}|1", {"first": "Roger", "age": 68}),
        # not there
        ("none", None), ("name.none", None), ("name.first.none", None), ("children.9", None),
        ("children.x", None), ("friends.#.none", []), ("friends.#(none)", None), ("", None),
        ("friends.#(last", None), ("{name", None), ("age.#", None), ("@none", None),
    ],
)  # fmt: skip
def test_paths(path: str, found: Any, select: Callable[[Any, str], Any]) -> None:
    assert select(PEOPLE, path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (r"a\*b", 1), ("0", "zero"), ("list.0.1", 2), ("list.1.1.0", 4), ("list.#.0", [1, 3]),
        ("list.@flatten", [1, 2, 3, [4], None]), ('list.@flatten:{"deep":true}', [1, 2, 3, 4, None]),
        ("values.#(v==true)#", [{"v": True}, {"v": 0}]),  # to a number every word is 0
         ("values.#(v==~true)#", [{"v": True}]),
        ("values.#(v==~false)#|#", 5), ("values.#(v==~null)#", [{"v": None}, {}]),
        ("values.#(v==~*)#|#", 5), ('values.#(v%"x\\*y").v', "x*y"), ("numbers.#(>4)#", [5, 9]),
        ("numbers.#(<=1)", 1), ("numbers.#(!=5)#", [1, 9]), ("text.@fromstr.1.a", 2),
        ("numbers.@tostr", "[5,1,9]"), ("t", True), ("f", False), ("n", None),
        ("numbers.@this.0", 5), ("@ugly.t", True),
        ("toString", None), ("constructor", None), ("list.length", None),
    ],
)  # fmt: skip
def test_odd_values(path: str, found: Any, select: Callable[[Any, str], Any]) -> None:
    assert select(ODD, path) == found


def test_joining(select: Callable[[Any, str], Any]) -> None:
    assert select([{"a": 1}, {"b": 2}, {"a": 3}], "@join") == {"a": 3, "b": 2}
    assert select({"id": [1, 2], "v": ["a", "b"]}, "@group") == [
        {"id": 1, "v": "a"},
        {"id": 2, "v": "b"},
    ]
    assert select({"x": {"v": 1}, "y": [{"v": 2}]}, "@dig:v") == [1, 2]


@pytest.mark.parametrize("value", [5, "text", None, True, [], {}])
def test_any_value_can_be_asked(value: Any, select: Callable[[Any, str], Any]) -> None:
    for path in ("a", "0", "#.a", "#(a=1)", "@keys", "{a}", "[a]", "a.b|c", "*", "\\", "@", "#(", "!1"):
        json.dumps(select(value, path))

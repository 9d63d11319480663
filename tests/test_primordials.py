"""Our JavaScript looks nothing up that a script could have changed: see jsrunner/engine/primordials.js.

The rules are about the form of the text, so that they are simple to follow and to check:

- a name of the global scope is imported, or it stands in primordials.js;
- no method of the language's is called as one, no accessor of the language's is read;
- no syntax that uses iterators, `concat`, `Symbol.hasInstance` or `then`;
- what is written to later, or looked into by a name that is computed, has no prototype.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson
import pytest
import tree_sitter_javascript
from tree_sitter import Language, Parser

from jsrunner.engine.engine import process_engine
from jsrunner.engine.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

PACKAGE: Final = Path(__file__).parent.parent / "jsrunner"
PRIMORDIALS: Final = "engine/primordials.js"
#: Not those that replace jslib's files, which in k6 too are JavaScript among the script's own, nor the
#: compiler's, beside which no script runs, nor those of the report's page, which a browser runs.
FILES: Final = {
    str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.js"))
    if not any(path.is_relative_to(PACKAGE / folder) for folder in ("report", "script"))
}

#: Modules that are evaluated before any script runs, each time: they may take the language's functions
#: themselves, at their top level.
EARLY: Final = {name for name in FILES if name.startswith("engine/")} | {
    f"modules/globals/{name}.js"
    for name in (
        "bigint", "collation", "date_setters", "dates", "locale", "maths", "radixes", "raw_json", "sorting",
        "uint8array",
    )
}  # fmt: skip

#: Names that nobody can redefine.
FIXED: Final = {"undefined", "NaN", "Infinity", "arguments"}
#: Where an object literal is what the language reads options from: its place among the arguments.
DESCRIPTORS: Final = {
    "ObjectDefineProperty": 2, "ReflectDefineProperty": 2, "ObjectDefineProperties": 1, "ObjectCreate": 1,
    "Proxy": 1,
}  # fmt: skip
#: What has methods of its own that nobody can change.
SAFE_CLASSES: Final = {"SafeMap", "SafeSet", "SafeWeakMap"}
#: Syntax that looks something up.
SYNTAX: Final = {
    "for_in_statement": "for...of and for...in walk iterators and prototypes",
    "array_pattern": "an array pattern uses an iterator",
    "template_substitution": "the engine calls String.prototype.concat for template literals",
    "yield_expression": "generators have prototypes",
    "await_expression": "await looks up the promise's constructor",
}

_SURVEY = (Path(__file__).parent / "survey.js").read_text()


class Survey(NamedTuple):
    """The engine's built-ins: names of the global scope, methods and accessors of all prototypes."""

    names: frozenset[str]
    methods: frozenset[str]
    accessors: frozenset[str]


@cache
def survey() -> Survey:
    """Look at the engine's own objects."""
    process_engine().forget_modules()  # those of other tests
    found: list[list[str]] = []
    interpreter = Interpreter(
        process_engine(),
        find_operation=lambda name: lambda *names: found.extend(names),
        load=lambda name: FILES[f"engine/{name.removeprefix('jsrunner:')}.js"],
        normalize=lambda base, name: name,
    )
    interpreter.evaluate(_SURVEY, "survey")
    interpreter.close()
    removed = {"WeakRef", "FinalizationRegistry", "performance", "queueMicrotask", "InternalError"}
    names, methods, accessors = (frozenset(one) for one in found)
    # An Error's stack is its own, and so is the length of an array and of a text.
    return Survey((names | removed) - FIXED, methods, accessors - {"length", "stack", "error"})


PARSER: Final = Parser(Language(tree_sitter_javascript.language()))


class Violation(NamedTuple):
    """A place that breaks a rule."""

    line: int
    reason: str


def text_of(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from walk(child)


def has_no_prototype(literal: Node) -> bool:
    """Return True if an object literal has `__proto__: null`."""
    return any(
        pair.type == "pair"
        and text_of(pair.child_by_field_name("key")) == "__proto__"
        and text_of(pair.child_by_field_name("value")) == "null"
        for pair in literal.named_children
    )


def keys_of(literal: Node) -> set[str]:
    """The names that an object literal has for sure."""
    found = {text_of(one) for one in literal.named_children}
    return found | {text_of(one.child_by_field_name("key")) for one in literal.named_children}


class File:
    """One parsed file with what its names are bound to."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.is_early = name in EARLY
        self.root = PARSER.parse(text.encode()).root_node
        self.nodes = list(walk(self.root))
        #: Names that an import or a declaration binds somewhere in the file.
        self.bound = set(self._bound())
        #: Name -> the literals that it is declared or assigned with.
        self.literals: dict[str, list[Node]] = {}
        #: Names that hold an object of ours whose methods nobody can change.
        self.safe: set[str] = set()
        for node in self.nodes:
            if node.type in ("variable_declarator", "assignment_expression"):
                fields = ("name", "value") if node.type == "variable_declarator" else ("left", "right")
                target, value = (node.child_by_field_name(field) for field in fields)
                if target is None or value is None or target.type != "identifier":
                    continue
                if value.type == "object":
                    self.literals.setdefault(text_of(target), []).append(value)
                elif text_of(value.child_by_field_name("constructor")) in SAFE_CLASSES:
                    self.safe.add(text_of(target))

    def _bound(self) -> Iterator[str]:
        for node in self.nodes:
            if node.type == "import_specifier":
                yield text_of(node.child_by_field_name("alias") or node.child_by_field_name("name"))
            elif node.type in ("import_clause", "namespace_import", "formal_parameters"):
                yield from (text_of(one) for one in node.named_children if one.type == "identifier")
            elif node.type in (
                "variable_declarator",
                "function_declaration",
                "function_expression",
                "class_declaration",
                "class",
            ):
                name = node.child_by_field_name("name")
                if name is not None and name.type in ("identifier", "type_identifier"):
                    yield text_of(name)
            elif node.type in ("arrow_function", "catch_clause"):
                parameter = node.child_by_field_name("parameter")
                if parameter is not None and parameter.type == "identifier":
                    yield text_of(parameter)
            elif node.type == "shorthand_property_identifier_pattern":
                yield text_of(node)
            elif node.type in ("rest_pattern", "pair_pattern", "assignment_pattern"):
                yield from (text_of(one) for one in node.named_children if one.type == "identifier")

    def at_top_level(self, node: Node) -> bool:
        """Return True if a node is part of a declaration outside of all functions and classes."""
        while node.parent is not None:
            if node.type in (
                "arrow_function",
                "function_expression",
                "function_declaration",
                "class_body",
            ):
                return False
            node = node.parent
        return True

    # -- rules -------------------------------------------------------------------------------------

    def check(self) -> list[Violation]:
        rules: tuple[Callable[[Node], Iterator[str]], ...] = (
            self.syntax, self.names, self.calls, self.reads, self.literals_written, self.literals_read, self.fields,
        )  # fmt: skip
        of_values = (self.literals_written, self.literals_read, self.fields)
        return [
            Violation(node.start_point[0] + 1, reason)
            for node in self.nodes
            for rule in (of_values if self.is_early and self.at_top_level(node) else rules)
            for reason in rule(node)
        ]

    def syntax(self, node: Node) -> Iterator[str]:
        """No syntax that looks up what a script can change."""
        if node.type in SYNTAX:
            yield SYNTAX[node.type]
        parent = node.parent
        if (
            node.type == "spread_element"
            and parent is not None
            and parent.type in ("arguments", "array")
        ):
            yield "spread of a list uses an iterator"
        if (
            node.type == "binary_expression"
            and text_of(node.child_by_field_name("operator")) == "instanceof"
        ):
            yield "instanceof looks up Symbol.hasInstance: use isInstance"

    def names(self, node: Node) -> Iterator[str]:
        """No global: all names are imported or declared."""
        if node.type not in ("identifier", "shorthand_property_identifier"):
            return
        name = text_of(node)
        if name in self.bound or name in FIXED:
            return
        parent = node.parent
        if parent is not None and parent.type in (
            "labeled_statement",
            "import_specifier",
            "export_specifier",
        ):
            return
        yield f"{name} is a global: import it from jsrunner:primordials"

    def calls(self, node: Node) -> Iterator[str]:
        """No call of a method that a prototype of the language's has."""
        if node.type != "call_expression":
            return
        callee = node.child_by_field_name("function")
        if callee is None or callee.type != "member_expression":
            return
        receiver, method = (text_of(callee.child_by_field_name(one)) for one in ("object", "property"))
        if receiver in survey().names:
            yield f"{receiver}.{method} may be another function by now"
        elif method in survey().methods and receiver not in self.safe | {"this", "super"}:
            yield f".{method}() may be another function by now"

    def reads(self, node: Node) -> Iterator[str]:
        """No read of an accessor that a prototype of the language's has, and none from globals."""
        if node.type != "member_expression":
            return
        receiver, name = (text_of(node.child_by_field_name(one)) for one in ("object", "property"))
        if name in survey().accessors and receiver not in self.safe | {"this"}:
            yield f".{name} may be another accessor by now"
        is_global = receiver.split(".")[0] in survey().names
        is_deleted = node.parent is not None and node.parent.type == "unary_expression"
        if is_global and name != "prototype" and not is_deleted:
            yield f"{receiver}.{name} may be something else by now"

    def literals_written(self, node: Node) -> Iterator[str]:
        """A list or object that is written to later is a SafeArray or has no prototype."""
        if node.type == "array" and not node.named_children:
            parent = node.parent
            if parent is None or parent.type not in (
                "arguments",
                "return_statement",
                "ternary_expression",
            ):
                yield "[] has Array.prototype, whose setters would be called: use SafeArray()"
        if node.type not in ("assignment_expression", "augmented_assignment_expression"):
            return
        target = node.child_by_field_name("left")
        if target is None or target.type not in ("member_expression", "subscript_expression"):
            return
        name = text_of(target.child_by_field_name("object"))
        member = text_of(target.child_by_field_name("property"))
        if not all(
            has_no_prototype(literal) or member in keys_of(literal)
            for literal in self.literals.get(name, ())
        ):
            yield f"{name} is written to, but has Object.prototype, whose setters would be called"

    def literals_read(self, node: Node) -> Iterator[str]:
        """So has an object that is read by a computed name, or from which the language reads options."""
        if node.type == "subscript_expression":
            index, target = node.child_by_field_name("index"), node.child_by_field_name("object")
            if index is None or target is None or index.type in ("string", "number"):
                return
            literals = [target] if target.type == "object" else self.literals.get(text_of(target), [])
            if not all(has_no_prototype(literal) for literal in literals):
                yield f"{text_of(target)[:20]} may find Object.prototype's"
        elif node.type == "binary_expression" and text_of(node.child_by_field_name("operator")) == "in":
            name = text_of(node.child_by_field_name("right"))
            if not all(has_no_prototype(literal) for literal in self.literals.get(name, ())):
                yield f"`in {name}` may find Object.prototype's"
        elif node.type in ("call_expression", "new_expression"):
            callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
            arguments = node.child_by_field_name("arguments")
            place = DESCRIPTORS.get(text_of(callee))
            if place is None or arguments is None or len(arguments.named_children) <= place:
                return
            argument = arguments.named_children[place]
            if argument.type == "object" and not has_no_prototype(argument):
                yield f"{text_of(callee)} would read options from Object.prototype"

    def fields(self, node: Node) -> Iterator[str]:
        """Members that a class assigns to itself are declared as fields."""
        if node.type != "class_body":
            return
        declared = {
            text_of(one.child_by_field_name("property") or one.child_by_field_name("name"))
            for one in node.named_children
        }
        for inner in walk(node):
            if inner.type != "assignment_expression":
                continue
            left = inner.child_by_field_name("left")
            if left is None or left.type != "member_expression":
                continue
            if text_of(left.child_by_field_name("object")) == "this":
                name = text_of(left.child_by_field_name("property"))
                if name not in declared:
                    yield f"this.{name} is no field: a setter of Object.prototype would be called"


@pytest.mark.parametrize("name", [name for name in FILES if name != PRIMORDIALS])
def test_what_a_script_can_change_is_not_used(name: str) -> None:
    found = [f"{name}:{line}: {reason}" for line, reason in File(name, FILES[name]).check()]
    assert found == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("const m = new Map();", "Map is a global"),
        ("f(globalThis);", "globalThis is a global"),
        ("import { Array } from 'x';\nf(Array.from(x));", "Array.from may be"),
        ("import { Error } from 'x';\nf(Error.stackTraceLimit);", "Error.stackTraceLimit may be"),
        ("f(list.push(1));", ".push() may be"),
        ("f(text.slice(1));", ".slice() may be"),
        ("f(map.size);", ".size may be"),
        ("for (const x of y) f(x);", "for...of"),
        ("for (const x in y) f(x);", "for...of"),
        ("const [a] = b;", "an array pattern"),
        ("const f = ([a]) => a;", "an array pattern"),
        ("f(...x);", "spread of a list"),
        ("f([...x]);", "spread of a list"),
        ("f(`a${b}`);", "the engine calls"),
        ("const f = async () => { await x; };", "await"),
        ("function* f() { yield 1; }", "generators"),
        ("f(a instanceof B);", "instanceof"),
        ("const a = [];", "[] has"),
        ("const a = {};\na[b] = 1;", "a is written to"),
        ("const a = { b: 1 };\nf(a[c]);", "a may find"),
        ("const a = { b: 1 };\nf(c in a);", "`in a` may find"),
        ("f({ a: 1 }[b]);", "{ a: 1 } may find"),
        ("ObjectDefineProperty(a, 'b', { value: 1 });", "ObjectDefineProperty would read"),
        ("const p = new Proxy(a, { get() {} });", "Proxy would read"),
        ("class A { constructor() { this.b = 1; } }", "this.b is no field"),
        ("const a = { __proto__: null };\na[b] = 1;\nf(b in a, a[c]);", ""),
        ("class A { b; constructor() { this.b = 1; } find() { this.find(); } }", ""),
        ("const m = new SafeMap();\nm.set(1, 2);\nf(m.size, { ...m });", ""),
        ("const f = ({ a }, ...rest) => rest;", ""),
    ],
)  # fmt: skip
def test_the_rules_find_what_they_are_for(text: str, line: str) -> None:
    """Else the test above would hold for nothing."""
    declared = "let a, b, c, d, x, y, f, list, map, text, SafeMap, ObjectDefineProperty, Proxy;\n"
    names = {
        one
        for one in declared[4:-2].split(", ")
        if f" {one} " in text.split("=")[0] or f"class {one}" in text
    }
    for one in names:
        declared = declared.replace(f" {one},", "", 1)
    reasons = [reason for _, reason in File("x.js", declared + text).check()]
    if line:
        assert any(reason.startswith(line) for reason in reasons), reasons
    else:
        assert reasons == []


def exports(name: str) -> set[str]:
    """The names that a file exports by declarations and lists."""
    found: set[str] = set()
    for statement in File(name, FILES[name]).root.named_children:
        if statement.type != "export_statement":
            continue
        declaration = statement.child_by_field_name("declaration")
        for specifier in walk(statement) if declaration is None else ():
            if specifier.type == "export_specifier":
                found.add(
                    text_of(specifier.child_by_field_name("alias") or specifier.named_children[0])
                )
        for one in declaration.named_children if declaration is not None else ():
            name = one.child_by_field_name("name") or one
            if name.type == "identifier":
                found.add(text_of(name))
            elif name.type == "object_pattern":
                found |= {
                    text_of(field.child_by_field_name("value") or field)
                    for field in name.named_children
                }
    return found


def imported(name: str, module: str) -> set[str]:
    """The names that a file imports from a module."""
    return {
        text_of(one.child_by_field_name("name"))
        for node in File(name, FILES[name]).nodes
        if node.type == "import_statement"
        and text_of(node.child_by_field_name("source")) == f"'jsrunner:{module}'"
        for one in walk(node)
        if one.type == "import_specifier"
    }


@pytest.mark.parametrize("module", ["primordials", "more_primordials"])
def test_what_is_taken_is_what_is_used(module: str) -> None:
    """Each primordial costs memory in every VU."""
    used = set().union(*(imported(name, module) for name in FILES))
    assert used == exports(f"engine/{module}.js")


def test_all_of_the_reserve_is_used() -> None:
    members = re.findall(
        r"^  (\w+)(?:: .*)?,$", FILES[PRIMORDIALS].partition("export const reserve")[2], re.MULTILINE
    )
    text = FILES["engine/more_primordials.js"] + FILES["modules/bytes.js"]
    assert members
    assert [name for name in members[1:] if not re.search(rf"\b{name}\b", text)] == []


def test_every_import_of_a_primordial_is_used() -> None:
    """An import costs memory in each VU too."""
    idle = []
    for name, text in FILES.items():
        file = File(name, text)
        uses = [text_of(node) for node in file.nodes if "identifier" in node.type]
        for node in file.nodes:
            if node.type == "import_specifier":
                local = text_of(node.child_by_field_name("alias") or node.child_by_field_name("name"))
                if uses.count(local) < 2:
                    idle.append(f"{name}: {local}")
    assert idle == []


def test_the_json_of_the_survey_is_complete() -> None:
    """The names that the rules go by come from the engine itself."""
    found = survey()
    assert {"Map", "Promise", "JSON", "globalThis"} <= found.names
    assert {"push", "then", "exec", "toString", "getTime", "charCodeAt"} <= found.methods
    assert {"size", "byteLength", "buffer", "description"} <= found.accessors
    assert orjson.dumps(sorted(found.names))

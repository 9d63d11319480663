"""The compiler of .proto files: what it takes, and its errors, which were recorded with k6."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from grpc_tools import protoc

from jsrunner.proto.compiler import Compiler, Missing, build_pool, parse_protoset
from jsrunner.proto.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[1] / "compat" / "cases" / "grpc" / "_proto"

#: What is wrong with a file.
WRONG = (
    ('syntax = "proto3";\nmessage A { string a 1; }', "x.proto:2:22: syntax error: expecting ';'"),
    ('syntax = "proto3";\nmessage A { strin', "x.proto:2:18: syntax error: unexpected $end"),
    ('syntax = "proto3";\nmesage A {}', "x.proto:2:1: syntax error: unexpected identifier"),
    ('syntax = "proto3";\nmessage {}', "x.proto:2:9: syntax error: unexpected '{'"),
    (
        'syntax = "proto3";\nmessage A { string a = x; }',
        "x.proto:2:24: syntax error: unexpected identifier, expecting int literal",
    ),
    ('syntax = "proto3";\nmessage A { string a = 1; } }', "x.proto:2:29: syntax error: unexpected '}'"),
    (
        'syntax = "proto3";\nservice S { rpc X(A) returns B; }',
        "x.proto:2:30: syntax error: unexpected identifier, expecting '('",
    ),
    (
        'syntax = "proto3";\nservice S { rpc X(A) returns (B); }',
        "x.proto:2:19: method S.X: unknown request type A",
    ),
    ('syntax = "proto3";\nmessage A { repeated = 1; }', "x.proto:2:22: syntax error: unexpected '='"),
    (
        'syntax = "proto3";\nmessage A { required string a = 1; }',
        "x.proto:2:13: field A.a: label 'required' is not allowed in proto3 or editions",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 0; }',
        "x.proto:2:24: tag number 0 must be greater than zero",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 19000; }',
        "x.proto:2:24: tag number 19000 is in disallowed reserved range 19000-19999",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 536870912; }',
        "x.proto:2:24: tag number 536870912 is higher than max allowed tag number (536870911)",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 1; string a = 2; }',
        'x.proto:2:34: symbol "A.a" already defined at x.proto:2:20',
    ),
    (
        'syntax = "proto3";\nmessage A {} message A {}',
        'x.proto:2:22: symbol "A" already defined at x.proto:2:9',
    ),
    (
        'syntax = "proto3";\nenum E { A = 1; }',
        "x.proto:2:14: enum E: proto3 requires that first value of enum have numeric value zero",
    ),
    ('syntax = "proto3";\nenum E {}', "x.proto:2:1: enum E: enums must define at least one value"),
    (
        'syntax = "proto3";\nenum E { A = 0; B = 0; }',
        "x.proto:2:21: enum E: values A and B both have the same numeric value 0; use allow_alias option if intentional",
    ),
    (
        'syntax = "proto3";\nmessage A { reserved 1; string a = 1; }',
        "x.proto:2:36: message A: field a is using tag 1 which is in reserved range 1 to 1",
    ),
    (
        'syntax = "proto3";\nmessage A { reserved "a"; string a = 1; }',
        "x.proto:2:34: message A: field a is using a reserved name",
    ),
    (
        'syntax = "proto3";\nimport "google/protobuf/empty.proto"; message A { google.protobuf.Emty e = 1; }',
        "x.proto:2:51: field A.e: unknown type google.protobuf.Emty",
    ),
    (
        'syntax = "proto3";\nmessage A { map<string, B> m = 1; }',
        "x.proto:2:25: field A.MEntry.value: unknown type B",
    ),
    (
        'syntax = "proto3";\nmessage A { map<float, string> m = 1; }',
        'x.proto:2:17: syntax error: unexpected "float"',
    ),
    (
        'syntax = "proto3";\nmessage A { oneof x { } }',
        "x.proto:2:13: oneof must contain at least one field",
    ),
    (
        'syntax = "proto3";\nmessage A { oneof x { repeated string a = 1; } }',
        'x.proto:2:23: syntax error: unexpected "repeated"',
    ),
    ('"proto3"', "x.proto:1:1: syntax error: unexpected string literal"),
    ('syntax = "proto4";\n', 'x.proto:1:10: syntax value must be "proto2" or "proto3"'),
    (
        'edition = "2029";',
        'x.proto:1:11: edition value "2029" not recognized; should be one of ["2023"]',
    ),
    ('syntax = "proto3";\n# hi', "x.proto:2:1: invalid character"),
    (
        'syntax = "proto3";\nmessage A { string a = 1; // unterminated\n /* }',
        "x.proto:3:2: block comment never terminates, unexpected EOF",
    ),
    ('syntax = "proto3";\nmessage A { string a = "x; }', "x.proto:2:24: unexpected EOF"),
    (
        'syntax = "proto3";\noption foo = 1;',
        "x.proto:2:8: option foo: field foo of google.protobuf.FileOptions does not exist",
    ),
    ('syntax = "proto3";\noption (foo) = 1;', "x.proto:2:8: unknown extension foo"),
    (
        'syntax = "proto3";\noption java_package = 5;',
        "x.proto:2:23: option java_package: expecting string, got integer",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 1 [deprecated = yes]; }',
        "x.proto:2:40: field A.a: option deprecated: expecting bool, got identifier",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 1 [default = "x"]; }',
        "x.proto:2:27: field A.a: default values are not allowed in proto3",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 1 [json_name = "b"]; string b = 2; }',
        'x.proto:2:45: field A.b: default JSON name "b" conflicts with custom JSON name of field a, defined at x.proto:2:13',
    ),
    (
        'syntax = "proto2"; message A { string a = 1; }',
        "x.proto:1:39: field A.a: field has no label; proto2 requires explicit 'optional' label",
    ),
    (
        'syntax = "proto3";\npackage a; package b;',
        "x.proto:2:12: files should have only one package declaration",
    ),
    (
        'syntax = "proto3";\nmessage A { string fooBar = 1; string foo_bar = 2; }',
        'x.proto:2:32: field A.foo_bar: default JSON name "fooBar" conflicts with default JSON name of field fooBar, defined at x.proto:2:13',
    ),
    ('syntax = "proto3";\nextend A { string x = 1; }', "x.proto:2:8: unknown extendee type A"),
    (
        'syntax = "proto3";\nmessage A { extensions 1 to 3; }',
        "x.proto:2:24: message A: extension ranges are not allowed in proto3",
    ),
    (
        'syntax = "proto3";\nmessage A { group G = 1 {} }',
        'x.proto:2:13: syntax error: unexpected "group"',
    ),
    (
        'syntax = "proto2"; message A { optional int32 x = 1 [default = "z"]; }',
        "x.proto:1:64: field A.x: option default: expecting int32, got string",
    ),
    (
        'syntax="proto2"; message A { optional int32 x = 1 [default = 99999999999]; }',
        "x.proto:1:62: field A.x: option default: value 99999999999 is out of range for int32",
    ),
    (
        'syntax = "proto3";\nservice S { rpc X(Enu) returns (Enu); } enum Enu { Z=0; }',
        "x.proto:2:19: method S.X: invalid request type: Enu is an enum, not a message",
    ),
    (
        'syntax = "proto3";\nmessage A { Nope.B x = 1; Other y = 2; }',
        "x.proto:2:13: field A.x: unknown type Nope.B",
    ),
    ('syntax = "proto3";\nmessage A { int32 x = 1', "x.proto:2:24: syntax error: expecting ';'"),
    (
        'syntax = "proto3";\nmessage A { int32 x = 1; int32 1y = 2; }',
        "x.proto:2:32: invalid syntax in integer value: 1y",
    ),
    ('syntax = "proto3";\nmessage A { int32 x = 1, }', "x.proto:2:24: syntax error: expecting ';'"),
    ('syntax = "proto3";\nimport "x0.proto"', "x.proto:2:18: syntax error: expecting ';'"),
    (
        'syntax = "proto3";\nenum E { Z = 0; } enum F { Z = 0; }',
        'x.proto:2:28: symbol "Z" already defined at x.proto:2:10; protobuf uses C++ scoping rules for enum values, so they exist in the scope enclosing the enum',
    ),
    ('syntax = "proto3";\nmessage A { string é = 1; }', "x.proto:2:20: invalid character"),
    (
        'syntax = "proto3";\nimport public "google/protobuf/empty.proto"; import "google/protobuf/empty.proto";',
        'x.proto:2:46: "google/protobuf/empty.proto" was already imported at x.proto:2:1',
    ),
    (
        'syntax = "proto3";\nmessage a { message b { message c {} } .a.b.c x = 1; b.c y = 2; c z = 3; }',
        "x.proto:2:65: field a.z: unknown type c",
    ),
    (
        'syntax = "proto3";\nservice S { rpc X(A) returns (A) }  message A {}',
        "x.proto:2:34: syntax error: expecting ';'",
    ),
    (
        'syntax = "proto3";\nmessage A { int32 x = -1; }',
        "x.proto:2:23: syntax error: unexpected '-', expecting int literal",
    ),
    (
        'syntax = "proto3";\nmessage A { int32 x = 1.5; }',
        "x.proto:2:23: syntax error: unexpected float literal, expecting int literal",
    ),
    (
        'syntax = "proto3";\nenum E { Z = 99999999999; }',
        "x.proto:2:14: value 99999999999 is out of range: should be between -2147483648 and 2147483647",
    ),
    (
        'syntax = "proto3";\nmessage A { optional int32 x = 1; optional int32 y = 1; }',
        "x.proto:2:54: message A: fields x and y both have the same tag 1",
    ),
    (
        'syntax = "proto3";\nmessage A { reserved 5 to 1; }',
        "x.proto:2:22: range, 5 to 1, is invalid: start must be <= end",
    ),
    (
        'syntax = "proto3";\nmessage A { reserved 1 to 5, 4; }',
        "x.proto:2:30: message A: reserved ranges overlap: 1 to 5 and 4 to 4",
    ),
    (
        'syntax = "proto3";\nmessage A { oneof o { int32 a = 1; } int32 o = 2; }',
        'x.proto:2:44: symbol "A.o" already defined at x.proto:2:19',
    ),
    (
        'syntax = "proto3"',
        "x.proto:1:18: syntax error: unexpected $end, expecting string literal or ';'",
    ),
    ("syntax = proto3;", "x.proto:1:10: syntax error: unexpected identifier, expecting string literal"),
    ('syntax = "proto3";\nsyntax = "proto3";\n', 'x.proto:2:1: syntax error: unexpected "syntax"'),
    (
        'syntax = "proto3";\nmessage A { int32 a = 1; }\nextend google.protobuf.FieldOptions { }',
        "x.proto:3:1: extend sections must define at least one extension",
    ),
    (
        'syntax = "proto3";\nimport "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { string hint = 50001; } message A { string a = 1 [(hint) = "x", (hint2) = 3]; }',
        "x.proto:2:145: field A.a: unknown extension hint2",
    ),
    (
        'syntax = "proto3";\nservice S { rpc X(A) returns (A); rpc X(A) returns (A); } message A {}',
        'x.proto:2:39: symbol "S.X" already defined at x.proto:2:17',
    ),
    (
        'syntax = "proto3";\r\nmessage A {\r\n\tstring a = 1\r\n}',
        "x.proto:4:1: syntax error: expecting ';'",
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 99999999999999999999; }',
        "x.proto:2:24: syntax error: unexpected float literal, expecting int literal",
    ),
    (
        'syntax = "proto3";\nmessage A { oneof o { string a = 1; option (x) = 2; } }',
        "x.proto:2:44: oneof A.o: unknown extension x",
    ),
    (
        'syntax = "proto3";\nmessage A { enum E { Z = 0; } E e = 1; Z z = 2; }',
        "x.proto:2:40: field A.z: invalid type: A.Z is an enum value, not a message or enum",
    ),
    (
        'syntax = "proto3";\nenum E { option allow_alias = true; A = 0; }',
        "x.proto:2:31: enum E: allow_alias is true but no values are aliases",
    ),
    (
        'syntax = "proto3";\nenum E { reserved 2; A = 0; B = 2; }',
        "x.proto:2:33: enum E: value B is using number 2 which is in reserved range 2 to 2",
    ),
    (
        'syntax = "proto3";\nenum E { E_A = 0; A = 1; }',
        'x.proto:2:19: enum value E.A: camel-case name (with optional enum name prefix removed) "A" conflicts with camel-case name of enum value E_A, defined at x.proto:2:10',
    ),
    (
        'syntax = "proto3";\nmessage A { string a = 1 [ctype = CORD, lazy = true, jstype = JS_STRING]; }',
        "x.proto:2:41: lazy option can only be used with message fields",
    ),
)

FINE = (
    "message A { optional string a = 1; }",
    'syntax = "proto3";\nservice S { rpc X(stream A) returns (stream A) { option deprecated = true; } } message A {}',
    "",
    '\ufeffsyntax = "proto3";\n',
    'syntax = "proto3";\n;;; message A {;}',
    'syntax = "proto3";\nenum E { Z = 0; N = -1; X = 0x10; O = 010; }',
    'syntax = "proto3";\nmessage A { reserved 1 to 5, 7, 9 to max; reserved "x", "y"; int32 z = 8; }',
    'syntax = "proto3";\nmessage A{}\nmessage B { A A = 1; A b = 2; }',
    'syntax = "proto3";\nmessage A { int32 x = 1; }',
    'syntax = "proto3";\nmessage A { string a = 1; string reserved = 2; string message = 3; string option = 4; string to = 5; }',
    'syntax = "proto3";\nimport weak "google/protobuf/empty.proto";',
    'syntax = "proto3";\nenum E { option allow_alias = true; A = 0; B = 0; }',
)


def reader(files: dict[str, str]) -> Callable[[str], str]:
    def read(path: str) -> str:
        if path not in files:
            raise Missing(f"stat {path}: no such file or directory")
        return files[path]

    return read


def compiled(files: dict[str, str], *paths: str) -> list[FileDescriptorProto]:
    return Compiler(reader(files)).compile(paths or ["x.proto"])


@pytest.mark.parametrize(("text", "error"), WRONG)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(SourceError) as caught:
        compiled({"x.proto": text})
    assert str(caught.value) == error


@pytest.mark.parametrize("text", FINE)
def test_what_is_taken(text: str) -> None:
    build_pool(compiled({"x.proto": text}))


@pytest.mark.parametrize(
    "name", ["kit/types.proto", "kit/calls.proto", "old.proto", "edition.proto", "bare.proto"]
)
def test_descriptors_are_those_of_protoc(name: str, tmp_path: Path) -> None:
    """All that a message's encoding and its JSON depend on."""
    target = tmp_path / "set"
    include = Path(protoc.__file__).parent / "_proto"
    arguments = [
        "protoc",
        f"-I{CASES}",
        f"-I{include}",
        "--include_imports",
        f"--descriptor_set_out={target}",
        name,
    ]
    assert protoc.main(arguments) == 0
    expected = {one.name: one for one in parse_protoset(target.read_bytes())}
    files = {str(path.relative_to(CASES)): path.read_text() for path in CASES.rglob("*.proto")}
    made = {one.name: one for one in compiled(files, name)}
    assert set(made) == set(expected)
    for path, descriptor in made.items():
        reference = expected[path]
        for one in (descriptor, reference):
            one.ClearField("source_code_info")
            one.ClearField("options")
        assert descriptor == reference, path


def test_files_of_googles_own_are_there() -> None:
    text = 'syntax = "proto3"; import "google/protobuf/any.proto"; message A { google.protobuf.Any a = 1; }'
    paths = [one.name for one in compiled({"x.proto": text})]
    assert paths == ["google/protobuf/any.proto", "x.proto"]


def test_public_imports_are_seen_through_others() -> None:
    files = {
        "x.proto": 'syntax = "proto3"; import "b.proto"; message X { c.C c = 1; }',
        "b.proto": 'syntax = "proto3"; import public "c.proto";',
        "c.proto": 'syntax = "proto3"; package c; message C {}',
    }
    assert len(compiled(files)) == 3
    files["b.proto"] = 'syntax = "proto3"; import "c.proto";'
    with pytest.raises(SourceError, match=r"unknown type c\.C"):
        compiled(files)


def test_options_are_set() -> None:
    text = """syntax = "proto2";
    message A {
      optional int32 a = 1 [default = -7, deprecated = true, json_name = "b"];
      optional string s = 2 [default = "x\\n\\x41"];
      repeated int32 p = 3 [packed = true];
      optional double d = 4 [default = inf];
      optional bytes y = 5 [default = "\\001a"];
    }"""
    fields = {one.name: one for one in compiled({"x.proto": text})[0].message_type[0].field}
    assert (fields["a"].default_value, fields["a"].json_name, fields["a"].options.deprecated) == (
        "-7",
        "b",
        True,
    )
    assert fields["s"].default_value == "x\nA"
    assert fields["p"].options.packed
    assert (fields["d"].default_value, fields["y"].default_value) == ("inf", "\\001a")
    assert fields["p"].label == FieldDescriptorProto.LABEL_REPEATED


def test_protosets() -> None:
    data = (CASES / "kit.protoset").read_bytes()
    _, files = build_pool(parse_protoset(data))
    assert "kit/calls.proto" in {one.name for one in files}
    with pytest.raises(SchemaError, match="cannot parse invalid wire-format data"):
        parse_protoset(b"no protoset")
    alone = parse_protoset((CASES / "broken" / "alone.protoset").read_bytes())
    with pytest.raises(SchemaError, match="could not resolve import"):
        build_pool(alone)
    file = FileDescriptorProto(name="a.proto", dependency=["a.proto"])
    with pytest.raises(SchemaError, match="import cycle"):
        build_pool([file])
    with pytest.raises(SchemaError, match="multiple times"):
        build_pool([file, file])

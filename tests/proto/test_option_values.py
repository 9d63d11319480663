"""Options of .proto files, compared with those of protoc, and their errors, which were recorded with k6."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

from jsrunner.proto.compiler import Compiler, Missing
from jsrunner.proto.errors import SourceError

#: A custom option whose values have all forms of the text format.
CUSTOM = """
syntax = "proto2";
import "google/protobuf/descriptor.proto";
message Rule {
  optional int32 count = 1;
  optional Rule inner = 2;
  repeated string names = 3;
  extensions 100 to 200;
}
extend Rule { optional string note = 100; }
extend google.protobuf.MessageOptions { optional Rule rule = 50000; }
message A {
  option (rule) = {
    count: -1, inner { count: 2; names: ["a", "b"], inner < count: 3 > }
    names: "c" names: 'd'
    [note]: "e"
  };
  optional int32 a = 1;
}
"""

#: Files whose options descriptor.proto defines.
FILES = {
    "bool, string and enum": """
        syntax = "proto2";
        option java_package = "a." "b";
        option java_multiple_files = true;
        option optimize_for = CODE_SIZE;
        message A { option deprecated = true; optional string a = 1 [ctype = CORD, deprecated = false]; }
    """,
    "lists and messages": """
        syntax = "proto2";
        message A {
          optional int32 a = 1 [
            targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_MESSAGE,
            edition_defaults = { edition: EDITION_PROTO2, value: "x" },
            retention = RETENTION_SOURCE
          ];
        }
    """,
    "features": """
        edition = "2023";
        option features.field_presence = IMPLICIT;
        message A { int32 a = 1 [features = { field_presence: EXPLICIT }]; }
    """,
    "defaults": r"""
        syntax = "proto2";
        enum E { Z = 0; Y = 1; }
        message A {
          optional int32 a = 1 [default = -5];
          optional uint64 b = 2 [default = 0xFF];
          optional float c = 3 [default = 1.5];
          optional double d = 4 [default = -inf];
          optional double e = 5 [default = nan];
          optional bool f = 6 [default = true];
          optional string g = 7 [default = "x\n\u00fc"];
          optional bytes h = 8 [default = "\001\xff'"];
          optional E i = 9 [default = Y];
        }
    """,
    "names in JSON": 'syntax = "proto3"; message A { int32 a = 1 [json_name = "b"]; }',
}

WRONG = {
    "option java_multiple_files = 1;": "option java_multiple_files: expecting bool, got integer",
    "option java_package = true;": "option java_package: expecting string, got identifier",
    "option optimize_for = FAST;": "option optimize_for: enum google.protobuf.FileOptions.OptimizeMode has no value named FAST",
    "option nothing = 1;": "option nothing: field nothing of google.protobuf.FileOptions does not exist",
}


def compiled(text: str) -> FileDescriptorProto:
    include = Path(protoc.__file__).parent / "_proto"

    def read(path: str) -> str:
        if path == "x.proto":
            return text
        if not (include / path).is_file():
            raise Missing(path)
        return (include / path).read_text()

    return next(file for file in Compiler(read).compile(["x.proto"]) if file.name == "x.proto")


def expected(text: str, folder: Path) -> FileDescriptorProto:
    """Return protoc's descriptor of a file."""
    (folder / "x.proto").write_text(text)
    include = Path(protoc.__file__).parent / "_proto"
    arguments = [f"-I{folder}", f"-I{include}", f"--descriptor_set_out={folder / 'set'}", "x.proto"]
    assert protoc.main(["protoc", *arguments]) == 0
    return FileDescriptorSet.FromString((folder / "set").read_bytes()).file[0]


@pytest.mark.parametrize("name", FILES)
def test_options_and_defaults_are_those_of_protoc(name: str, tmp_path: Path) -> None:
    ours, theirs = compiled(FILES[name]), expected(FILES[name], tmp_path)
    assert ours.options == theirs.options
    for message, other in zip(ours.message_type, theirs.message_type, strict=True):
        assert message.options == other.options
        for field, known in zip(message.field, other.field, strict=True):
            assert field.options == known.options, field.name
            assert field.default_value == known.default_value, field.name
            assert field.json_name == known.json_name


def test_custom_options_are_read_and_left_out() -> None:
    file = compiled(CUSTOM)
    [_, message] = file.message_type
    assert message.options.ByteSize() == 0


@pytest.mark.parametrize("text", WRONG)
def test_errors(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        compiled(f'syntax = "proto3"; {text}')
    assert str(caught.value).endswith(WRONG[text])

"""The import of msgspec at the least cost."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    begin = "import sys\nfrom jsrunner.imports import import_msgspec\n"
    return subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, text=True, check=True
    ).stdout


def test_msgspec_knows_the_types_of_typing() -> None:
    program = (
        "import_msgspec()\n"
        "import msgspec, typing\n"
        "class Point(typing.TypedDict):\n"
        "    x: typing.Annotated[int, msgspec.Meta(ge=0)]\n"
        "print(msgspec.json.decode(b'{\"x\": 1}', type=Point))\n"
    )
    assert run(program) == "{'x': 1}\n"


def test_others_can_import_typing_extensions_afterwards() -> None:
    program = (
        "import_msgspec()\n"
        "before = 'typing_extensions' in sys.modules\n"
        "import typing_extensions\n"
        "print(before, typing_extensions.TypedDict.__name__)\n"
    )
    assert run(program) == "False TypedDict\n"


def test_typing_extensions_stays_if_it_is_there() -> None:
    program = (
        "import typing_extensions as before\n"
        "import_msgspec()\n"
        "import typing_extensions as after\n"
        "print(before is after)\n"
    )
    assert run(program) == "True\n"

"""Imports of a part of what a package offers."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    begin = "import sys\nfrom jsrunner.imports import import_msgspec, import_part, substituted\n"
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


def test_others_can_import_all_of_websocket_client_afterwards() -> None:
    program = (
        "from jsrunner.transport import handshake\n"
        "before = [name for name in sys.modules if name.startswith('websocket')]\n"
        "import websocket._handshake\n"
        "print(before, websocket.WebSocketApp.__name__, websocket._ssl_compat.HAVE_SSL)\n"
        "print(websocket._handshake is handshake._client)\n"
    )
    assert run(program) == "[] WebSocketApp True\nFalse\n"


def test_websocket_client_is_not_imported_again() -> None:
    program = (
        "import websocket._handshake\n"
        "from jsrunner.transport import handshake\n"
        "print(websocket._handshake is handshake._client)\n"
    )
    assert run(program) == "True\n"


def test_a_substitute_ends_with_its_context() -> None:
    program = (
        "try:\n"
        "    with substituted({'wave': None, 'sys': None}):\n"
        "        import wave\n"
        "except ImportError:\n"
        "    print('absent')\n"
        "import sys, wave\n"
        "print(wave.__name__)\n"
    )
    assert run(program) == "absent\nwave\n"


def test_a_part_of_a_package_that_is_not_installed() -> None:
    program = (
        "try:\n"
        "    import_part('there_is.no_such_package', without=())\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error.name)\n"
    )
    assert run(program) == "there_is\n"

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jsrunner.server import rpc


def answer(message: str | bytes) -> Any:
    text = asyncio.run(rpc.answer(message))
    return None if text is None else json.loads(text)


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        ({"method": "echo", "params": {"a": [1, None]}}, {"a": [1, None]}),
        ({"method": "echo"}, []),
        ({"method": "add", "params": [1, 2.5, -1]}, 2.5),
        ({"method": "add"}, 0),
        ({"method": "sleep", "params": [0]}, 0),
    ],
)
def test_results(request_: dict[str, Any], result: Any) -> None:
    assert answer(json.dumps({"jsonrpc": "2.0", "id": 9, **request_})) == {
        "jsonrpc": "2.0",
        "id": 9,
        "result": result,
    }


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ("{", -32700, "parse error"),
        (b"\xff", -32700, "parse error"),
        ("[" * 100_000, -32700, "parse error"),
        ("[]", -32600, "a request is an object with a method"),
        ('{"id":1}', -32600, "a request is an object with a method"),
        ('{"id":1,"method":2}', -32600, "a request is an object with a method"),
        ('{"id":1,"method":"multiply"}', -32601, "there is no method multiply"),
        ('{"id":1,"method":"add","params":["1"]}', -32602, "add takes a list of numbers"),
        ('{"id":1,"method":"add","params":[true]}', -32602, "add takes a list of numbers"),
        ('{"id":1,"method":"add","params":[NaN]}', -32602, "add takes a list of numbers"),
        ('{"id":1,"method":"add","params":{}}', -32602, "add takes a list of numbers"),
        ('{"id":1,"method":"sleep","params":[]}', -32602, "sleep takes a list of one number"),
        ('{"id":1,"method":"sleep","params":[1e9]}', -32602, "sleep takes a list of one number"),
        ('{"id":1,"method":"error"}', -32000, "an error was asked for"),
        ('{"id":1,"method":"error","params":["oh no"]}', -32000, "oh no"),
    ],
)
def test_errors(message: str | bytes, code: int, text: str) -> None:
    response = answer(message)
    assert response["error"]["code"] == code
    assert response["error"]["message"].startswith(text)
    assert response["id"] == (1 if '"id":1' in str(message) and code != -32600 else None)


def test_a_notification_has_no_response() -> None:
    assert answer('{"method":"echo"}') is None

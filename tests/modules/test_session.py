"""Common behaviour of both WebSocket modules: numbers, texts, messages that cannot be inflated."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.core import binding
from jsrunner.engine.errors import HostError
from jsrunner.modules import registry
from jsrunner.modules.session import inflate
from jsrunner.transport.deflate import Deflate

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU


def test_events_have_the_numbers_of_the_core() -> None:
    header = Path(binding.__file__).with_name("session.h").read_text(encoding="utf-8")
    kinds = re.findall(r"^    EVENT_(\w+),", header, re.MULTILINE)
    assert kinds.pop() == "COUNT"
    source = registry.source("jsrunner:session")
    assert source is not None
    exported = re.findall(r"^export const (\w+) = (\d+);", source, re.MULTILINE)
    assert exported[: len(kinds)] == [(name, str(number)) for number, name in enumerate(kinds)]


def test_texts_of_closings(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("import { closeText } from 'jsrunner:session'; entries.text = closeText;")
    assert vu.call("text", 1011, "x") == "websocket: close 1011 (internal server error): x"
    assert vu.call("text", 1005, "") == "websocket: close 1005 (no status)"
    assert vu.call("text", 4001, "") == "websocket: close 4001"


def test_messages_that_cannot_be_inflated() -> None:
    """Too large ones are none; what is no deflate is the peer's fault, not ours."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    payload = (packer.compress(bytes(1000)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert inflate(Deflate(), payload, 1000) == bytes(1000)
    assert inflate(Deflate(), payload, 999) is None
    with pytest.raises(HostError):
        inflate(Deflate(), b"\xff\xff\xff", 1000)

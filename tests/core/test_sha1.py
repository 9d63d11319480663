"""SHA-1 and base64 against Python's."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from core_library import FramesLibrary


@given(data=st.binary(max_size=119))
def test_sha1(frames_library: FramesLibrary, data: bytes) -> None:
    assert frames_library.sha1(data) == hashlib.sha1(data, usedforsecurity=False).digest()


def test_sha1_of_each_size(frames_library: FramesLibrary) -> None:
    for size in range(120):
        data = bytes(range(size))
        assert frames_library.sha1(data) == hashlib.sha1(data, usedforsecurity=False).digest()


@given(data=st.binary(max_size=60))
def test_base64(frames_library: FramesLibrary, data: bytes) -> None:
    assert frames_library.base64(data) == base64.b64encode(data)

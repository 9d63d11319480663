"""Scripts of k6/websockets, played in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from websockets_play import Play, Player

if TYPE_CHECKING:
    import socket as plain
    from collections.abc import Callable
    from pathlib import Path

    from servers import Server


@pytest.fixture
def prepare(tmp_path: Path, serve: Callable[[Callable[..., Any]], Server]) -> Player:
    def prepare(handle: Callable[[plain.socket], Any], body: str, **more: Any) -> Play:
        return Play(tmp_path, serve(handle), body, **more)

    return prepare


@pytest.fixture
def play(prepare: Player) -> Player:
    return lambda handle, body, **more: prepare(handle, body, **more).run()

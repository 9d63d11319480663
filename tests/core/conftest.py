"""The core's parts, built once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from core_library import CodecLibrary, Engine, FramesLibrary
from core_scripts import HARNESS, OPERATIONS
from core_session import SESSIONS, Links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core_vu import VU
    from http_sites import Authority


@pytest.fixture(scope="session")
def frames_library(tmp_path_factory: pytest.TempPathFactory) -> FramesLibrary:
    return FramesLibrary(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="session")
def codec_library(tmp_path_factory: pytest.TempPathFactory) -> CodecLibrary:
    return CodecLibrary(tmp_path_factory.mktemp("codec"))


@pytest.fixture(scope="session")
def session_engine(codec_library: CodecLibrary) -> Iterator[Engine]:
    """For tests that leave nothing behind."""
    with codec_library.engine() as engine:
        yield engine


@pytest.fixture
def engine(codec_library: CodecLibrary) -> Iterator[Engine]:
    with codec_library.engine() as engine:
        yield engine


@pytest.fixture
def vu(make_vu: Callable[..., VU]) -> VU:
    """A VU with the entries of `core_scripts`."""
    return make_vu(HARNESS, operations=OPERATIONS)


@pytest.fixture
def link(make_vu: Callable[..., VU], authority: Authority) -> Iterator[Callable[..., Links]]:
    """Make a VU with JavaScript of the test's, and what connects its sessions."""
    made: list[Links] = []

    def link(source: str = "", *, secure: bool = False, **more: Any) -> Links:
        made.append(Links(make_vu(SESSIONS + source, **more), authority if secure else None))
        return made[-1]

    yield link
    for one in made:
        one.close()


@pytest.fixture(params=["ws", "wss"])
def secure(request: pytest.FixtureRequest) -> bool:
    """True if there is TLS between the core and the peer."""
    return bool(request.param == "wss")


@pytest.fixture(params=["k6/ws", "k6/websockets"])
def blocking(request: pytest.FixtureRequest) -> bool:
    """Which face of a session is tried."""
    return bool(request.param == "k6/ws")

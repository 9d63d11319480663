"""The core's parts, built once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from core_library import CodecLibrary, Engine, FramesLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator


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

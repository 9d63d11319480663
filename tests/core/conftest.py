"""The core's parts, built once."""

from __future__ import annotations

import pytest
from core_library import FramesLibrary


@pytest.fixture(scope="session")
def frames_library(tmp_path_factory: pytest.TempPathFactory) -> FramesLibrary:
    return FramesLibrary(tmp_path_factory.mktemp("frames"))

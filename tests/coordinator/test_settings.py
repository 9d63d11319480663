"""Settings of a run."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.coordinator.settings import RunSettings
from jsrunner.errors import UsageError


@pytest.mark.parametrize("workers", [None, 1, 64])
def test_numbers_of_workers(workers: int | None) -> None:
    assert RunSettings(workers=workers).workers == workers


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_wrong_numbers_of_workers(workers: Any) -> None:
    with pytest.raises(UsageError, match=f"invalid number of workers {workers}, "):
        RunSettings(workers=workers)

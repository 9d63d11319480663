from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def browse() -> Iterator[Callable[..., Browser]]:
    made: list[Browser] = []

    def browse(**more: Any) -> Browser:
        made.append(Browser(**more))
        return made[-1]

    yield browse
    for one in made:
        one.client.close()

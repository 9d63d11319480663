from __future__ import annotations

import pytest

from jsrunner.coordinator.remote.cluster import local_nodes
from jsrunner.errors import UsageError


def test_addresses_of_local_nodes() -> None:
    assert [local_nodes(address) for address in ("local:1", "local:64", "tcp://127.0.0.1:1")] == [
        1,
        64,
        0,
    ]


@pytest.mark.parametrize("address", ["local:", "local:0", "local:65", "local:-1", "local:1x"])
def test_wrong_numbers_of_local_nodes(address: str) -> None:
    with pytest.raises(UsageError, match=address):
        local_nodes(address)

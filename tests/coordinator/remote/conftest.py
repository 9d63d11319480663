from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers import reserved_port

from tests.dask_cluster import Cluster, Pair, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()


def _pair(cluster: Cluster) -> Pair:
    workers = [cluster.add(), cluster.add()]
    cluster.await_workers(2)
    return Pair(cluster, workers)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A cluster with two workers, for tests that leave it whole."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield _pair(cluster)
    cluster.close()


@pytest.fixture
def own_pair(cluster: Cluster) -> Pair:
    """A cluster with two workers, for tests that break it."""
    return _pair(cluster)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with reserved_port() as target:
        made = Proxy(target)
        yield made
        made.close()

"""The compatibility suite: unmodified k6 scripts, and what the real k6 did with each.

`conformance.py` runs a script and compares a digest of everything that can be observed with
expected/NAME.json beside it; this module makes a test of each case.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

def _load() -> Any:
    spec = importlib.util.spec_from_file_location("conformance", HERE / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["conformance"] = module
    spec.loader.exec_module(module)
    return module


conformance = _load()


def serve(script: str) -> Iterator[dict[str, str]]:
    server = conformance.Server(script)
    with server as addresses:
        yield addresses
    server.process.stdout.close()


@pytest.fixture(scope="session")
def web_urls() -> Iterator[dict[str, str]]:
    yield from serve("server.py")


@pytest.fixture(scope="session")
def grpc_urls() -> Iterator[dict[str, str]]:
    yield from serve("grpc_server.py")


@pytest.fixture
def urls(case: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The addresses that a case gets: those of gRPC only if it is about that."""
    addresses: dict[str, str] = request.getfixturevalue("web_urls")
    if case.parent.name == "grpc":
        addresses = {**addresses, **request.getfixturevalue("grpc_urls")}
    return addresses


def without_gauges(expected: Any, digest: Any) -> Any:
    """Return the digest without `vus` and `vus_max` if k6's run ended before their first sample, which is taken after 1 s.

    The same run may take longer on a loaded machine.
    """
    if "vus" in expected.get("metrics", {"vus": None}):
        return digest
    kept = {**digest}
    for part in ("metrics", "summary"):
        if part in digest:
            kept[part] = {
                name: value for name, value in digest[part].items() if name not in ("vus", "vus_max")
            }
    if "text" in digest:
        kept["text"] = [line for line in digest["text"] if not re.match(r"\s*vus(_max)?\.", line)]
    return kept


@pytest.mark.parametrize("case", conformance.collect([]), ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path, urls: dict[str, str]) -> None:
    expected = json.loads((case.parent / "expected" / f"{case.stem}.json").read_text())
    runner = [sys.executable, "-m", "jsrunner"]
    wrong: list[str] = []
    for _ in range(1 + int(conformance.directives(case).get("retries", 0))):
        digest = conformance.run(runner, case, urls, 60)
        wrong = conformance.compare(case, expected, without_gauges(expected, digest))
        if not wrong:
            return
    pytest.fail("\n".join([*wrong, digest.get("_stderr", "")]))

"""Stages whose setup() uses k6/http."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from in_process import Stage

from jsrunner.options.model import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from http_sites import Site

    Visit = Callable[..., Stage]
    Ask = Callable[..., Any]


@pytest.fixture
def stage(tmp_path: Path, site: Site) -> Iterator[Callable[..., Stage]]:
    """A stage whose setup() has this body. It may use `http`, `U` (the server) and `S` (with TLS)."""
    made: list[Stage] = []

    def stage(code: str, *, env: dict[str, str] | None = None, init: str = "", **options: Any) -> Stage:
        source = f"""import http from 'k6/http';
        const {{ U, S }} = __ENV;
        {init};
        export async function setup() {{ {code} }}
        export default function () {{}}"""
        environment = {"U": site.http, "S": site.https, **(env or {})}
        made.append(Stage(tmp_path, source, environment=environment, options=Options(**options)))
        return made[-1]

    yield stage
    for one in made:
        if module := one.vu.context.modules.get("http"):
            module.interrupted()  # which closes its connections


@pytest.fixture
def visit(stage: Callable[..., Stage]) -> Visit:
    """Run such a stage to its end."""

    def visit(code: str, **more: Any) -> Stage:
        return stage(code, **more).run()

    return visit


@pytest.fixture
def ask(visit: Visit) -> Ask:
    """The value of an expression, and that nothing was logged."""

    def ask(expression: str, **more: Any) -> Any:
        done = visit(f"return {expression};", **more)
        assert done.failure is None
        assert done.logged("warning") == []
        return done.result

    return ask

"""Bytecode of jsrunner's modules: what a VU does not keep of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.engine.engine import process_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU


def grown(make_vu: Callable[..., VU], source: str) -> int:
    """Return the bytes that a module of jsrunner's, read from bytecode, adds to a VU."""
    engine = process_engine()
    engine.forget_modules()
    assert engine.compile("jsrunner:late", source, is_script=False)
    vu = make_vu("const f = core.later('jsrunner:late', 'f'); entries.run = () => f(5);")
    before = vu.memory
    assert vu.call("run") == 10
    assert vu.call("run") == 10
    engine.forget_modules()
    return vu.memory - before


def test_names_of_variables_take_no_memory(make_vu: Callable[..., VU]) -> None:
    names = [f"{'n' * 50}{number}" for number in range(200)]
    outer = "".join(f"let {name} = 1;" for name in names)
    source = f"""
        const nested = (number) => {{ {outer} return () => number * 2 + 0 * ({" + ".join(names)}); }};
        export const f = (number) => nested(number)();
        const LITERALS = () => [1, -1, 1.5, 12345678901234567890n, 'text', 'w\u0105', null, true, /r+/, {{ a: 1 }}, class {{}}];
        LITERALS();
    """
    assert grown(make_vu, source) < 15_000


def test_code_that_has_run_takes_no_memory(make_vu: Callable[..., VU]) -> None:
    statements = "".join(f"counts[{number % 7}] += {number} * 3 - 1;" for number in range(5_000))
    source = (
        f"const counts = [1, 2, 3, 4, 5, 6, 7]; {statements} export const f = (number) => number * 2;"
    )
    assert grown(make_vu, source) < 10_000

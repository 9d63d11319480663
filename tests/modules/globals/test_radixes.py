"""Number.prototype.toString with a radix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def in_radix(number: int, radix: int) -> str:
    text = ""
    while number or not text:
        number, digit = divmod(number, radix)
        text = DIGITS[digit] + text
    return text


def value_of(text: str, radix: int) -> float:
    """Read a text as a number; exactly, and then rounded."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction, radix) / radix ** len(fraction)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(2**53, 1e300, allow_infinity=False), st.integers(2, 36))
def test_large_numbers_have_all_digits(
    run: Callable[..., list[str]], number: float, radix: int
) -> None:
    if radix == 10:
        return
    assert run(f"console.log(({number!r}).toString({radix}), (-{number!r}).toString({radix}));") == [
        f"{in_radix(int(number), radix)} -{in_radix(int(number), radix)}"
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(1e-6, 1e12, exclude_min=True).filter(lambda number: number % 1),
    st.integers(2, 36).filter(lambda radix: radix != 10),
)
def test_fractions_are_told_from_their_neighbours(
    run: Callable[..., list[str]], number: float, radix: int
) -> None:
    text = run(f"console.log(({number!r}).toString({radix}));")[0]
    assert value_of(text, radix) == number
    near = math.nextafter(number, 0), math.nextafter(number, math.inf)
    assert value_of(text, radix) not in near


def test_as_in_the_language(run: Callable[..., list[str]]) -> None:
    assert run("""
        const caught = (call) => { try { return call(); } catch (e) { return String(e); } };
        console.log((2.5).toString(7), (-0.5).toString(3).slice(0, 5), (1e21).toString(10), NaN.toString(7));
        console.log(Infinity.toString(36), (-0).toString(3), Object(2.5).toString(2), (255).toString('16'));
        console.log(caught(() => (5).toString(37)), caught(() => Number.prototype.toString.call('x', 7)).slice(0, 9));
        console.log(Number.prototype.toString.name, Number.prototype.toString.length);
    """) == [
        "2.3333333333333333333 -0.11 1e+21 NaN",
        "Infinity 0 10.1 ff",
        "RangeError: toString() radix argument must be between 2 and 36 TypeError",
        "toString 1",
    ]

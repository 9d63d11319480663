from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.interpreter import HostError
from jsrunner.modules.k6.encoding import decode, encode

VARIANTS = ("std", "rawstd", "url", "rawurl")


@given(st.binary(max_size=100), st.sampled_from(VARIANTS))
def test_round_trips(data: bytes, variant: str) -> None:
    text = encode(data, variant)
    assert decode(text, variant) == data
    assert ("=" in text) <= (not variant.startswith("raw"))


@given(st.binary(max_size=100))
def test_as_pythons_own(data: bytes) -> None:
    assert encode(data, "std") == base64.b64encode(data).decode()
    assert encode(data, "url") == base64.urlsafe_b64encode(data).decode()
    assert encode(data, "nonsense") == encode(data, "std")


@pytest.mark.parametrize(
    ("text", "variant", "place"),
    [
        ("*", "std", 0),
        ("ab*=", "std", 2),
        ("aGk", "std", 0),
        ("aGk=", "rawstd", 3),
        ("a-_b", "std", 1),
        ("a", "rawstd", 0),
    ],
)
def test_errors_name_the_place(text: str, variant: str, place: int) -> None:
    with pytest.raises(HostError) as caught:
        decode(text, variant)
    assert str(caught.value) == f"illegal base64 data at input byte {place}"


def test_line_ends_are_passed_over() -> None:
    assert decode("aG\r\nk=\n", "std") == b"hi"

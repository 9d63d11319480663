"""Settings from the environment."""

from __future__ import annotations

import pytest

from jsrunner.errors import UsageError
from jsrunner.outputs.variables import Variables, need


def test_the_argument_wins_over_the_environment_and_that_over_the_default() -> None:
    settings = Variables({"P_A": "1", "P_B": "2", "P_C": ""}, "P_", {"A": "9", "B": ""})
    assert [settings.text(name, "d") for name in "ABC"] == ["9", "2", "d"]


def test_values_of_all_kinds() -> None:
    settings = Variables({"B": "true", "I": "7", "S": "1m30s", "M": "250", "W": "a, b,,c"}, "")
    assert (settings.boolean("B"), settings.boolean("X", True), settings.integer("I", 1)) == (
        True,
        True,
        7,
    )
    assert (settings.seconds("S", 1.0), settings.seconds("M", 1.0), settings.seconds("X", 3.0)) == (
        90.0, 0.25, 3.0,
    )  # fmt: skip
    assert settings.words("W") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("method", "value", "why"),
    [
        ("boolean", "maybe", "is neither true nor false"),
        ("integer", "-1", "is not a positive number"),
        ("integer", "x", "is not a positive number"),
        ("seconds", "soon", 'is not a duration: time: invalid duration "soon"'),
        ("seconds", "0s", "is not a positive duration"),
    ],
)
def test_what_cannot_be_read_names_the_variable(method: str, value: str, why: str) -> None:
    settings = Variables({"P_X": value}, "P_")
    with pytest.raises(UsageError) as caught:
        getattr(settings, method)("X", 1)
    assert str(caught.value) == f"could not create the output: P_X: '{value}' {why}"


def test_a_missing_package_names_the_extra() -> None:
    need("json", "some", "extra")
    with pytest.raises(UsageError) as caught:
        need("no_such_package.part", "some", "extra")
    assert (
        str(caught.value)
        == "could not create the 'some' output: it needs the package no_such_package.part"
    )
    assert caught.value.hint == "pip install 'jsrunner[extra]'"

"""Values of a type that k6 does not want, and the objects that it takes for numbers, texts and booleans."""

from __future__ import annotations

import pytest

from jsrunner.options.kinds import Bool, Int, Text
from jsrunner.options.mismatch import Mismatch, mismatch, null_mismatch, nullable


def test_texts() -> None:
    assert str(mismatch([], "int64")) == "json: cannot unmarshal array into Go value of type int64"
    assert str(mismatch({}, "x").within("Options.a")) == (
        "json: cannot unmarshal object into Go struct field Options.a of type x"
    )
    assert str(null_mismatch(True, "null.Int")) == (
        "json: cannot unmarshal bool into Go value of type null.Int"
    )


def test_objects_for_nulls() -> None:
    assert Int().from_json({}) == 0
    assert Int().from_json({"int64": 5, "Valid": False, "more": []}) == 5
    assert Text().from_json({"String": "a"}) == "a"
    assert Bool().from_json({"a": 1}) is False
    assert Bool().from_json({"BOOL": True}) is True


@pytest.mark.parametrize("value", [{"Int64": "5"}, {"Valid": 1}, {"Int64": True}])
def test_objects_with_nonsense(value: dict[str, object]) -> None:
    with pytest.raises(Mismatch, match="Go struct field NullInt64"):
        nullable(value, "Int64", int, "int64")

"""Messages of the log by kinds."""

from __future__ import annotations

from jsrunner.record.messages import Messages


def test_messages_of_a_kind_count_together() -> None:
    messages = Messages()
    lines = [
        line
        for text in ("user 1 failed", "user 22 failed", "no")
        for line in messages.add("error", text, 0, {})
    ]
    assert [line["text"] for line in lines if line["kind"] == "message"] == ["user 1 failed", "no"]
    assert len([line for line in lines if line["kind"] == "log"]) == 3
    assert messages.take_counts() == {0: 2, 1: 1}
    assert messages.take_counts() == {}


def test_a_flood_of_messages_is_bounded() -> None:
    messages = Messages()
    lines = [
        line
        for index in range(5000)
        for line in messages.add("warning", chr(0x4E00 + index) * 9000, 0, {"source": "x" * 9000})
    ]
    kinds = [line for line in lines if line["kind"] == "message"]
    assert len(kinds) == 201
    assert len(lines) == 1201
    assert max(len(line["text"]) for line in lines) == 2000
    assert max(len(line["fields"]["source"]) for line in lines) == 2000
    assert sum(messages.take_counts().values()) == 5000

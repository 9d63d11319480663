from __future__ import annotations

from jsrunner.coordinator.remote.frames import Frame, FrameKind, FrameReader, frame


def test_frames_survive_being_cut_anywhere() -> None:
    sent = [
        Frame(FrameKind.DATA, 3, b"abc"),
        Frame(FrameKind.ALIVE, 0, b""),
        Frame(FrameKind.GONE, 65535, b" by itself"),
    ]
    data = b"".join(frame(*example) for example in sent)
    for size in range(1, len(data) + 1):
        reader = FrameReader()
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        assert [taken for part in parts for taken in reader.feed(part)] == sent

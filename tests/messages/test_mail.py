from __future__ import annotations

from jsrunner.messages import mail
from jsrunner.messages.mail import MailEntry


def test_entries_survive_their_way() -> None:
    entries = [MailEntry(mail.START, 1, 2, 3, 4.5), MailEntry(mail.REFUSED, 0, 65535, 63, 0.0)]
    data = b"".join(entry.pack() for entry in entries)
    assert len(data) == 2 * mail.SIZE
    assert list(mail.unpack(data)) == entries

"""Python half of `k6/encoding`: base64 in Go's four variants."""

from __future__ import annotations

import base64
import re

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.bytes import TextOrBytes, bytes_of
from jsrunner.text import decode_bytewise

#: Texts of the two alphabets (RFC 4648, sections 4 and 5).
STANDARD = re.compile(r"[A-Za-z0-9+/]*")
URL = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes, variant: str) -> str:
    """Encode base64; `variant` is std, rawstd, url or rawurl, any other text means std."""
    coder = base64.urlsafe_b64encode if "url" in variant else base64.b64encode
    text = coder(data).decode()
    return text.rstrip("=") if variant in ("rawstd", "rawurl") else text


def decode(text: str, variant: str) -> bytes:
    """Decode base64; line ends are skipped, as in Go. Raises HostError with Go's text."""
    original = text
    text = text.replace("\r", "").replace("\n", "")
    alphabet = URL if variant in ("url", "rawurl") else STANDARD
    match = alphabet.match(text)
    assert match is not None
    body, padding = match[0], text[match.end() :]
    raw = variant in ("rawstd", "rawurl")
    missing = -len(body) % 4
    wanted = "" if raw else "=" * missing
    if padding != wanted or missing == 3:
        place = _corrupt(original, alphabet, padded=not raw)
        raise HostError(f"illegal base64 data at input byte {place}")
    return base64.urlsafe_b64decode(body.replace("+", "-").replace("/", "_") + "=" * missing)


def _corrupt(text: str, alphabet: re.Pattern[str], *, padded: bool) -> int:
    """Return the offset of Go's error for invalid base64: Go decodes four characters at a time."""
    data = text.encode()
    at, taken = 0, 0
    while at < len(data):
        character = chr(data[at])
        at += 1
        if character in "\r\n":
            continue
        if alphabet.fullmatch(character):
            taken = (taken + 1) % 4
            continue
        if character != "=" or not padded or taken < 2:
            return at - 1
        if taken == 2:
            at = _behind_line_ends(data, at)
            if at == len(data):
                return at
            if data[at] != ord("="):
                return at - 1
            at += 1
        return _behind_line_ends(data, at)
    return at - taken


def _behind_line_ends(data: bytes, at: int) -> int:
    return len(data) - len(data[at:].lstrip(b"\r\n"))


class Encoding(HostModule):
    """The operations of `k6/encoding`; `variant` is as of the functions here."""

    specifier = "k6/encoding"

    @operation
    def encode(self, data: TextOrBytes, variant: str) -> str:
        """Return data as base64."""
        return encode(bytes_of(data), variant)

    @operation
    def decode(self, text: str, variant: str, as_text: bool) -> object:
        """Return the bytes of base64, or their text with `as_text`. Raises HostError."""
        data = decode(text, variant)
        if as_text:
            return decode_bytewise(data)
        return data

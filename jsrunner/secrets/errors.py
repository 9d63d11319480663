"""What can go wrong with secrets."""

from __future__ import annotations


class SecretError(Exception):
    """A secret cannot be had; scripts see the text."""

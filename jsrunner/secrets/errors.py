"""The error of secrets."""

from __future__ import annotations


class SecretError(Exception):
    """A source has no such secret, or cannot be reached. Scripts see the text."""

"""Scripts whose text is in no file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    """A script that is given as text. Made by `from_text`; `run` and `start` take it."""

    #: The absolute path at which the script seems to be: errors show it, imports are relative to it.
    path: str
    text: str = field(repr=False)

    @classmethod
    def from_text(
        cls, text: str, *, name: str = "script.js", folder: str | os.PathLike[str] | None = None
    ) -> Script:
        """Make a script of its text.

        Args:
            text: JavaScript, or TypeScript if `name` ends in `.ts`.
            name: The file name that errors show. No file of this name is read.
            folder: Where relative imports and `open()` look; by default the current folder.

        Raises:
            TypeError: `text` is no `str`.
        """
        if not isinstance(text, str):
            raise TypeError(f"the text of a script must be str, not {type(text).__name__}")
        return cls(os.path.join(os.path.abspath(folder or os.curdir), name), text)

"""The cookie jars of one VU: its own, and those that its script makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.transport.cookies import CookieJar


class CookieJars:
    """The cookie jars of a VU, for its whole life.

    `changed()` is called when the VU's own jar comes or goes.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        #: The VU's own jar; None until it is first needed.
        self.own: CookieJar | None = None
        self._by_number: dict[int, CookieJar] = {}
        self._last_number = 0

    def get(self, number: int | None = None) -> CookieJar:
        """Return a jar by its number, or the VU's own jar, which is made on first need."""
        if number is not None:
            return self._by_number[number]
        if self.own is None:
            from jsrunner.transport.cookies import CookieJar  # with what may need one

            self.own = CookieJar()
            self._changed()
        return self.own

    def keep(self, jar: CookieJar) -> int:
        """Keep a jar until `drop`; return the number that names it in the script's objects."""
        self._last_number += 1
        self._by_number[self._last_number] = jar
        return self._last_number

    def drop(self, number: int) -> None:
        """Forget a jar that no object of the script refers to."""
        self._by_number.pop(number, None)

    def drop_own(self) -> None:
        """Drop the VU's own jar, at the start of each iteration."""
        if self.own is not None:
            self.own = None
            self._changed()

    def __len__(self) -> int:
        """Return the count of the script's jars."""
        return len(self._by_number)

    def clear(self) -> None:
        """Forget the jars of a script whose state is lost."""
        self._by_number.clear()

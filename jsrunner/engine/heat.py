"""The heat of the template: how many VUs use a block of its memory.

The core writes the hot blocks of a VU's copy at once, and the others when the VU accesses them
(`core/template_memory.c`). A record of the heat holds for the modules that all VUs have and one k6
module, and only for the JavaScript of which it was made. For any other template all blocks are hot.

After a change of these modules, `python scripts/record_heat.py` makes the records anew.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from jsrunner.engine.heat_records import RECORDS

#: The k6 modules for which there are records. A template begins with the first of them that the
#: script imports, or with none of them ("").
RECORDED: Final = ("k6/ws", "k6/websockets")

#: A block's heat, enum heat of core/template.h: few or no VUs use it, some do, most do.
COLD, WARM, HOT = range(3)

_DIGITS: Final = bytes(max(digit - ord("0"), 0) for digit in range(256))


class Heat(NamedTuple):
    """A record of one template."""

    #: A hash of the sizes of the template's blocks.
    fingerprint: int
    #: The heat of each block.
    blocks: bytes


#: The record for a template of which there is none.
NO_HEAT: Final = Heat(0, b"")


def heat_of(first: str) -> Heat:
    """Return the record of the template that begins with a module of RECORDED, or with none ("")."""
    fingerprint, digits = RECORDS.get(first, (0, ""))
    return Heat(fingerprint, digits.encode().translate(_DIGITS))

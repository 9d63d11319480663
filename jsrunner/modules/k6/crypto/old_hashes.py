"""MD4 (RFC 1320) and RIPEMD-160, for an OpenSSL that lacks them.

Scripts of old protocols need them. Neither is safe.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Buffer

    _Mix = Callable[[int, int, int], int]

_MASK: Final = 0xFFFFFFFF


def _rotate(value: int, count: int) -> int:
    value &= _MASK
    return (value << count | value >> (32 - count)) & _MASK


class _LittleEndian:
    """Blocks of 64 bytes, the length in bits at the end, words least significant byte first."""

    name = ""
    block_size = 64
    digest_size = 16
    _start: tuple[int, ...] = ()

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(data)

    def update(self, data: Buffer, /) -> None:
        self._data += data

    def copy(self) -> _LittleEndian:
        return type(self)(bytes(self._data))

    def digest(self) -> bytes:
        size = len(self._data)
        padded = bytes(self._data) + b"\x80" + b"\0" * (-(size + 9) % 64) + struct.pack("<Q", size * 8)
        state = self._start
        for at in range(0, len(padded), 64):
            state = self._block(state, struct.unpack_from("<16I", padded, at))
        return struct.pack(f"<{len(state)}I", *state)

    def hexdigest(self) -> str:
        return self.digest().hex()

    @staticmethod
    def _block(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
        raise NotImplementedError


class MD4(_LittleEndian):
    """MD4 (RFC 1320)."""

    name = "md4"
    _start = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)

    @staticmethod
    def _block(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
        a, b, c, d = state
        rounds: tuple[tuple[_Mix, int, Sequence[int], tuple[int, ...]], ...] = (
            (lambda x, y, z: (x & y) | (~x & z), 0, range(16), (3, 7, 11, 19)),
            (
                lambda x, y, z: (x & y) | (x & z) | (y & z),
                0x5A827999,
                (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                (3, 5, 9, 13),
            ),
            (
                lambda x, y, z: x ^ y ^ z,
                0x6ED9EBA1,
                (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
                (3, 9, 11, 15),
            ),
        )
        for mix, constant, order, shifts in rounds:
            for step, word in enumerate(order):
                value = a + mix(b, c, d) + words[word] + constant
                a, b, c, d = d, _rotate(value, shifts[step % 4]), b, c
        return tuple((x + y) & _MASK for x, y in zip(state, (a, b, c, d), strict=True))


class RIPEMD160(_LittleEndian):
    """RIPEMD-160 (ISO/IEC 10118-3)."""

    name = "ripemd160"
    digest_size = 20
    _start = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)

    _left: Final = (
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
        3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
        1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
        4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
    )  # fmt: skip
    _right: Final = (
        5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
        6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
        15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
        8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
        12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
    )  # fmt: skip
    _left_shifts: Final = (
        11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
        7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
        11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
        11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
        9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
    )  # fmt: skip
    _right_shifts: Final = (
        8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
        9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
        9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
        15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
        8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
    )  # fmt: skip
    _left_constants: Final = (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
    _right_constants: Final = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0)

    @staticmethod
    def _mix(number: int, x: int, y: int, z: int) -> int:
        if number == 0:
            return x ^ y ^ z
        if number == 1:
            return (x & y) | (~x & z)
        if number == 2:
            return (x | ~y) ^ z
        if number == 3:
            return (x & z) | (y & ~z)
        return x ^ (y | ~z)

    @classmethod
    def _line(
        cls,
        state: tuple[int, ...],
        words: tuple[int, ...],
        order: tuple[int, ...],
        shifts: tuple[int, ...],
        constants: tuple[int, ...],
        mixes: tuple[int, ...],
    ) -> tuple[int, ...]:
        a, b, c, d, e = state
        for step in range(80):
            number = step // 16
            value = a + cls._mix(mixes[number], b, c, d) + words[order[step]] + constants[number]
            a, b, c, d, e = e, (_rotate(value, shifts[step]) + e) & _MASK, b, _rotate(c, 10), d
        return a, b, c, d, e

    @staticmethod
    def _block(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
        own = RIPEMD160
        a, b, c, d, e = own._line(
            state, words, own._left, own._left_shifts, own._left_constants, (0, 1, 2, 3, 4)
        )
        f, g, h, i, j = own._line(
            state, words, own._right, own._right_shifts, own._right_constants, (4, 3, 2, 1, 0)
        )
        sums = (
            state[1] + c + i,
            state[2] + d + j,
            state[3] + e + f,
            state[4] + a + g,
            state[0] + b + h,
        )
        return tuple(total & _MASK for total in sums)

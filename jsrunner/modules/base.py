"""The contract of a module's Python half.

`import x from 'k6/x'` opens modules/k6/x.js (what a script can observe: classes, arguments, errors,
order) and, where that needs sockets, clocks, files or metrics, modules/k6/x.py beside it with one
`HostModule`. The JavaScript half calls the Python half's operations through `host` of
`jsrunner:host`: the method `hash` of the module `k6/crypto` is the operation `crypto.hash`.

Life cycle: a VU makes its own instance when its script first imports the module; the instance lives as
long as the VU, over all iterations and scenarios. State that all VUs of a process share is kept in
`ModuleContext.shared`. `give_up` or `interrupted` is called when an iteration or a stage has ended
early, `report` at any time.

Threads: everything runs in the worker's only thread. A quick operation must not wait. A `blocking`
operation runs in the VU's own greenlet and may wait through gevent. The VU is parked meanwhile.

Errors: a `HostError` becomes an exception of the script. So does any other exception, which is also
logged, at debug level, as a fault of jsrunner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.context import ModuleContext

_F = TypeVar("_F", bound="Callable[..., object]")


@overload
def operation(method: _F) -> _F: ...
@overload
def operation(*, blocking: bool) -> Callable[[_F], _F]: ...
def operation(method: _F | None = None, *, blocking: bool = False) -> _F | Callable[[_F], _F]:
    """Mark a method as callable from the JavaScript half.

    Arguments and result are plain values; buffers are bytes. The method raises `HostError` for an
    exception of the script. A quick operation is answered at once, on the hub's greenlet, and must not
    wait. A `blocking` operation runs in the VU's own greenlet.
    """

    def mark(function: _F) -> _F:
        function.__dict__["is_operation"] = True
        function.__dict__["is_blocking"] = blocking
        return function

    return mark if method is None else mark(method)


def prefix_of(specifier: str) -> str:
    """Return the prefix of a module's operations: `crypto_x509` for k6/crypto/x509."""
    name = specifier.removeprefix("k6/").removeprefix("jsrunner:").removeprefix("globals/")
    return name.replace("/", "_")


class HostModule:
    """A module's Python half: one instance per VU, made when the script first imports it."""

    #: Specifier that scripts import, e.g. "k6/crypto"; the file's path is the same.
    specifier: ClassVar[str]

    def __init__(self, vu: ModuleContext) -> None:
        self.vu = vu

    @classmethod
    def prefix(cls) -> str:
        """Return the prefix of the names of the module's operations."""
        return prefix_of(cls.specifier)

    def find_operation(self, name: str) -> Callable[..., object]:
        """Return the operation of this name. Raises LookupError if there is none."""
        method: Callable[..., object] | None = getattr(self, name, None)
        if not getattr(method, "is_operation", False):
            raise LookupError(f"{self.specifier} has no operation {name}")
        assert method is not None
        return method

    def interrupted(self) -> None:
        """Free resources of the iteration in which the VU was stopped."""
        self.give_up()

    def give_up(self) -> None:
        """End the background activity of an iteration or a stage that has failed."""

    def report(self) -> None:
        """Record the module's pending counts as samples: a snapshot is due."""

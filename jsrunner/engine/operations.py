"""The operation that an exception comes from, read from QuickJS's frames.

QuickJS's errors name little ("not a function"). While QuickJS makes an error's stack, the values of
the operation are still there. This module reads them, by the addresses of QuickJS-NG 0.11's structures
on 64-bit machines, and changes nothing. `error_texts` makes k6's texts of them.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Final, NamedTuple

from jsrunner.engine.opcodes import CALLEES, Opcode, is_callee, opcodes, pops, source_of, stack_levels
from jsrunner.engine.values import OBJECT, Constant, JSValue, Scene, atom_text, class_of

#: JSRuntime: the stack's size, which `is_readable` checks, and the innermost frame.
_STACK_SIZE_OFFSET: Final = 216
_FRAME_OFFSET: Final = 264
#: JSStackFrame: the outer frame, the function, arguments, variables, (two words), the instruction
#: after the running one, the number of arguments (and a bit).
_FRAME: Final = struct.Struct("=QQqQQ16xQI")
#: JSObject: where a function's JSFunctionBytecode and its outer variables are.
_OBJECT: Final = struct.Struct("=48xQQ")
#: JSFunctionBytecode: the code and its length; the outer variables' JSClosureVars; the numbers of
#: arguments and of variables; the atom that is the file's name.
_BYTECODE: Final = struct.Struct("=32xQI12xQHH28xI")
#: JSClosureVar: its size, and where the atom of the variable's name is.
_CLOSURE_BYTES, _CLOSURE_NAME = 8, 4
#: JSVarRef: where the variable's value is.
_VARIABLE_POINTER: Final = 24
#: Classes of functions with bytecode: plain, generator, async, async generator.
_BYTECODE_CLASSES: Final = frozenset((13, 16, 53, 57))
#: Prefixes of the names of jsrunner's modules.
_OURS: Final = ("jsrunner:", "k6/", "k6:")


def is_readable(runtime: int, stack_bytes: int) -> bool:
    """Return True if a runtime has the structures that this module reads.

    Args:
        runtime: The address of the JSRuntime, while it runs JavaScript.
        stack_bytes: The limit of the stack that the runtime was given.
    """
    (size,) = struct.unpack("=Q", ctypes.string_at(runtime + _STACK_SIZE_OFFSET, 8))
    return ctypes.sizeof(ctypes.c_void_p) == 8 and size == stack_bytes


class NativeCall:
    """A function of the language that has thrown."""

    def __init__(
        self,
        scene: Scene,
        frame: _Frame,
        caller: Instruction | NativeCall | None = None,
        *,
        is_uncurried: bool = False,
    ) -> None:
        """`is_uncurried`: the caller passes `this` as the first argument (`uncurryThis`)."""
        self._scene, self._frame, self._caller = scene, frame, caller
        self._is_uncurried = is_uncurried

    @property
    def function(self) -> str:
        """The name of the function that has thrown."""
        return JSValue(self._scene, self._frame.function, OBJECT).property_text("name")

    @property
    def arity(self) -> int:
        """The number of arguments that the function declares."""
        length = JSValue(self._scene, self._frame.function, OBJECT).property_text("length")
        return int(length) if length.isdigit() else 0

    def argument(self, index: int) -> JSValue:
        """Return an argument; undefined if the call has fewer arguments."""
        if index >= self._frame.argument_count:
            return JSValue(self._scene)
        return _value_at(self._scene, self._frame.arguments + 16 * index)

    def receiver(self) -> JSValue:
        """Return `this` of the call; undefined if it is unknown."""
        caller = self._caller
        if isinstance(caller, NativeCall):  # Function.prototype.call or apply
            return caller.argument(0)
        if caller is not None and (caller.is_method_call or caller.name in _ACCESSES):
            return caller.operand(0)
        if caller is not None and self._is_uncurried and CALLEES.get(caller.name) == 0:
            return caller.operand(1)
        return JSValue(self._scene)


class Member(NamedTuple):
    """The property that a call calls."""

    #: Owner of the property; None for `super`, whose value is gone.
    owner: JSValue | None
    name: str


class Instruction:
    """The script's instruction that has failed, or that has called a failed function."""

    def __init__(self, scene: Scene, frame: _Frame, code: bytes, variables: int, position: int) -> None:
        self._scene, self._frame, self._code = scene, frame, code
        self._position = position
        self._opcode = opcodes()[code[position]]
        self._levels = stack_levels(code)
        self._level = self._levels[position]
        self._stack = frame.variables + 16 * variables
        #: QuickJS's name for the kind of instruction.
        self.name = self._opcode.name

    def operand(self, index: int) -> JSValue:
        """Return an operand that the instruction found on the stack, 0 for the first."""
        return self._slot(self._bottom + index)

    @property
    def type(self) -> int:
        """The last byte of the instruction: the kind of error of `throw_error`."""
        return self._code[self._position + self._opcode.size - 1]

    def atom(self) -> str:
        """Return the name of the instruction's property or variable."""
        return self._atom(self._position)

    @property
    def is_call(self) -> bool:
        """True if the instruction calls a function, by whichever syntax."""
        return self.name in CALLEES

    @property
    def is_method_call(self) -> bool:
        """True if the instruction calls a function with a `this`."""
        return self.name in ("call_method", "tail_call_method")

    def callee(self) -> JSValue:
        """Return the called value."""
        return self.operand(CALLEES[self.name])

    @property
    def calls_super(self) -> bool:
        """True if the instruction is `super(...)`."""
        source = self._source(CALLEES.get(self.name, 0))
        return source is not None and opcodes()[self._code[source]].name == "get_super"

    @property
    def reads_property(self) -> bool:
        """True if the instruction is `owner.name` or `owner[name]`."""
        return self.name in _READS

    @property
    def gets_callee(self) -> bool:
        """True if the value that the instruction reads is called next."""
        return self.name in ("get_field2", "get_array_el2") and is_callee(self._code, self._position)

    def precedes(self, name: str) -> bool:
        """Return True if the next instruction has this name."""
        following = self._position + self._opcode.size
        return following in self._levels and opcodes()[self._code[following]].name == name

    def follows(self, name: str) -> bool:
        """Return True if the preceding instruction of the code has this name."""
        before = max((start for start in self._levels if start < self._position), default=None)
        return before is not None and opcodes()[self._code[before]].name == name

    def member(self) -> Member | None:
        """Return the member that a call calls; None if it calls no member."""
        if self.name not in ("call_method", "tail_call_method", "apply"):
            return None
        position = self._source(CALLEES[self.name])
        if position is None:
            return None
        name = opcodes()[self._code[position]].name
        owner = self.operand(1 - CALLEES[self.name])
        if name in ("get_field", "get_field2"):
            return Member(owner, self._atom(position))
        if name not in ("get_array_el", "get_array_el2", "get_super_value"):
            return None
        level = self._levels[position]
        key = self._known(position, level - 1)
        if key is None:
            return None
        source = source_of(self._code, position, level - 2)
        if source is not None and opcodes()[self._code[source[0]]].name == "get_super":
            return Member(None, key.text())
        return Member(owner, key.text())

    def property_name(self) -> str | None:
        """Return the name of the property that is read or set; None if it is unknown."""
        if self._opcode.operand == "atom":
            return self.atom()
        if self.name == "get_length":
            return "length"
        if self.name in _KEY_SLOTS:
            key = self._known(self._position, self._level + _KEY_SLOTS[self.name])
            return None if key is None else key.text()
        return None

    def outer_variable_name(self, operand: int) -> str:
        """Return the name of the outer function's variable that an operand comes from; "" if none."""
        position = self._source(operand)
        if position is None:
            return ""
        opcode = opcodes()[self._code[position]]
        if opcode.name.startswith("get_var_ref"):
            index = self._index(position, opcode)
            entries = _BYTECODE.unpack(ctypes.string_at(self._frame.bytecode, _BYTECODE.size))[2]
            atom = ctypes.c_uint32.from_address(entries + _CLOSURE_BYTES * index + _CLOSURE_NAME).value
            return atom_text(self._scene, atom)
        return ""

    def owner(self) -> JSValue | Constant | None:
        """Return the object whose property is set, if it was a variable or a constant."""
        return self._known(self._position, self._bottom)

    # -- where a value on the stack comes from -----------------------------------------------------

    @property
    def _bottom(self) -> int:
        """Return the slot of the first operand."""
        return self._level - pops(self._opcode, self._code, self._position)

    def _source(self, operand: int) -> int | None:
        """Find the instruction that made an operand."""
        source = source_of(self._code, self._position, self._bottom + operand)
        return None if source is None else source[0]

    def _known(self, position: int, slot: int) -> JSValue | Constant | None:
        """Return the value in a slot that an instruction reads, if it is a constant or a variable.

        Other values may have been freed by now.
        """
        source = source_of(self._code, position, slot)
        if source is None:
            return None
        position = source[0]
        opcode = opcodes()[self._code[position]]
        if opcode.name == "push_atom_value":
            return Constant(self._atom(position))
        if opcode.name == "push_empty_string":
            return Constant("")
        if opcode.name.startswith("push_") and opcode.operand in ("none_int", "i8", "i16", "i32"):
            return Constant(self._integer(position, opcode))
        return self._variable(position, opcode)

    def _integer(self, position: int, opcode: Opcode) -> str:
        if opcode.operand == "none_int":
            return "-1" if opcode.name == "push_minus1" else opcode.name[-1]
        operand = self._code[position + 1 : position + opcode.size]
        return str(int.from_bytes(operand, "little", signed=True))

    def _variable(self, position: int, opcode: Opcode) -> JSValue | None:
        """Return the variable that an instruction pushes."""
        if not opcode.name.startswith("get_") or opcode.name == "get_loc0_loc1":
            return None
        operand = opcode.operand.removeprefix("none_")
        index = self._index(position, opcode)
        if operand in ("loc", "loc8"):
            return _value_at(self._scene, self._frame.variables + 16 * index)
        if operand == "arg":
            return _value_at(self._scene, self._frame.arguments + 16 * index)
        if operand == "var_ref":
            reference = _word(self._frame.outer_variables + 8 * index)
            return _value_at(self._scene, _word(reference + _VARIABLE_POINTER))
        return None

    def _index(self, position: int, opcode: Opcode) -> int:
        """Return the index of the variable that an instruction pushes."""
        if opcode.operand.startswith("none_"):
            return int(opcode.name[-1])
        return int.from_bytes(self._code[position + 1 : position + opcode.size], "little")

    def _slot(self, index: int) -> JSValue:
        return _value_at(self._scene, self._stack + 16 * index)

    def _atom(self, position: int) -> str:
        return atom_text(self._scene, int.from_bytes(self._code[position + 1 : position + 5], "little"))


#: Instructions that may call an accessor, of their first operand.
_ACCESSES: Final = frozenset(("get_field", "get_field2", "put_field"))
_READS: Final = frozenset(
    ("get_field", "get_field2", "get_array_el", "get_array_el2", "get_super_value", "get_length")
)
#: Index of the property's name, counted from the top of the stack.
_KEY_SLOTS: Final = {
    "get_array_el": -1, "get_array_el2": -1, "get_super_value": -1, "put_array_el": -2,
    "put_super_value": -2,
}  # fmt: skip


class _Frame(NamedTuple):
    outer: int
    function: int
    arguments: int
    variables: int
    instruction: int
    argument_count: int
    #: Address of the JSFunctionBytecode of a JavaScript function; 0 for a built-in function.
    bytecode: int
    outer_variables: int


def failing_operation(runtime: int, scene: Scene) -> NativeCall | Instruction | None:
    """Find the operation that has just failed, while jsrunner's JavaScript makes the error's stack.

    Args:
        runtime: The address of the JSRuntime.
        scene: The context with the values.

    Returns:
        The operation; None if it is unknown.
    """
    address = _word(_word(runtime + _FRAME_OFFSET))  # without the bridge to Python
    while address:
        frame = _frame(address)
        if not frame.bytecode:
            return _call(scene, frame)
        if not _is_ours(scene, frame):
            return _instruction(scene, frame)
        address = frame.outer
    return None


def argument_of_ours(runtime: int, scene: Scene, index: int) -> JSValue:
    """Return an argument of the operation that jsrunner's own JavaScript has just called."""
    bridge = _frame(_word(runtime + _FRAME_OFFSET))
    return _value_at(scene, bridge.arguments + 16 * index)


def _is_ours(scene: Scene, frame: _Frame) -> bool:
    """Return True if a function belongs to jsrunner's own modules, which may have no file names."""
    name = _BYTECODE.unpack(ctypes.string_at(frame.bytecode, _BYTECODE.size))[-1]
    return name == 0 or atom_text(scene, name).startswith(_OURS)


def _call(scene: Scene, frame: _Frame) -> NativeCall:
    if not frame.outer:
        return NativeCall(scene, frame)
    outer = _frame(frame.outer)
    if outer.bytecode:
        return NativeCall(scene, frame, _instruction(scene, outer), is_uncurried=_is_ours(scene, outer))
    return NativeCall(scene, frame, NativeCall(scene, outer))


def _frame(address: int) -> _Frame:
    outer, function, _, arguments, variables, instruction, count = _FRAME.unpack(
        ctypes.string_at(address, _FRAME.size)
    )
    bytecode, outer_variables = _OBJECT.unpack(ctypes.string_at(function, _OBJECT.size))
    if class_of(function) not in _BYTECODE_CLASSES:
        bytecode = outer_variables = 0
    return _Frame(
        outer,
        function,
        arguments,
        variables,
        instruction,
        count & 0x7FFFFFFF,
        bytecode,
        outer_variables,
    )


#: Bytes of the largest function that is analysed; larger ones would take too long.
_LONGEST_CODE: Final = 1 << 16


def _instruction(scene: Scene, frame: _Frame) -> Instruction | None:
    code, length, _, _, variables, _ = _BYTECODE.unpack(
        ctypes.string_at(frame.bytecode, _BYTECODE.size)
    )
    if not frame.instruction or length > _LONGEST_CODE:
        return None
    text = ctypes.string_at(code, length)
    position = _start(text, frame.instruction - code - 1)
    if position is None:
        return None
    return Instruction(scene, frame, text, variables, position)


def _start(code: bytes, inside: int) -> int | None:
    """Return the start of the instruction around a position; None if it is unreachable."""
    levels = stack_levels(code)
    for position in range(inside, max(inside - 10, -1), -1):
        if position in levels and inside < position + opcodes()[code[position]].size:
            return position
    return None


def _word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


def _value_at(scene: Scene, address: int) -> JSValue:
    payload, tag = struct.unpack("=Qq", ctypes.string_at(address, 16))
    return JSValue(scene, payload, tag)

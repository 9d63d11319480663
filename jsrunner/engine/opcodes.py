"""QuickJS-NG 0.11's bytecode: the length of each instruction and its effect on the stack.

`operations` needs it to find the operands of the instruction that failed. The rows are those of
QuickJS's quickjs-opcode.h, without the instructions that exist only while it compiles.
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple


class Opcode(NamedTuple):
    """One kind of instruction."""

    name: str
    #: Bytes, the opcode's own included.
    size: int
    #: Values taken from the stack; calls take their arguments besides.
    pops: int
    #: Values put on the stack.
    pushes: int
    #: Kind of the bytes behind the opcode, "" if there are none.
    operand: str


#: `name:size:pops:pushes:operand` of each opcode, in the order of their numbers.
_ROWS: Final = """
invalid:1:0:0 push_i32:5:0:1:i32 push_const:5:0:1:const fclosure:5:0:1:const
push_atom_value:5:0:1:atom private_symbol:5:0:1:atom undefined:1:0:1 null:1:0:1 push_this:1:0:1
push_false:1:0:1 push_true:1:0:1 object:1:0:1 special_object:2:0:1:u8 rest:3:0:1:u16 drop:1:1:0
nip:1:2:1 nip1:1:3:2 dup:1:1:2 dup1:1:2:3 dup2:1:2:4 dup3:1:3:6 insert2:1:2:3 insert3:1:3:4
insert4:1:4:5 perm3:1:3:3 perm4:1:4:4 perm5:1:5:5 swap:1:2:2 swap2:1:4:4 rot3l:1:3:3 rot3r:1:3:3
rot4l:1:4:4 rot5l:1:5:5 call_constructor:3:2:1:npop call:3:1:1:npop tail_call:3:1:0:npop
call_method:3:2:1:npop tail_call_method:3:2:0:npop array_from:3:0:1:npop apply:3:3:1:u16
return:1:1:0 return_undef:1:0:0 check_ctor_return:1:1:2 check_ctor:1:0:0 init_ctor:1:0:1
check_brand:1:2:2 add_brand:1:2:0 return_async:1:1:0 throw:1:1:0 throw_error:6:0:0:atom_u8
eval:5:1:1:npop_u16 apply_eval:3:2:1:u16 regexp:1:2:1 get_super:1:1:1 import:1:1:1
check_var:5:0:1:atom get_var_undef:5:0:1:atom get_var:5:0:1:atom put_var:5:1:0:atom
put_var_init:5:1:0:atom put_var_strict:5:2:0:atom get_ref_value:1:2:3 put_ref_value:1:3:0
define_var:6:0:0:atom_u8 check_define_var:6:0:0:atom_u8 define_func:6:1:0:atom_u8
get_field:5:1:1:atom get_field2:5:1:2:atom put_field:5:2:0:atom get_private_field:1:2:1
put_private_field:1:3:0 define_private_field:1:3:1 get_array_el:1:2:1 get_array_el2:1:2:2
put_array_el:1:3:0 get_super_value:1:3:1 put_super_value:1:4:0 define_field:5:2:1:atom
set_name:5:1:1:atom set_name_computed:1:2:2 set_proto:1:2:1 set_home_object:1:2:2
define_array_el:1:3:2 append:1:3:2 copy_data_properties:2:3:3:u8 define_method:6:2:1:atom_u8
define_method_computed:2:3:1:u8 define_class:6:2:2:atom_u8 define_class_computed:6:3:3:atom_u8
get_loc:3:0:1:loc put_loc:3:1:0:loc set_loc:3:1:1:loc get_arg:3:0:1:arg put_arg:3:1:0:arg
set_arg:3:1:1:arg get_var_ref:3:0:1:var_ref put_var_ref:3:1:0:var_ref set_var_ref:3:1:1:var_ref
set_loc_uninitialized:3:0:0:loc get_loc_check:3:0:1:loc put_loc_check:3:1:0:loc
put_loc_check_init:3:1:0:loc get_var_ref_check:3:0:1:var_ref put_var_ref_check:3:1:0:var_ref
put_var_ref_check_init:3:1:0:var_ref close_loc:3:0:0:loc if_false:5:1:0:label
if_true:5:1:0:label goto:5:0:0:label catch:5:0:1:label gosub:5:0:0:label ret:1:1:0
nip_catch:1:2:1 to_object:1:1:1 to_propkey:1:1:1 to_propkey2:1:2:2
with_get_var:10:1:0:atom_label_u8 with_put_var:10:2:1:atom_label_u8
with_delete_var:10:1:0:atom_label_u8 with_make_ref:10:1:0:atom_label_u8
with_get_ref:10:1:0:atom_label_u8 with_get_ref_undef:10:1:0:atom_label_u8
make_loc_ref:7:0:2:atom_u16 make_arg_ref:7:0:2:atom_u16 make_var_ref_ref:7:0:2:atom_u16
make_var_ref:5:0:2:atom for_in_start:1:1:1 for_of_start:1:1:3 for_await_of_start:1:1:3
for_in_next:1:1:3 for_of_next:2:3:5:u8 iterator_check_object:1:1:1 iterator_get_value_done:1:1:2
iterator_close:1:3:0 iterator_next:1:4:4 iterator_call:2:4:5:u8 initial_yield:1:0:0 yield:1:1:2
yield_star:1:1:2 async_yield_star:1:1:2 await:1:1:1 neg:1:1:1 plus:1:1:1 dec:1:1:1 inc:1:1:1
post_dec:1:1:2 post_inc:1:1:2 dec_loc:2:0:0:loc8 inc_loc:2:0:0:loc8 add_loc:2:1:0:loc8 not:1:1:1
lnot:1:1:1 typeof:1:1:1 delete:1:2:1 delete_var:5:0:1:atom mul:1:2:1 div:1:2:1 mod:1:2:1
add:1:2:1 sub:1:2:1 shl:1:2:1 sar:1:2:1 shr:1:2:1 and:1:2:1 xor:1:2:1 or:1:2:1 pow:1:2:1
lt:1:2:1 lte:1:2:1 gt:1:2:1 gte:1:2:1 instanceof:1:2:1 in:1:2:1 eq:1:2:1 neq:1:2:1
strict_eq:1:2:1 strict_neq:1:2:1 is_undefined_or_null:1:1:1 private_in:1:2:1
push_bigint_i32:5:0:1:i32 nop:1:0:0 push_minus1:1:0:1:none_int push_0:1:0:1:none_int
push_1:1:0:1:none_int push_2:1:0:1:none_int push_3:1:0:1:none_int push_4:1:0:1:none_int
push_5:1:0:1:none_int push_6:1:0:1:none_int push_7:1:0:1:none_int push_i8:2:0:1:i8
push_i16:3:0:1:i16 push_const8:2:0:1:const8 fclosure8:2:0:1:const8 push_empty_string:1:0:1
get_loc8:2:0:1:loc8 put_loc8:2:1:0:loc8 set_loc8:2:1:1:loc8 get_loc0_loc1:1:0:2:none_loc
get_loc0:1:0:1:none_loc get_loc1:1:0:1:none_loc get_loc2:1:0:1:none_loc get_loc3:1:0:1:none_loc
put_loc0:1:1:0:none_loc put_loc1:1:1:0:none_loc put_loc2:1:1:0:none_loc put_loc3:1:1:0:none_loc
set_loc0:1:1:1:none_loc set_loc1:1:1:1:none_loc set_loc2:1:1:1:none_loc set_loc3:1:1:1:none_loc
get_arg0:1:0:1:none_arg get_arg1:1:0:1:none_arg get_arg2:1:0:1:none_arg get_arg3:1:0:1:none_arg
put_arg0:1:1:0:none_arg put_arg1:1:1:0:none_arg put_arg2:1:1:0:none_arg put_arg3:1:1:0:none_arg
set_arg0:1:1:1:none_arg set_arg1:1:1:1:none_arg set_arg2:1:1:1:none_arg set_arg3:1:1:1:none_arg
get_var_ref0:1:0:1:none_var_ref get_var_ref1:1:0:1:none_var_ref get_var_ref2:1:0:1:none_var_ref
get_var_ref3:1:0:1:none_var_ref put_var_ref0:1:1:0:none_var_ref put_var_ref1:1:1:0:none_var_ref
put_var_ref2:1:1:0:none_var_ref put_var_ref3:1:1:0:none_var_ref set_var_ref0:1:1:1:none_var_ref
set_var_ref1:1:1:1:none_var_ref set_var_ref2:1:1:1:none_var_ref set_var_ref3:1:1:1:none_var_ref
get_length:1:1:1 if_false8:2:1:0:label8 if_true8:2:1:0:label8 goto8:2:0:0:label8
goto16:3:0:0:label16 call0:1:1:1:npopx call1:1:1:1:npopx call2:1:1:1:npopx call3:1:1:1:npopx
is_undefined:1:1:1 is_null:1:1:1 typeof_is_undefined:1:1:1 typeof_is_function:1:1:1"""


@functools.cache
def opcodes() -> tuple[Opcode, ...]:
    """Return all opcodes, each at the index that is its number."""
    rows = []
    for row in _ROWS.split():
        name, size, pops, pushes, *operand = row.split(":")
        rows.append(Opcode(name, int(size), int(pops), int(pushes), operand[0] if operand else ""))
    return tuple(rows)


#: Index of a call's operand that is the function.
CALLEES: Final = {
    "call": 0, "call0": 0, "call1": 0, "call2": 0, "call3": 0, "tail_call": 0, "eval": 0,
    "call_method": 1, "tail_call_method": 1, "call_constructor": 0, "apply": 0, "apply_eval": 0,
}  # fmt: skip


@functools.lru_cache(64)
def stack_levels(code: bytes) -> dict[int, int]:
    """Return the number of values on the stack before each instruction of a function.

    Follows QuickJS's own computation of a function's stack size.

    Args:
        code: The bytecode of the function.

    Returns:
        The level by the instruction's position. Instructions that are never reached are missing.
    """
    levels: dict[int, int] = {}
    #: The innermost `catch` or loop over an iterator around each instruction, -1 for none.
    catchers: dict[int, int] = {}
    table = opcodes()
    pending = [(0, 0, -1)]
    while pending:
        position, level, catcher = pending.pop()
        while position not in levels:
            levels[position], catchers[position] = level, catcher
            opcode = table[code[position]]
            name = opcode.name
            following = position + opcode.size
            level += opcode.pushes - pops(opcode, code, position)
            if name in _ENDS:
                break
            if opcode.operand in _JUMPS:
                target = _target(code, position, opcode)
                if name.startswith("goto"):
                    following = target
                elif name == "gosub":
                    pending.append((target, level + 1, catcher))
                elif name.startswith("with_"):
                    pending.append((target, level + _WITH_PUSHES.get(name, 2), catcher))
                else:
                    pending.append((target, level, catcher))
                if name == "catch":
                    catcher = position
            elif name in ("for_of_start", "for_await_of_start"):
                catcher = position
            elif name in _MAY_DROP_CATCHER and catcher >= 0:
                if level + _MAY_DROP_CATCHER[name] == _level_around(code, levels, catcher):
                    catcher = catchers[catcher]
            elif name == "nip_catch":
                level = _level_around(code, levels, catcher) + 1
                catcher = catchers[catcher]
            position = following
    return levels


_ENDS: Final = frozenset(
    (
        "tail_call", "tail_call_method", "return", "return_undef", "return_async", "throw",
        "throw_error", "ret",
    )
)  # fmt: skip
#: Offset of a jump's distance behind the opcode, and its size in bytes.
_JUMPS: Final = {"label": (1, 4), "label8": (1, 1), "label16": (1, 2), "atom_label_u8": (5, 4)}
_WITH_PUSHES: Final = {"with_get_var": 1, "with_delete_var": 1, "with_put_var": -1}
#: Stack level above that of the `catch`, of opcodes that take it from the stack.
_MAY_DROP_CATCHER: Final = {"drop": 0, "nip": -1, "nip1": -1, "iterator_close": 2}


#: Instructions that only move values: the index of the input of each output.
_MOVES: Final = {
    "dup": (0, 0), "dup1": (0, 0, 1), "dup2": (0, 1, 0, 1), "dup3": (0, 1, 2, 0, 1, 2),
    "nip": (1,), "nip1": (1, 2), "swap": (1, 0), "swap2": (2, 3, 0, 1),
    "insert2": (1, 0, 1), "insert3": (2, 0, 1, 2), "insert4": (3, 0, 1, 2, 3),
    "perm3": (1, 0, 2), "perm4": (2, 0, 1, 3), "perm5": (3, 0, 1, 2, 4),
    "rot3l": (1, 2, 0), "rot3r": (2, 0, 1), "rot4l": (1, 2, 3, 0), "rot5l": (1, 2, 3, 4, 0),
    "to_propkey": (0,), "to_propkey2": (0, 1),
}  # fmt: skip


@functools.lru_cache(1024)
def source_of(code: bytes, position: int, slot: int) -> tuple[int, int] | None:
    """Find the instruction that made the value in a slot of the stack.

    Where branches meet, it is the last instruction before `position` as the code is written.

    Args:
        code: The bytecode of the function.
        position: The instruction that reads the slot.
        slot: The index of the slot, 0 for the bottom of the stack.

    Returns:
        The position of the instruction that made the value, and the index of the value among those
        that the instruction pushes; None if there is no such instruction.
    """
    table, levels = opcodes(), stack_levels(code)
    for before in sorted((start for start in levels if start < position), reverse=True):
        opcode = table[code[before]]
        bottom = levels[before] - pops(opcode, code, before)
        output = slot - bottom
        if not 0 <= output < opcode.pushes:
            continue
        inputs = _MOVES.get(opcode.name)
        if inputs is None:
            return before, output
        slot = bottom + inputs[output]
    return None


@functools.lru_cache(1024)
def is_callee(code: bytes, position: int) -> bool:
    """Return True if a later instruction calls the last value that an instruction pushes."""
    table, levels = opcodes(), stack_levels(code)
    opcode = table[code[position]]
    slot = levels[position] - pops(opcode, code, position) + opcode.pushes - 1
    for after in sorted(start for start in levels if start > position):
        opcode = table[code[after]]
        callee = CALLEES.get(opcode.name)
        bottom = levels[after] - pops(opcode, code, after)
        if callee is not None and source_of(code, after, bottom + callee) == (position, 1):
            return True
        if bottom < slot:  # the value has been taken from the stack
            return False
    return False


def pops(opcode: Opcode, code: bytes, position: int) -> int:
    """Return how many values the instruction at `position` takes from the stack."""
    if opcode.operand in ("npop", "npop_u16"):
        return opcode.pops + int.from_bytes(code[position + 1 : position + 3], "little")
    if opcode.operand == "npopx":
        return opcode.pops + int(opcode.name[-1])
    return opcode.pops


def _target(code: bytes, position: int, opcode: Opcode) -> int:
    offset, size = _JUMPS[opcode.operand]
    start = position + offset
    return start + int.from_bytes(code[start : start + size], "little", signed=True)


def _level_around(code: bytes, levels: dict[int, int], catcher: int) -> int:
    """Return the stack's level before `catch`; loops keep their iterator below."""
    return levels[catcher] + (opcodes()[code[catcher]].name != "catch")

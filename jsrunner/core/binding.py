"""The binding of the core: loads the library by ctypes and declares its functions.

The C functions are documented at their definitions (core/*.c, marked CORE_API) and touch no Python
object. The library is loaded as a `PyDLL`, which keeps the GIL during calls, because calls are short.
All functions are for the main stack of one thread.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import struct
import time
from ctypes import (
    POINTER,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, Final

#: Stack of a VU's fiber, virtual memory that is touched as it grows: some 5,000 frames, as k6.
STACK_BYTES: Final = 10 << 20
#: Memory of a VU's interpreter. k6 has no limit; without one a script that allocates for ever takes the
#: whole machine.
MEMORY_BYTES: Final = 512 << 20
#: Seconds of one TCP connect (k6: the same, no option).
CONNECT_TIMEOUT: Final = 30.0
#: Seconds of name look-up, TCP, TLS and the handshake of a WebSocket session together (k6: the same, no
#: option).
HANDSHAKE_TIMEOUT: Final = 60.0
#: Close codes that are counted apart, as in session.h.
MAX_CLOSE_CODES: Final = 64
_LIBRARY: Final = Path(__file__).with_name("libcore.so")


#: `struct pending` of request.c: VU, serial number, operation, status, address and size of the data.
REQUEST: Final = struct.Struct("@iIiiPN")


class Collected(ctypes.Structure):
    """`struct collected` of samples.c."""

    _fields_ = (
        ("series", c_int32),
        ("kind", c_int32),
        ("first_time", c_double),
        ("a", c_double),
        ("b", c_double),
        ("c", c_double),
        ("values", c_void_p),
        ("count", c_size_t),
    )


class Numbers(ctypes.Structure):
    """`struct iteration_numbers` of iterations.c."""

    _fields_ = (
        ("iteration", c_int64),
        ("in_scenario", c_int64),
        ("in_test", c_int64),
        ("left", c_int64),
        ("started", c_double),
    )


class DialFacts(ctypes.Structure):
    """`struct dial_facts` of dial.c."""

    _fields_ = (
        ("recipe", c_int64),
        ("started", c_double),
        ("vu", c_int32),
        ("is_blocking", c_int32),
        ("key", c_char * 24),
    )


class TLSTarget(ctypes.Structure):
    """`struct tls_target` of session.h."""

    _fields_ = (
        ("functions", c_void_p),
        ("context", c_void_p),
        ("name", c_char_p),
        ("name_size", c_size_t),
        ("address", c_uint8 * 16),
        ("address_size", c_size_t),
    )


class TLSFailure(ctypes.Structure):
    """`struct tls_failure` of session.h."""

    _fields_ = (
        ("first_error", c_uint64),
        ("last_error", c_uint64),
        ("verify_result", c_int64),
        ("kind", c_int32),
        ("number", c_int32),
        ("header_size", c_uint32),
        ("header", c_uint8 * 8),
    )


class HttpTerms(ctypes.Structure):
    """`struct http_terms` of http.h."""

    _fields_ = (
        ("timeout", c_double),
        ("body_max", c_size_t),
        ("start_size", c_size_t),
        ("end_size", c_size_t),
        ("host", c_int32),
        ("is_head", c_bool),
        ("is_replayable", c_bool),
        ("tells_empty", c_bool),
        ("is_discarded", c_bool),
        ("is_binary", c_bool),
    )


_SIGNATURES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    # vu.c
    "core_open": (c_char_p, (c_char_p, c_size_t, c_size_t, c_double)),
    "core_start_polling": (c_int, ()),
    "core_stop_polling": (None, ()),
    "core_vu_create": (c_int32, ()),
    "core_vu_destroy": (None, (c_int32,)),
    "core_abort": (None, (c_int32,)),
    "core_abort_request": (None, (c_int32, c_uint32)),
    "core_vu_measure_sessions": (None, (c_int32, c_bool)),
    "core_vu_state": (c_int, (c_int32,)),
    # interpreter.c
    "core_vu_memory": (c_size_t, (c_int32,)),
    "core_vu_trim": (None, (c_int32,)),
    "core_vu_addresses": (None, (c_int32, POINTER(c_uint64))),
    # command.c
    "core_command": (c_bool, (c_int32, c_char_p, c_char_p, c_size_t, c_double)),
    # metric_context.c
    "core_vu_track_contexts": (None, (c_int32,)),
    "core_vu_context": (None, (c_int32, POINTER(c_int32))),
    # watchdog.c
    "core_watch": (c_bool, ()),
    # schedule.c
    "core_main": (c_bool, (c_char_p,)),
    "core_template_make": (c_bool, (c_char_p, c_char_p, c_char_p, c_size_t, c_uint64, c_bool)),
    "core_template_identity": (None, (POINTER(c_uint64),)),
    "core_template_forget": (None, ()),
    "core_turn": (c_bool, (c_double, c_int)),
    "core_leave": (None, ()),
    # request.c
    "core_operation_name": (c_char_p, (c_int32,)),
    "core_take_requests": (c_size_t, (c_void_p, c_size_t)),
    "core_answer": (c_bool, (c_int32, c_uint32, c_int, c_char_p, c_size_t)),
    # modules.c
    "core_compile": (c_bool, (c_char_p, c_char_p, c_size_t, c_bool)),
    "core_syntax_error": (c_size_t, (c_char_p, c_size_t, c_bool, c_char_p, c_size_t)),
    "core_image_clear": (None, ()),
    "core_image_get": (c_void_p, (c_char_p, POINTER(c_size_t))),
    "core_image_put": (c_bool, (c_char_p, c_char_p, c_size_t)),
    # tasks.c
    "core_post": (c_bool, (c_int32, c_int32, c_char_p, c_size_t)),
    # samples.c
    "core_series_create": (c_int32, (c_int,)),
    "core_tag_set_create": (c_int32, ()),
    "core_tag_set_series": (None, (c_int32, c_int32, c_int32)),
    "core_sample": (None, (c_int32, c_double, c_double, c_int32)),
    "core_samples": (None, (c_void_p, c_void_p, c_size_t, c_double, c_int32)),
    "core_vu_tags": (None, (c_int32, c_int32, c_int32)),
    "core_keep_records": (None, (c_bool,)),
    "core_collect": (c_size_t, (POINTER(Collected), c_size_t)),
    "core_take_records": (c_void_p, (POINTER(c_size_t),)),
    # iterations.c
    "core_supply_create": (
        c_void_p,
        (c_int, c_void_p, c_int64, c_int64, c_int64, c_void_p, c_void_p, c_double),
    ),
    "core_vu_supply": (None, (c_int32, c_void_p, c_int64, c_int64, c_double)),
    "core_vu_stop_at": (None, (c_int32, c_double)),
    "core_vu_numbers": (None, (c_int32, POINTER(Numbers))),
    "core_vu_set_numbers": (None, (c_int32, POINTER(Numbers))),
    "core_vu_iteration_hook": (None, (c_int32, c_bool)),
    "core_vu_take_bytes": (None, (c_int32, POINTER(c_uint64), POINTER(c_uint64))),
    "core_vu_add_bytes": (None, (c_int32, c_uint64, c_uint64)),
    "core_vu_repeats_dials": (None, (c_int32, c_bool)),
    # leases.c
    "core_leases_put": (c_bool, (c_void_p, c_int64, c_int64)),
    "core_leases_take": (c_int64, (c_void_p, c_int64, POINTER(c_int64))),
    "core_leases_left": (c_int64, (c_void_p,)),
    # dial.c
    "core_dial": (
        c_int,
        (
            c_uint32,
            c_uint32,
            c_char_p,
            c_uint16,
            c_char_p,
            c_char_p,
            c_size_t,
            c_double,
            POINTER(TLSTarget),
        ),
    ),
    "core_dial_adopt": (
        c_int,
        (c_uint32, c_uint32, c_int, c_char_p, c_size_t, c_double, POINTER(TLSTarget)),
    ),
    "core_dial_facts": (c_bool, (c_uint32, c_uint32, POINTER(DialFacts))),
    "core_dial_more": (None, (c_uint32, c_uint32)),
    "core_dial_take": (c_int, (c_uint32, c_uint32, POINTER(c_void_p))),
    # recipe.c
    "core_recipe_keep": (
        None,
        (
            c_int64,
            c_char_p,
            c_uint16,
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            c_double,
            POINTER(TLSTarget),
        ),
    ),
    "core_recipe_answer": (None, (c_int64, *(c_char_p, c_size_t) * 4, c_void_p)),
    # http*.c
    "core_vu_repeats_requests": (None, (c_int32, c_bool)),
    "core_http_lend": (c_uint32, (c_int32, c_int32, c_int32, c_char_p, c_int32)),
    "core_http_recipe": (
        None,
        (c_uint32, POINTER(HttpTerms), c_char_p, c_size_t, c_char_p, c_size_t),
    ),
    "core_http_reclaim": (c_int, (c_int32, c_uint32)),
    # secure.c
    "core_tls_log_keys": (None, (c_int,)),
    "core_tls_log_key": (None, (c_void_p, c_char_p)),
    # session.c
    "core_dial_timeouts": (None, (c_double, c_double)),
    "core_session_rules": (None, (c_bool, c_size_t, c_size_t, c_size_t)),
    "core_session_queues": (None, (c_size_t, c_size_t, c_double, c_double)),
    "core_session_open": (
        c_bool,
        (c_uint32, c_uint32, c_bool, c_void_p, c_double, c_char_p, c_size_t, c_char_p, c_size_t),
    ),
    "core_session_fail": (c_bool, (c_uint32, c_uint32, c_char_p, c_size_t)),
    "core_sessions_count": (None, ()),
    "core_trim_parked": (None, ()),
    "core_session_closes": (c_size_t, (POINTER(c_uint32),)),
    "core_sessions_open": (c_uint32, ()),
}


class CoreError(RuntimeError):
    """The core cannot be used. The text gives the reason."""


def engine_path() -> str:
    """Return the path of dukpy's shared object, which holds QuickJS.

    dukpy itself is not imported: that would cost 50 ms, and its Python half is of no use here.

    Raises:
        CoreError: dukpy is not installed.
    """
    spec = importlib.util.find_spec("dukpy")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted(Path(folder).glob("_dukpy*.so")):
            return str(path)
    raise CoreError("jsrunner needs the package dukpy, whose shared library holds QuickJS")


def attach() -> ctypes.PyDLL:
    """Return the library with its functions' types set, for those that need no engine.

    Raises:
        CoreError: the library is missing.
    """
    path = os.environ.get("JSRUNNER_CORE") or str(_LIBRARY)
    try:
        library = ctypes.PyDLL(path)
    except OSError as error:
        raise CoreError(
            f"{error}; from a source tree, `python -m jsrunner.core.build` compiles it"
        ) from None
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def load(stack_bytes: int = STACK_BYTES, memory_bytes: int = MEMORY_BYTES) -> ctypes.PyDLL:
    """Return the library, ready for VUs.

    Raises:
        CoreError: the library or the engine is missing, or of another version.
    """
    library = attach()
    offset = time.time() - time.monotonic()
    problem = library.core_open(engine_path().encode(), stack_bytes, memory_bytes, offset)
    if problem:
        raise CoreError(problem.decode())
    library.core_dial_timeouts(CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT)
    return library

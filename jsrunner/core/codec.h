/* JavaScript values to and from MessagePack
 * (https://github.com/msgpack/msgpack/blob/master/spec.md), in which JavaScript and Python exchange
 * values.
 *
 *     JavaScript                                    MessagePack
 *     undefined, null, function, symbol             nil
 *     boolean                                       bool
 *     number that is an integer up to 2^53          int (but -0: float 64)
 *     other number, NaN, Infinity                   float 64
 *     bigint                                        int if it fits into 64 bits, else str (decimal)
 *     string                                        str; a lone surrogate becomes U+FFFD
 *     ArrayBuffer, typed array, DataView            bin, the bytes that the view shows
 *     array                                         array; holes are nil
 *     any other object                              map of its own enumerable string keys in their
 *                                                   order, without members that are undefined,
 *                                                   functions or symbols
 *
 * The other way, nil is null, bin an ArrayBuffer, ints beyond 32 bits and floats are numbers, a map
 * is a plain object of own properties ("__proto__" too), and the last of equal keys counts. Keys
 * that are not str, ext types, and what is no MessagePack are errors.
 *
 * JavaScript runs only where the value itself says so: getters, and traps of a Proxy. There is no
 * toJSON, no look-up in prototypes, no setter. What a getter or trap throws is passed on.
 *
 * A value is walked by recursion, up to CODEC_MAX_DEPTH levels deep. That takes less than
 * CODEC_STACK_BYTES of the C stack, besides what getters use. Measured (bench/core/codec.c, gcc
 * 12): 180 KB, with AddressSanitizer 560 KB.
 */
#ifndef JSRUNNER_CODEC_H
#define JSRUNNER_CODEC_H

#include "bytes.h"
#include "quickjs.h"

enum {
    CODEC_MAX_DEPTH = 1000,
    /* Values in one value that is written: it bounds what arrays of nothing but holes cost, and
     * objects that contain the same objects over and over. */
    CODEC_MAX_VALUES = 1 << 24,
    CODEC_MAX_BYTES = 1 << 29,
    CODEC_STACK_BYTES = 1 << 20,
    CODEC_POLL_VALUES = 1 << 14,
};

/* Called before each CODEC_POLL_VALUES-th value is written or read, if it is set, because the
 * engine serves no interrupts meanwhile. Return false with an exception pending to give up. */
extern bool (*codec_poll)(JSContext *context);

/* Append a value. Return false with an exception pending: what a getter or trap threw; a TypeError
 * for values that are nested too deeply, cycles among them, and for detached buffers; a RangeError
 * for values that are too large; out of memory. `out` then has what was written so far. The value
 * stays the caller's. */
bool codec_write(JSContext *context, JSValue value, struct bytes *out);

/* Return the value that `size` bytes encode; it is the caller's. Return JS_EXCEPTION with an
 * InternalError pending if they are no value, more than one, or nested too deeply; or if memory is
 * exhausted. No JavaScript runs. */
JSValue codec_read(JSContext *context, const uint8_t *bytes, size_t size);

/* Return whether the engine keeps DataViews as this file believes (it has no function for them). To
 * be asked once per process, in a context of its own with typed arrays and eval. */
bool codec_check(JSContext *context);

#endif

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
    /* Maximum number of values within one written value. It bounds the cost of arrays of holes, and of objects
     * that contain the same objects many times. */
    CODEC_MAX_VALUES = 1 << 24,
    CODEC_MAX_BYTES = 1 << 29,
    CODEC_STACK_BYTES = 1 << 20,
    CODEC_POLL_VALUES = 1 << 14,
};

/* Called, if set, before each CODEC_POLL_VALUES-th value is written or read, because the engine serves no
 * interrupts meanwhile. A function that returns false, with an exception pending, ends the coding. */
extern bool (*codec_poll)(JSContext *context);

/* Append the encoding of a value. Returns false with an exception pending: the exception of a getter or trap; a
 * TypeError for values that are nested too deeply (also cycles) and for detached buffers; a RangeError for values
 * that are too large; out of memory. `out` then has a part of the encoding. The caller keeps the value. */
bool codec_write(JSContext *context, JSValue value, struct bytes *out);

/* Decode `size` bytes. The caller owns the value. Returns JS_EXCEPTION with an InternalError pending if the bytes
 * are not exactly one value or the value is nested too deeply, or if memory is exhausted. Runs no JavaScript. */
JSValue codec_read(JSContext *context, const uint8_t *bytes, size_t size);

/* Return true if the engine stores DataViews as codec_write.c assumes (the engine has no function for that). To be
 * called once per process, in a context of its own with typed arrays and eval. */
bool codec_check(JSContext *context);

#endif

/* Bytecode of modules, see bytecode.h.
 *
 * Theory. The engine keeps the names of all variables of a function, although it needs them only for direct eval, and
 * for the text of the error that a variable is not initialized. Each name is an atom of the VU, which takes 24 bytes
 * and its text, and each local variable has a record of 16 bytes. So jsrunner's modules are read without the records of
 * local variables, and with the empty name for variables of outer functions. Measured per VU: 7 KB less with `k6/ws`, 17
 * KB less with `k6` and `k6/http`.
 *
 * The format is that of QuickJS-NG 0.11 (JS_WriteModule, JS_WriteFunctionTag). Numbers are LEB128: 7 bits per byte, the
 * lowest first; all bytes but the last have the bit 128.
 */
#include "bytecode.h"

#include <string.h>

/* The kinds of values that the constants of functions have. */
enum {
    VALUE_NULL = 1, VALUE_TRUE = 4, VALUE_INT = 5, VALUE_FLOAT = 6, VALUE_TEXT = 7, VALUE_BIG_INT = 10,
    VALUE_FUNCTION = 12, VALUE_MODULE = 13,
};
/* A bit of a function's flags: it has a file name and positions. */
enum { HAS_POSITIONS = 1 << 11 };
enum { FLOAT_BYTES = 8, ATOM_BYTES = 4 };

/* The bytecode is read from `next` to `end`. What is between `copied` and `next` is yet to be copied. */
struct reader {
    const uint8_t *next, *end, *copied;
    struct bytes *to;
    bool has_failed;
};

static void skip(struct reader *reader, size_t size)
{
    if (size > (size_t)(reader->end - reader->next)) reader->has_failed = true;
    else reader->next += size;
}

static uint32_t read_byte(struct reader *reader)
{
    const uint8_t *at = reader->next;
    skip(reader, 1);
    return reader->has_failed ? 0 : *at;
}

static uint32_t read_number(struct reader *reader)
{
    uint32_t number = 0, byte = 128;
    for (int shift = 0; byte & 128 && shift < 35; shift += 7) {
        byte = read_byte(reader);
        number |= (byte & 127) << shift;
    }
    return number;
}

static void skip_numbers(struct reader *reader, uint32_t count)
{
    for (uint32_t i = 0; i < count && !reader->has_failed; i++) read_number(reader);
}

static void skip_text(struct reader *reader)
{
    uint32_t head = read_number(reader); /* twice the length, and 1 if a character takes two bytes */
    skip(reader, (size_t)(head >> 1) << (head & 1));
}

/* Copy all that was read. */
static void copy(struct reader *reader)
{
    if (!bytes_append(reader->to, reader->copied, (size_t)(reader->next - reader->copied))) reader->has_failed = true;
    reader->copied = reader->next;
}

/* Write a zero, a number or the empty name, instead of what was read since the last copy. */
static void replace_by_zero(struct reader *reader)
{
    if (!bytes_append_byte(reader->to, 0)) reader->has_failed = true;
    reader->copied = reader->next;
}

static void read_function(struct reader *reader);

static void read_value(struct reader *reader)
{
    uint32_t kind = read_byte(reader);
    if (kind == VALUE_FUNCTION) read_function(reader);
    else if (kind == VALUE_TEXT) skip_text(reader);
    else if (kind == VALUE_INT) read_number(reader);
    else if (kind == VALUE_FLOAT) skip(reader, FLOAT_BYTES);
    else if (kind == VALUE_BIG_INT) skip(reader, read_number(reader));
    else if (kind < VALUE_NULL || kind > VALUE_TRUE) reader->has_failed = true;
}

static void read_function(struct reader *reader)
{
    uint32_t flags = read_byte(reader);
    flags |= read_byte(reader) << 8;
    skip(reader, 1);          /* is it strict? */
    skip_numbers(reader, 5);  /* its name; numbers of parameters, of variables, of parameters without default; stack */
    uint32_t outer = read_number(reader), constants = read_number(reader), code_bytes = read_number(reader);
    copy(reader);
    for (uint32_t count = read_number(reader); count && !reader->has_failed; count--) {
        skip_numbers(reader, 3); /* name, scope, next in the scope */
        skip(reader, 1);         /* flags */
    }
    replace_by_zero(reader);
    for (; outer && !reader->has_failed; outer--) {
        read_number(reader);
        replace_by_zero(reader);
        read_number(reader); /* its number in the outer function */
        skip(reader, 1);     /* flags */
        copy(reader);
    }
    for (; constants && !reader->has_failed; constants--) read_value(reader);
    skip(reader, code_bytes);
    if (!(flags & HAS_POSITIONS)) return;
    skip_numbers(reader, 3); /* file, line, column */
    skip(reader, read_number(reader));
    skip(reader, read_number(reader)); /* the source's text */
}

static void read_atoms(struct reader *reader)
{
    for (uint32_t count = read_number(reader); count && !reader->has_failed; count--) {
        if (read_byte(reader)) skip_text(reader);
        else skip(reader, ATOM_BYTES);
    }
}

static void read_module(struct reader *reader)
{
    read_number(reader);                       /* its name */
    skip_numbers(reader, read_number(reader)); /* imported modules */
    for (uint32_t count = read_number(reader); count && !reader->has_failed; count--) {
        bool is_indirect = read_byte(reader);
        skip_numbers(reader, is_indirect ? 3 : 2);
    }
    skip_numbers(reader, read_number(reader)); /* export * from */
    skip_numbers(reader, 3 * read_number(reader));
    skip(reader, 1); /* has it a top-level await? */
    read_value(reader);
}

bool bytecode_strip_names(struct bytes *to, const uint8_t *bytecode, size_t size)
{
    struct reader reader = {bytecode, bytecode + size, bytecode, to, false};
    skip(&reader, 1); /* version */
    read_atoms(&reader);
    if (read_byte(&reader) != VALUE_MODULE) return false;
    read_module(&reader);
    copy(&reader);
    return !reader.has_failed && reader.next == reader.end;
}

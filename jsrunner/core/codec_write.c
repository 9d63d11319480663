/* JavaScript to MessagePack, see codec.h.
 *
 * Invariants: each write_ function returns false exactly if an exception is pending. No JavaScript runs between
 * the inspection of a buffer and its copying, because JavaScript could detach the buffer. A getter may shorten an
 * array that is being written, so lengths are upper bounds, and missing elements become nil. */
#include "codec.h"

#include "utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    JSContext *context;
    struct bytes *out;
    size_t start;  /* of this value in `out` */
    size_t values; /* written so far */
    int depth;
};

/* QuickJS-NG 0.11's structure of a typed array or DataView. codec_check tests that the engine has this structure. */
struct view {
    void *link[2], *object, *buffer;
    uint32_t offset, length;
    bool tracks_length; /* of a resizable buffer: the view extends to its end */
};

bool (*codec_poll)(JSContext *context);

static bool write_value(struct writer *writer, JSValue value);

/* -- bytes ------------------------------------------------------------------------------------- */

static bool put(struct writer *writer, const void *from, size_t size)
{
    if (size > CODEC_MAX_BYTES || writer->out->size - writer->start > CODEC_MAX_BYTES - size) {
        JS_ThrowRangeError(writer->context, "value is too large");
        return false;
    }
    if (bytes_append(writer->out, from, size)) return true;
    JS_ThrowOutOfMemory(writer->context);
    return false;
}

/* Write `kind` and then `number` in big-endian order in `size` bytes. */
static bool put_number(struct writer *writer, uint8_t kind, uint64_t number, size_t size)
{
    uint8_t to[9] = {kind};
    for (size_t i = 0; i < size; i++) to[1 + i] = (uint8_t)(number >> 8 * (size - 1 - i));
    return put(writer, to, 1 + size);
}

/* Write the header of a str, array or map: `few` is its kind with the length in its lower bits, if
 * that is at most `few_max`; kind8 is 0 if there is none with a length of 8 bits. */
static bool put_header(struct writer *writer, size_t length, uint8_t few, size_t few_max,
                       uint8_t kind8, uint8_t kind16)
{
    if (length <= few_max) return put_number(writer, (uint8_t)(few | length), 0, 0);
    if (kind8 && length <= UINT8_MAX) return put_number(writer, kind8, length, 1);
    if (length <= UINT16_MAX) return put_number(writer, kind16, length, 2);
    return put_number(writer, (uint8_t)(kind16 + 1), length, 4);
}

/* -- primitives -------------------------------------------------------------------------------- */

static bool write_nil(struct writer *writer) { return put_number(writer, 0xC0, 0, 0); }

static bool write_integer(struct writer *writer, int64_t number)
{
    uint64_t bits = (uint64_t)number;
    if (number >= 0) {
        if (number <= 0x7F) return put_number(writer, (uint8_t)number, 0, 0);
        if (number <= UINT8_MAX) return put_number(writer, 0xCC, bits, 1);
        if (number <= UINT16_MAX) return put_number(writer, 0xCD, bits, 2);
        if (number <= UINT32_MAX) return put_number(writer, 0xCE, bits, 4);
        return put_number(writer, 0xCF, bits, 8);
    }
    if (number >= -32) return put_number(writer, (uint8_t)number, 0, 0);
    if (number >= INT8_MIN) return put_number(writer, 0xD0, bits, 1);
    if (number >= INT16_MIN) return put_number(writer, 0xD1, bits, 2);
    if (number >= INT32_MIN) return put_number(writer, 0xD2, bits, 4);
    return put_number(writer, 0xD3, bits, 8);
}

static bool write_double(struct writer *writer, double number)
{
    static const double max_integer = 9007199254740992.0; /* 2^53 */
    bool is_integer = number >= -max_integer && number <= max_integer && trunc(number) == number;
    if (is_integer && (number != 0 || !signbit(number)))
        return write_integer(writer, (int64_t)number);
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return put_number(writer, 0xCB, bits, 8);
}

/* Write a str from the UTF-8 text of a JavaScript string. */
static bool write_text(struct writer *writer, const char *text, size_t size)
{
    if (!put_header(writer, size, 0xA0, 31, 0xD9, 0xDA) || !put(writer, text, size)) return false;
    utf8_replace_surrogates(writer->out->data + writer->out->size - size, size);
    return true;
}

static bool write_string(struct writer *writer, JSValue value)
{
    size_t size;
    const char *text = JS_ToCStringLen2(writer->context, &size, value, false);
    if (!text) return false;
    bool is_written = write_text(writer, text, size);
    JS_FreeCString(writer->context, text);
    return is_written;
}

static bool write_big_int(struct writer *writer, JSValue value)
{
    size_t size;
    const char *text = JS_ToCStringLen2(writer->context, &size, value, false);
    if (!text) return false;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    bool is_written = errno ? write_text(writer, text, size) : write_integer(writer, number);
    JS_FreeCString(writer->context, text);
    return is_written;
}

/* -- buffers ----------------------------------------------------------------------------------- */

static bool write_bin(struct writer *writer, const uint8_t *bytes, size_t size)
{
    uint8_t kind = size <= UINT8_MAX ? 0xC4 : size <= UINT16_MAX ? 0xC5 : 0xC6;
    return put_number(writer, kind, size, (size_t)1 << (kind - 0xC4)) && put(writer, bytes, size);
}

/* Get a buffer's bytes; return false if it is detached. An empty buffer may be at NULL. */
static bool get_buffer(struct writer *writer, JSValue buffer, uint8_t **bytes, size_t *size)
{
    *bytes = JS_GetArrayBuffer(writer->context, size, buffer);
    return *bytes || !JS_HasException(writer->context);
}

/* Write the bytes of a typed array (with elements of `element_size` bytes) or of a DataView (1). */
static bool write_view(struct writer *writer, JSValue value, size_t element_size)
{
    const struct view *view = JS_GetOpaque(value, JS_GetClassID(value));
    JSValue buffer = {{.pointer = view->buffer}, JS_TAG_OBJECT};
    uint8_t *bytes;
    size_t size, offset = view->offset, length = view->length;
    if (!get_buffer(writer, buffer, &bytes, &size)) return false;
    if (view->tracks_length && offset <= size)
        length = (size - offset) / element_size * element_size;
    if (offset > size || length > size - offset) {
        JS_ThrowTypeError(writer->context, "the view is out of its buffer's bounds");
        return false;
    }
    return write_bin(writer, length ? bytes + offset : NULL, length);
}

static bool write_typed_array(struct writer *writer, JSValue value)
{
    size_t element_size;
    JSValue buffer = JS_GetTypedArrayBuffer(writer->context, value, NULL, NULL, &element_size);
    if (js_is_exception(buffer)) return false;
    JS_FreeValue(writer->context, buffer);
    return write_view(writer, value, element_size);
}

static bool write_array_buffer(struct writer *writer, JSValue value)
{
    uint8_t *bytes;
    size_t size;
    return get_buffer(writer, value, &bytes, &size) && write_bin(writer, bytes, size);
}

/* -- arrays and objects ------------------------------------------------------------------------ */

/* Get an own property, undefined if there is none. The value is the caller's; JS_EXCEPTION with an
 * exception pending if a getter or trap threw. */
static JSValue get_own(JSContext *context, JSValue object, JSAtom key)
{
    if (JS_IsProxy(object)) return JS_GetProperty(context, object, key);
    JSPropertyDescriptor property;
    int result = JS_GetOwnProperty(context, &property, object, key);
    if (result <= 0) return result < 0 ? JS_EXCEPTION : JS_UNDEFINED;
    if (!(property.flags & JS_PROP_GETSET)) return property.value;
    JSValue value = JS_UNDEFINED;
    if (!js_is_undefined(property.getter))
        value = JS_Call(context, property.getter, object, 0, NULL);
    JS_FreeValue(context, property.getter);
    JS_FreeValue(context, property.setter);
    return value;
}

static bool write_array(struct writer *writer, JSValue array)
{
    JSContext *context = writer->context;
    int64_t length;
    if (JS_GetLength(context, array, &length) < 0) return false;
    if (length > CODEC_MAX_VALUES) {
        JS_ThrowRangeError(context, "value is too large");
        return false;
    }
    if (!put_header(writer, (size_t)length, 0x90, 15, 0, 0xDC)) return false;
    for (uint32_t i = 0; i < length; i++) {
        JSAtom key = JS_NewAtomUInt32(context, i);
        JSValue element = get_own(context, array, key);
        JS_FreeAtom(context, key);
        bool is_written = !js_is_exception(element) && write_value(writer, element);
        JS_FreeValue(context, element);
        if (!is_written) return false;
    }
    return true;
}

/* Return true if a member with this value is left out. */
static bool is_left_out(JSContext *context, JSValue value)
{
    return js_is_undefined(value) || value.tag == JS_TAG_SYMBOL ||
           (value.tag == JS_TAG_OBJECT && JS_IsFunction(context, value));
}

static bool write_key(struct writer *writer, JSAtom key)
{
    size_t size;
    const char *text = JS_AtomToCStringLen(writer->context, &size, key);
    if (!text) return false;
    bool is_written = write_text(writer, text, size);
    JS_FreeCString(writer->context, text);
    return is_written;
}

/* Write the members with these keys; count them. */
static bool write_members(struct writer *writer, JSValue object, const JSPropertyEnum *keys,
                          uint32_t key_count, uint32_t *member_count)
{
    JSContext *context = writer->context;
    *member_count = 0;
    for (uint32_t i = 0; i < key_count; i++) {
        JSValue value = get_own(context, object, keys[i].atom);
        if (js_is_exception(value)) return false;
        bool is_member = !is_left_out(context, value);
        bool is_written =
            !is_member || (write_key(writer, keys[i].atom) && write_value(writer, value));
        JS_FreeValue(context, value);
        if (!is_written) return false;
        *member_count += is_member;
    }
    return true;
}

/* Write the count of members into the header of a map. The header keeps the form that it has for `key_count`. */
static void set_member_count(uint8_t *header, uint32_t key_count, uint32_t member_count)
{
    if (key_count <= 15) {
        header[0] = (uint8_t)(0x80 | member_count);
        return;
    }
    size_t size = key_count <= UINT16_MAX ? 2 : 4;
    for (size_t i = 0; i < size; i++) header[1 + i] = (uint8_t)(member_count >> 8 * (size - 1 - i));
}

static bool write_object(struct writer *writer, JSValue object)
{
    JSContext *context = writer->context;
    JSPropertyEnum *keys;
    uint32_t key_count, member_count;
    if (JS_GetOwnPropertyNames(context, &keys, &key_count, object,
                               JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0)
        return false;
    size_t header = writer->out->size;
    bool is_written = put_header(writer, key_count, 0x80, 15, 0, 0xDE) &&
                      write_members(writer, object, keys, key_count, &member_count);
    JS_FreePropertyEnum(context, keys, key_count);
    if (is_written && member_count != key_count)
        set_member_count(writer->out->data + header, key_count, member_count);
    return is_written;
}

/* Return Array.isArray(value): 1, 0, or -1 with an exception pending for a revoked Proxy. */
static int is_array(JSContext *context, JSValue value)
{
    if (!JS_IsProxy(value)) return JS_IsArray(value);
    JSValue target = JS_GetProxyTarget(context, value);
    while (!js_is_exception(target) && JS_IsProxy(target)) {
        JSValue next = JS_GetProxyTarget(context, target);
        JS_FreeValue(context, target);
        target = next;
    }
    int result = js_is_exception(target) ? -1 : JS_IsArray(target);
    JS_FreeValue(context, target);
    return result;
}

static bool write_container(struct writer *writer, JSValue value)
{
    if (writer->depth == CODEC_MAX_DEPTH) {
        JS_ThrowTypeError(writer->context, "value is nested too deeply");
        return false;
    }
    int result = is_array(writer->context, value);
    if (result < 0) return false;
    writer->depth++;
    bool is_written = result ? write_array(writer, value) : write_object(writer, value);
    writer->depth--;
    return is_written;
}

static bool write_heap_object(struct writer *writer, JSValue value)
{
    if (JS_IsFunction(writer->context, value)) return write_nil(writer);
    if (JS_IsArrayBuffer(value)) return write_array_buffer(writer, value);
    if (JS_GetTypedArrayType(value) >= 0) return write_typed_array(writer, value);
    if (JS_IsDataView(value)) return write_view(writer, value, 1);
    return write_container(writer, value);
}

/* Count a value. Returns false if there are too many values or if codec_poll ends the coding. */
static bool count_value(struct writer *writer)
{
    if (++writer->values > CODEC_MAX_VALUES) {
        JS_ThrowRangeError(writer->context, "value is too large");
        return false;
    }
    return writer->values % CODEC_POLL_VALUES || !codec_poll || codec_poll(writer->context);
}

static bool write_value(struct writer *writer, JSValue value)
{
    if (!count_value(writer)) return false;
    switch (value.tag) {
    case JS_TAG_BOOL:
        return put_number(writer, value.u.int32 ? 0xC3 : 0xC2, 0, 0);
    case JS_TAG_INT:
        return write_integer(writer, value.u.int32);
    case JS_TAG_FLOAT64:
        return write_double(writer, value.u.float64);
    case JS_TAG_STRING:
        return write_string(writer, value);
    case JS_TAG_BIG_INT:
    case JS_TAG_SHORT_BIG_INT:
        return write_big_int(writer, value);
    case JS_TAG_OBJECT:
        return write_heap_object(writer, value);
    default:
        return write_nil(writer);
    }
}

bool codec_write(JSContext *context, JSValue value, struct bytes *out)
{
    struct writer writer = {.context = context, .out = out, .start = out->size};
    return write_value(&writer, value);
}

bool codec_check(JSContext *context)
{
    static const char source[] = "new DataView(new ArrayBuffer(9), 3, 5)";
    JSValue value = JS_Eval(context, source, sizeof source - 1, "check", 0);
    bool is_right = JS_IsDataView(value);
    if (is_right) {
        const struct view *view = JS_GetOpaque(value, JS_GetClassID(value));
        is_right = view->object == value.u.pointer && view->offset == 3 && view->length == 5 &&
                   !view->tracks_length &&
                   JS_IsArrayBuffer((JSValue){{.pointer = view->buffer}, JS_TAG_OBJECT});
    }
    JS_FreeValue(context, value);
    return is_right;
}

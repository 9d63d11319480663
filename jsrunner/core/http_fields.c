/* Header fields of a response for scripts. See http.h. */
#include "http.h"

#include <string.h>
#include <strings.h>

/* Rewrite a field's name as k6 shows it: `x-request-ID` -> `X-Request-Id`. A text that is no name stays unchanged. */
static void canonicalize(char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!http_is_token((uint8_t)name[i])) return;
    bool is_first = true;
    for (size_t i = 0; i < size; i++) {
        if (is_first && name[i] >= 'a' && name[i] <= 'z') name[i] -= 32;
        else if (!is_first && name[i] >= 'A' && name[i] <= 'Z') name[i] += 32;
        is_first = name[i] == '-';
    }
}

/* Return the value `before` with another value of the same name behind it. The caller keeps `before`. */
static JSValue joined(JSContext *context, JSValue before, const char *value, size_t size)
{
    size_t before_size;
    const char *text = JS_ToCStringLen2(context, &before_size, before, false);
    if (!text) return JS_EXCEPTION;
    struct bytes both = {0};
    JSValue result = JS_EXCEPTION;
    if (bytes_append(&both, text, before_size) && bytes_append(&both, ", ", 2) && bytes_append(&both, value, size))
        result = JS_NewStringLen(context, (const char *)both.data, both.size);
    else
        JS_ThrowOutOfMemory(context);
    bytes_free(&both);
    JS_FreeCString(context, text);
    return result;
}

static bool define_field(JSContext *context, JSValue object, char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon) return true;
    size_t name_size = (size_t)(colon - line);
    if (http_is_text(line, name_size, "Transfer-Encoding")) return true; /* for the transport only */
    canonicalize(line, name_size);
    const char *value = colon + 1;
    size_t value_size = size - name_size - 1;
    http_trim(&value, &value_size);
    JSAtom name = JS_NewAtomLen(context, line, name_size);
    if (!name) return false;
    JSPropertyDescriptor before;
    int is_there = JS_GetOwnProperty(context, &before, object, name);
    JSValue text = JS_EXCEPTION;
    if (is_there > 0) {
        text = joined(context, before.value, value, value_size);
        JS_FreeValue(context, before.value);
    } else if (is_there == 0) {
        text = JS_NewStringLen(context, value, value_size);
    }
    bool is_done = !js_is_exception(text) && JS_DefinePropertyValue(context, object, name, text, JS_PROP_C_W_E) >= 0;
    JS_FreeAtom(context, name);
    return is_done;
}

JSValue http_headers_of(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    size_t size;
    const char *text = JS_ToCStringLen2(context, &size, argv[0], false);
    if (!text) return JS_EXCEPTION;
    struct bytes lines = {0};
    JSValue object = JS_NewObject(context);
    bool is_done = !js_is_exception(object) && bytes_append(&lines, text, size);
    for (size_t at = 0; is_done && at < size;) {
        char *line = (char *)lines.data + at;
        const char *feed = memchr(line, '\n', size - at);
        size_t length = feed ? (size_t)(feed - line) : size - at;
        at += length + 1;
        if (length && line[length - 1] == '\r') length--;
        is_done = define_field(context, object, line, length);
    }
    bytes_free(&lines);
    JS_FreeCString(context, text);
    if (is_done) return object;
    JS_FreeValue(context, object);
    return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
}

/* ASCII texts to and from JavaScript, see text.h. */
#include "text.h"

#include "utf8.h"

#include <string.h>

/* Characters of the engine's longest string. */
enum { LENGTH_MOST = (1 << 30) - 1 };

/* The head of the engine's string. The characters follow it: 16-bit units if is_wide, else bytes (Latin-1) and a zero.
 * A slice has a reference to another string instead. */
struct head {
    int32_t reference_count;
    uint32_t length : 31, is_wide : 1;
    uint32_t hash : 29, is_slice : 1, atom_type : 2;
    uint32_t next_of_hash;
    void *first_weak_reference;
};

/* True if the engine's strings have this head. */
static bool is_known;

/* Return a string of ASCII bytes, made without the engine. Exception: out of memory. */
static JSValue make(JSContext *context, const uint8_t *bytes, size_t size)
{
    uint8_t *string = js_malloc(context, sizeof(struct head) + size + 1);
    if (!string) return JS_EXCEPTION;
    struct head head = {.reference_count = 1, .length = (uint32_t)size & LENGTH_MOST};
    memcpy(string, &head, sizeof head);
    memcpy(string + sizeof head, bytes, size);
    string[sizeof head + size] = 0;
    return (JSValue){{.pointer = string}, JS_TAG_STRING};
}

void text_open(JSContext *context)
{
    static const uint8_t SAMPLE[] = "a text of some length";
    static bool is_compared;
    if (is_compared) return;
    is_compared = true;
    JSValue made = make(context, SAMPLE, sizeof SAMPLE - 1);
    JSValue engines = JS_NewStringLen(context, (const char *)SAMPLE, sizeof SAMPLE - 1);
    is_known = js_is_string(made) && js_is_string(engines) &&
               memcmp(made.u.pointer, engines.u.pointer, sizeof(struct head) + sizeof SAMPLE) == 0;
    JS_FreeValue(context, made);
    JS_FreeValue(context, engines);
}

JSValue text_from_ascii(JSContext *context, const uint8_t *bytes, size_t size)
{
    if (is_known && size && size <= LENGTH_MOST) return make(context, bytes, size);
    return JS_NewStringLen(context, (const char *)bytes, size);
}

const uint8_t *text_ascii(JSValue value, size_t *size)
{
    if (!is_known || !js_is_string(value)) return NULL;
    const struct head *head = value.u.pointer;
    if (head->is_wide || head->is_slice) return NULL;
    const uint8_t *bytes = (const uint8_t *)(head + 1);
    *size = head->length;
    return utf8_is_ascii(bytes, *size) ? bytes : NULL;
}

/* Requests of JavaScript and of the core to Python.
 *
 * Theory. Python never runs on a fiber. A VU that needs an operation of Python puts the operation's
 * number and its arguments (MessagePack) on the list of pending requests and parks; Python takes the
 * list on the main stack and answers each request with core_answer, at once or later, which resumes
 * the VU. JavaScript names operations (`host('crypto.hash', ...)`); a name gets its number when it is
 * first used, and Python asks for the name behind a number that it does not know.
 *
 * Invariants.
 *  - A VU has at most one request. Its serial number changes with each, so an answer to a withdrawn
 *    request meets another serial and is dropped.
 *  - Arguments stay valid until the VU runs again: they are in the VU's own buffer, or are the data of request_post.
 *    Python copies them when it takes the list.
 *  - Python owns the bytes of an answer. They are valid until the VU parks again.
 */
#include "core.h"

#include "codec.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

struct pending {
    int32_t vu;
    uint32_t serial;
    int32_t operation;
    int32_t status;
    const uint8_t *data;
    size_t size;
};

static const char *const CORE_OPERATIONS[CORE_OPERATION_COUNT] = {
    [OPERATION_DONE] = "core.done",           [OPERATION_NORMALIZE] = "core.normalize",
    [OPERATION_LOAD] = "core.load",           [OPERATION_TAGS] = "core.tags",
    [OPERATION_SERIES] = "core.series",       [OPERATION_MERGE] = "core.merge",
    [OPERATION_ITERATION] = "core.iteration", [OPERATION_ARRIVAL] = "core.arrival",
    [OPERATION_INFLATE] = "core.inflate",     [OPERATION_DEFLATE] = "core.deflate",
    [OPERATION_HEAD] = "core.head",           [OPERATION_CLOSED] = "core.closed",
    [OPERATION_DRAIN] = "core.drain",
};

static struct pending *pending;
static size_t pending_count, pending_capacity;

/* -- the list ------------------------------------------------------------------------------------- */

static void put(struct pending request)
{
    if (pending_count == pending_capacity) {
        size_t capacity = pending_capacity ? 2 * pending_capacity : 256;
        struct pending *grown = realloc(pending, capacity * sizeof *pending);
        if (!grown) abort(); /* 40 bytes per VU */
        pending = grown;
        pending_capacity = capacity;
    }
    pending[pending_count++] = request;
}

bool request_is_pending(void) { return pending_count > 0; }

void request_post(int32_t subject, uint32_t serial, int32_t operation, int32_t detail, const uint8_t *data, size_t size)
{
    put((struct pending){subject, serial, operation, detail, data, size});
}

void request_done(struct vu *vu, int32_t status)
{
    put((struct pending){vu->index, vu->serial, OPERATION_DONE, status, vu->result.data, vu->result.size});
}

void request_withdraw(struct vu *vu)
{
    size_t kept = 0;
    for (size_t i = 0; i < pending_count; i++)
        if (pending[i].vu != vu->index || pending[i].serial != vu->serial || pending[i].operation != vu->operation)
            pending[kept++] = pending[i];
    pending_count = kept;
    vu->serial++;
}

bool request_ask(struct vu *vu, int32_t operation)
{
    if (vu->is_aborting || vu->index < 0) return false; /* Python knows nothing of the template's VU */
    vu->operation = operation;
    vu->serial++;
    put((struct pending){vu->index, vu->serial, operation, 0, vu->request.data, vu->request.size});
    return vu_park(vu, VU_ASKING, NEVER);
}

JSValue request_value(struct vu *vu, int32_t operation)
{
    if (!request_ask(vu, operation)) return vu_throw_interrupted(vu);
    JSContext *context = vu->context;
    JSValue value = codec_read(context, vu->answer.data, vu->answer.size);
    if (js_is_exception(value)) return value;
    /* Python's None is undefined in JavaScript, not null. */
    if (vu->answer.status == ANSWER_OK) return value.tag == JS_TAG_NULL ? JS_UNDEFINED : value;
    /* [kind, text, fields], the arguments of JavaScript's makeError. */
    JSValue arguments[3];
    for (uint32_t i = 0; i < 3; i++) arguments[i] = JS_GetPropertyUint32(context, value, i);
    JSValue error = JS_Call(context, vu->make_error, JS_UNDEFINED, 3, arguments);
    for (size_t i = 0; i < 3; i++) JS_FreeValue(context, arguments[i]);
    JS_FreeValue(context, value);
    return js_is_exception(error) ? error : JS_Throw(context, error);
}

/* -- operations by name --------------------------------------------------------------------------- */

struct operation_name {
    char *text;
    size_t size;
};

static struct operation_name *names;
static int32_t name_count, name_capacity;
/* Table with open addressing, by the name's hash: the operation's number plus 1. */
static int32_t *name_slots;
static size_t name_slot_count;

static int32_t *slot_of(const char *text, size_t size)
{
    for (size_t slot = (size_t)fnv1a(FNV1A_START, text, size);; slot++) {
        int32_t *cell = &name_slots[slot & (name_slot_count - 1)];
        if (!*cell) return cell;
        const struct operation_name *known = &names[*cell - 1];
        if (known->size == size && memcmp(known->text, text, size) == 0) return cell;
    }
}

static bool grow_names(void)
{
    size_t count = name_slot_count ? 2 * name_slot_count : 512;
    int32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    free(name_slots);
    name_slots = slots;
    name_slot_count = count;
    for (int32_t i = 0; i < name_count; i++) *slot_of(names[i].text, names[i].size) = i + 1;
    return true;
}

/* Define an operation. Returns its number, which is always the same for a name, or -1 if memory is exhausted. */
int32_t core_define_operation(const char *name)
{
    size_t size = strlen(name);
    if ((size_t)name_count * 2 >= name_slot_count && !grow_names()) return -1;
    int32_t *cell = slot_of(name, size);
    if (*cell) return *cell - 1;
    if (name_count == name_capacity) {
        int32_t capacity = name_capacity ? 2 * name_capacity : 256;
        struct operation_name *grown = realloc(names, (size_t)capacity * sizeof *names);
        if (!grown) return -1;
        names = grown;
        name_capacity = capacity;
    }
    char *copy = malloc(size + 1);
    if (!copy) return -1;
    memcpy(copy, name, size + 1);
    names[name_count] = (struct operation_name){copy, size};
    *cell = ++name_count;
    return name_count - 1;
}

/* Return the name of an operation, NULL if there is no operation of this number. */
CORE_API const char *core_operation_name(int32_t number)
{
    return number >= 0 && number < name_count ? names[number].text : NULL;
}

/* Define the core's own operations. Their numbers are those of enum core_operation. */
bool core_define_own_operations(void)
{
    for (int32_t i = 0; i < CORE_OPERATION_COUNT; i++)
        if (core_define_operation(CORE_OPERATIONS[i]) != i) return false;
    return true;
}

/* JavaScript's host(name, ...arguments): ask Python for an operation. On a fiber. */
JSValue request_host(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self;
    struct vu *vu = vu_of(context);
    /* A VU that makes one request after another must not delay the other VUs. */
    if (vu->is_aborting || (schedule_is_slice_over(vu, clock_now()) && !schedule_yield(vu)))
        return vu_throw_interrupted(vu);
    size_t size;
    const char *name = JS_ToCStringLen2(context, &size, argc ? argv[0] : JS_UNDEFINED, false);
    if (!name) return JS_EXCEPTION;
    int32_t operation = core_define_operation(name);
    JS_FreeCString(context, name);
    if (operation < 0) return JS_ThrowOutOfMemory(context);
    /* Written to a buffer of their own, because a getter in the arguments may itself make a request. */
    struct bytes arguments = {0};
    bool is_written = pack_array(&arguments, argc > 1 ? (uint32_t)argc - 1 : 0);
    for (int i = 1; i < argc && is_written; i++) is_written = codec_write(context, argv[i], &arguments);
    if (!is_written) {
        bytes_free(&arguments);
        return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
    }
    bytes_free(&vu->request);
    vu->request = arguments;
    JSValue value = request_value(vu, operation);
    bytes_free(&vu->request);
    return value;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Move up to `capacity` pending requests from the list to `to`. Returns their number. The caller must copy their data
 * before it calls the core again. */
CORE_API size_t core_take_requests(struct pending *to, size_t capacity)
{
    size_t count = pending_count < capacity ? pending_count : capacity;
    if (count) memcpy(to, pending, count * sizeof *to);
    pending_count -= count;
    if (pending_count) memmove(pending, pending + count, pending_count * sizeof *pending);
    return count;
}

/* Answer a VU's request and run the VU until it parks. An answer to a withdrawn request is dropped. Returns true if
 * requests are pending. On the main stack. */
CORE_API bool core_answer(int32_t index, uint32_t serial, int status, const uint8_t *data, size_t size)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->state == VU_ASKING && vu->serial == serial) {
        vu->answer = (struct answer){status, data, size};
        schedule_resume(vu);
        core_leave();
    }
    return pending_count > 0;
}

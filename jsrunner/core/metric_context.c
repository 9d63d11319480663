/* Metric contexts: the tags and the metadata of a VU's samples, kept along asynchronous code (k6's feature
 * `async-metric-context`).
 *
 * Theory. A metric context is two numbers, vu->tag_set and vu->metadata: the tags and metadata of the VU's samples
 * at this moment. Code that runs later must run under the context of its registration, and must not change the
 * context of the code that it interrupts. There are two kinds of such code:
 *
 *   - A registered function: a reaction of a promise, a timer's function, a socket's listener. `bindContext` makes
 *     a callable object that holds the function and the context. Each call swaps the context in and out.
 *     Promise.prototype.then binds its arguments; catch and finally call `then`.
 *   - An async function that continues after an `await`. The engine has no hook for this (it does not call the hook
 *     of JS_SetPromiseHook there), but its classes have a slot "call". Functions of this file replace those of async
 *     functions and of their resumption. If the function's promise is still pending when a call or a resumption
 *     returns, the function has reached an `await`: its context is stored under the promise's address, and the
 *     next resumption swaps the context in.
 *
 * A resumed function keeps the context that it has changed. Its callers continue with the context that was swapped
 * out. So two chains of awaits never see each other's changes.
 *
 * Only VUs that track contexts do this. In other VUs `bindContext` returns its argument.
 *
 * Invariants. An address in the table belongs to the promise of an async function that has reached an `await`. A
 * function whose promise can no longer be settled is never resumed and leaves its row behind. Another promise at
 * the same address overwrites the row before the row is read.
 */
#include "core.h"

#include <string.h>

/* Maximum number of rows. A full table is emptied, because most rows belong to functions that were never resumed. */
enum { ROWS_MAX = 1 << 18 };

/* -- structures of QuickJS-NG 0.11 that its API does not have; quickjs_open checks the version ------- */

typedef JSValue class_call(JSContext *, JSValue function, JSValue self, int argc, JSValue *argv, int flags);

struct engine_class {
    uint32_t id;
    JSAtom name;
    void *finalizer, *mark;
    class_call *call;
    void *exotic;
};

/* Offsets in a JSRuntime: class_count, class_array. */
enum { CLASS_COUNT_OFFSET = 120, CLASSES_OFFSET = 128 };
/* Offset in a JSAsyncFunctionData, the opaque data of a resuming function: the functions that settle its promise. */
enum { SETTLERS_OFFSET = 24 };
/* Class numbers relative to that of async functions. */
enum { RESOLVE_FUNCTION = -2, RESUME = 1, RESUME_THROWING = 2 };

static uint32_t bound_class, async_class;
static class_call *call_async_function, *resume_async_function;

/* -- contexts ------------------------------------------------------------------------------------- */

static struct metric_context current(const struct vu *vu)
{
    return (struct metric_context){vu->tag_set, vu->metadata};
}

static void enter(struct vu *vu, struct metric_context context)
{
    vu->tag_set = context.tag_set;
    vu->metadata = context.metadata;
}

/* -- the table of suspended async functions --------------------------------------------------------- */

struct context_row {
    void *promise;
    struct metric_context context;
};

/* Return the promise's row, or the empty row for it. The table always has an empty row. */
static struct context_row *row_of(const struct contexts *table, const void *promise)
{
    size_t at = ((uintptr_t)promise >> 4) * 11400714819323198485u >> 32;
    while (table->rows[at & (table->size - 1)].promise && table->rows[at & (table->size - 1)].promise != promise) at++;
    return &table->rows[at & (table->size - 1)];
}

static bool grow(struct vu *vu)
{
    struct contexts *table = &vu->contexts;
    if (table->count == ROWS_MAX) {
        memset(table->rows, 0, table->size * sizeof *table->rows);
        table->count = 0;
        return true;
    }
    struct contexts larger = {.size = table->size ? 2 * table->size : 16, .count = table->count};
    larger.rows = js_malloc_rt(vu->runtime, larger.size * sizeof *larger.rows);
    if (!larger.rows) return false;
    memset(larger.rows, 0, larger.size * sizeof *larger.rows);
    for (size_t i = 0; i < table->size; i++)
        if (table->rows[i].promise) *row_of(&larger, table->rows[i].promise) = table->rows[i];
    js_free_rt(vu->runtime, table->rows);
    *table = larger;
    return true;
}

/* Store the present context for the promise's function. If memory is exhausted, the function will continue in the
 * context of its resumption. */
static void put_down(struct vu *vu, void *promise)
{
    struct contexts *table = &vu->contexts;
    if (2 * (table->count + 1) > table->size && !grow(vu)) return;
    struct context_row *row = row_of(table, promise);
    if (!row->promise) table->count++;
    *row = (struct context_row){promise, current(vu)};
}

/* Remove the promise's row and enter its context. Rows behind it move to the places that their hashes demand. */
static void take_up(struct vu *vu, const void *promise)
{
    struct contexts *table = &vu->contexts;
    struct context_row *row = table->size ? row_of(table, promise) : NULL;
    if (!row || !row->promise) return;
    enter(vu, row->context);
    row->promise = NULL;
    table->count--;
    size_t at = (size_t)(row - table->rows);
    for (at = (at + 1) & (table->size - 1); table->rows[at].promise; at = (at + 1) & (table->size - 1)) {
        struct context_row moved = table->rows[at];
        table->rows[at].promise = NULL;
        *row_of(table, moved.promise) = moved;
    }
}

void contexts_free(struct vu *vu)
{
    js_free_rt(vu->runtime, vu->contexts.rows);
    contexts_abandon(vu);
}

void contexts_abandon(struct vu *vu) { vu->contexts = (struct contexts){0}; }

/* -- async functions ------------------------------------------------------------------------------ */

static bool is_pending(JSContext *context, JSValue promise)
{
    return JS_PromiseState(context, promise) == JS_PROMISE_PENDING;
}

static JSValue call_async(JSContext *context, JSValue function, JSValue self, int argc, JSValue *argv, int flags)
{
    JSValue promise = call_async_function(context, function, self, argc, argv, flags);
    if (promise.tag == JS_TAG_OBJECT && is_pending(context, promise)) put_down(vu_of(context), promise.u.pointer);
    return promise;
}

/* Return the promise of the async function that `resume` continues. Borrowed; undefined if there is none. */
static JSValue promise_of(JSValue resume)
{
    const char *data = JS_GetOpaque(resume, JS_GetClassID(resume));
    JSValue settle;
    memcpy(&settle, data + SETTLERS_OFFSET, sizeof settle);
    const JSValue *promise =
        settle.tag == JS_TAG_OBJECT ? JS_GetOpaque(settle, async_class + (uint32_t)RESOLVE_FUNCTION) : NULL;
    return promise ? *promise : JS_UNDEFINED;
}

static JSValue resume_async(JSContext *context, JSValue function, JSValue self, int argc, JSValue *argv, int flags)
{
    struct vu *vu = vu_of(context);
    JSValue promise = JS_DupValue(context, promise_of(function));
    struct metric_context interrupted = current(vu);
    if (promise.tag == JS_TAG_OBJECT) take_up(vu, promise.u.pointer);
    JSValue result = resume_async_function(context, function, self, argc, argv, flags);
    if (promise.tag == JS_TAG_OBJECT && is_pending(context, promise)) put_down(vu, promise.u.pointer);
    enter(vu, interrupted);
    JS_FreeValue(context, promise);
    return result;
}

/* Replace the "call" slots of the engine's classes of async functions. Returns NULL or a text of the error. */
static const char *hook_async_functions(struct vu *vu)
{
    static const char UNKNOWN[] = "async-metric-context: this build of QuickJS is laid out unlike the known ones";
    JSContext *context = vu->context;
    char *runtime = (char *)vu->runtime;
    int32_t count;
    struct engine_class *classes;
    memcpy(&count, runtime + CLASS_COUNT_OFFSET, sizeof count);
    memcpy(&classes, runtime + CLASSES_OFFSET, sizeof classes);
    if (count <= (int32_t)bound_class || !classes) return UNKNOWN;
    JSValue sample = JS_Eval(context, "async()=>{}", 11, "jsrunner:context", 0);
    if (sample.tag != JS_TAG_OBJECT) return "out of memory";
    async_class = JS_GetClassID(sample);
    JS_FreeValue(context, sample);
    struct engine_class *called = &classes[async_class];
    struct engine_class *resuming = &classes[async_class + RESUME], *throwing = &classes[async_class + RESUME_THROWING];
    if (called->id != async_class || !called->call || resuming->id != async_class + RESUME || !resuming->call ||
        resuming->call != throwing->call)
        return UNKNOWN;
    call_async_function = called->call;
    resume_async_function = resuming->call;
    called->call = call_async;
    resuming->call = throwing->call = resume_async;
    return NULL;
}

/* -- bound functions ------------------------------------------------------------------------------ */

struct bound {
    JSValue function;
    struct metric_context context;
};

static JSValue call_bound(JSContext *context, JSValue function, JSValue self, int argc, JSValue *argv, int flags)
{
    (void)flags;
    struct vu *vu = vu_of(context);
    const struct bound *bound = JS_GetOpaque(function, bound_class);
    struct metric_context interrupted = current(vu);
    enter(vu, bound->context);
    JSValue result = JS_Call(context, bound->function, self, argc, argv);
    enter(vu, interrupted);
    return result;
}

static void free_bound(JSRuntime *runtime, JSValue object)
{
    struct bound *bound = JS_GetOpaque(object, bound_class);
    if (!bound) return;
    JS_FreeValueRT(runtime, bound->function);
    js_free_rt(runtime, bound);
}

static void mark_bound(JSRuntime *runtime, JSValue object, void *mark)
{
    const struct bound *bound = JS_GetOpaque(object, bound_class);
    if (bound) JS_MarkValue(runtime, bound->function, mark);
}

JSValue context_bind(struct vu *vu, JSValue function)
{
    JSContext *context = vu->context;
    if (!vu->tracks_contexts || !JS_IsFunction(context, function)) return JS_DupValue(context, function);
    JSValue object = JS_NewObjectClass(context, bound_class);
    if (js_is_exception(object)) return object;
    struct bound *bound = js_malloc(context, sizeof *bound);
    if (!bound) {
        JS_FreeValue(context, object);
        return JS_EXCEPTION;
    }
    *bound = (struct bound){JS_DupValue(context, function), current(vu)};
    JS_SetOpaque(object, bound);
    return object;
}

/* bindContext(function): return a function that calls it under the present metric context. Any other value is
 * returned unchanged. */
JSValue context_bind_value(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    return context_bind(vu_of(context), argv[0]);
}

/* tracksContexts(): return true if metric contexts follow asynchronous code. */
JSValue context_is_tracked(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc, (void)argv;
    return js_bool(vu_of(context)->tracks_contexts);
}

/* Promise.prototype.then(onFulfilled, onRejected), which binds both. */
static JSValue then(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    struct vu *vu = vu_of(context);
    JSValue reactions[2] = {JS_UNDEFINED, JS_UNDEFINED};
    JSValue result = JS_UNDEFINED;
    for (int i = 0; i < 2 && i < argc && !js_is_exception(result); i++) {
        reactions[i] = context_bind(vu, argv[i]);
        if (js_is_exception(reactions[i])) result = JS_EXCEPTION;
    }
    if (!js_is_exception(result)) result = JS_Call(context, vu->promise_then, self, 2, reactions);
    for (int i = 0; i < 2; i++) JS_FreeValue(context, reactions[i]);
    return result;
}

static bool replace_then(struct vu *vu)
{
    JSContext *context = vu->context;
    JSValue global = JS_GetGlobalObject(context);
    JSValue constructor = JS_GetPropertyStr(context, global, "Promise");
    JSValue prototype = JS_GetPropertyStr(context, constructor, "prototype");
    vu->promise_then = JS_GetPropertyStr(context, prototype, "then");
    JSValue function = JS_NewCFunction2(context, then, "then", 2, JS_CFUNC_GENERIC, 0);
    bool is_replaced = JS_DefinePropertyValueStr(context, prototype, "then", function, JS_PROP_C_W) > 0;
    JS_FreeValue(context, prototype);
    JS_FreeValue(context, constructor);
    JS_FreeValue(context, global);
    return is_replaced;
}

const char *context_install(struct vu *vu)
{
    static const JSClassDef definition = {"Function", free_bound, mark_bound, (void *)call_bound, NULL};
    /* In each VU, so that the classes of all interpreters have the same numbers. */
    JS_NewClassID(vu->runtime, &bound_class);
    if (!vu->tracks_contexts) return NULL;
    if (JS_NewClass(vu->runtime, bound_class, &definition) < 0 || !replace_then(vu)) return "out of memory";
    return hook_async_functions(vu);
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Make a VU track metric contexts. To be called before its interpreter is made. */
CORE_API void core_vu_track_contexts(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->tracks_contexts = true;
}

/* Get the numbers of the tag set and of the metadata of a VU's present metric context. */
CORE_API void core_vu_context(int32_t index, int32_t to[2])
{
    const struct vu *vu = vu_at(index);
    to[0] = vu ? vu->tag_set : -1;
    to[1] = vu ? vu->metadata : -1;
}

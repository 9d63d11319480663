/* A VU's interpreter: one runtime with one context, made at the VU's first command.
 *
 * Theory. The interpreter is made on the VU's fiber, because QuickJS measures the stack from the place of that
 * call. C code that QuickJS calls needs a reserve of stack below QuickJS's limit. After an interruption the pending
 * promise jobs run, and each fails at once. Then the interpreter can be used again, with the script's state as the
 * interruption has left it (as in k6).
 *
 * Invariants. A context lives as long as its runtime. vu->context is NULL exactly when there is no interpreter. A
 * runtime whose memory was exhausted may have lost objects, and QuickJS asserts that a freed runtime has no objects
 * left. Such a runtime is emptied and never freed.
 */
#include "core.h"

#include "codec.h"
#include "heap.h"
#include "template.h"
#include "text.h"
#include "timers.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of an interpreter at which it searches for cycles: its share of GARBAGE_BYTES, within the two bounds.
 * Measured with `connect` and 20 VUs: with 512 KB per VU the search takes 5 us of 90 per session, with 2 MB about
 * 1 us. */
enum { GARBAGE_BYTES = 64 << 20, GC_THRESHOLD_LEAST = 512 << 10, GC_THRESHOLD_MOST = 2 << 20 };
/* Bytes of a fiber's stack that QuickJS leaves to the C code that it calls. */
enum { STACK_RESERVE = CODEC_STACK_BYTES + (64 << 10) };
/* Bytes for a module of jsrunner's that is loaded in the middle of a script's code: stack that it leaves, and memory
 * beyond the VU's limit while it loads. Afterwards the limit stays raised by LOADED_BYTES per module, by at most
 * LOADED_MOST in all. */
enum { LOADING_RESERVE = 16 << 10, LOADING_BYTES = 1 << 20, LOADED_BYTES = 256 << 10, LOADED_MOST = 2 << 20 };

/* QuickJS-NG 0.11 does not bear every refusal of a small block. For example, it frees an entry of an error's stack twice
 * if the list of the entries cannot grow. So only a block of LARGE bytes and more is refused at the VU's limit of memory.
 * A smaller block may go beyond the limit by up to GRACE_BYTES, the smaller the further. A script whose small blocks go
 * beyond the limit is ended at the engine's next check, which comes after 10,000 calls and repetitions of loops. It cannot
 * catch that error. */
enum { LARGE = 4 << 10, GRACE_BYTES = 64 << 20 };
/* Maximum number of promise jobs that run after an interruption, or after a lack of memory. A script with more jobs loses
 * its state. */
enum { JOBS_AFTER_INTERRUPTION = 100000, JOBS_OF_EXHAUSTED = 10000000 };

/* -- the limit of memory ---------------------------------------------------------------------------- */

/* The beginning of the engine's runtime. */
struct runtime_head {
    JSMallocFunctions functions;
    size_t block_count, size, limit; /* no limit: 0 */
};

/* GRACE_BYTES, or 0 if the beginning of the runtime is not as it is described here. */
static size_t grace_bytes;

static bool has_room(size_t bytes)
{
    const struct vu *vu = core.running;
    const struct runtime_head *head = vu ? (const void *)vu->runtime : NULL;
    if (!head || !head->limit) return true;
    size_t grace = bytes < LARGE ? (LARGE - bytes) * (GRACE_BYTES / LARGE) : 0;
    return head->size + bytes + GRACE_BYTES <= head->limit + grace;
}

/* Return true if the interpreter has more memory than its limit. */
static bool is_beyond_limit(JSRuntime *runtime)
{
    const struct runtime_head *head = (const void *)runtime;
    return grace_bytes && head->limit && head->size + GRACE_BYTES > head->limit;
}

/* Set the limit of memory for what the VU does now. */
static void limit_memory(struct vu *vu)
{
    enum { NO_LIMIT = 0 };
    size_t limit = core.memory_bytes + vu->loaded_bytes + (vu->loads ? LOADING_BYTES : 0);
    JS_SetMemoryLimit(vu->runtime, vu->reads ? NO_LIMIT : limit + grace_bytes);
}

/* Begin to limit an interpreter's memory. */
static void begin_limit(struct vu *vu)
{
    const struct runtime_head *head = (const void *)vu->runtime;
    JS_SetMemoryLimit(vu->runtime, core.memory_bytes);
    bool is_known = memcmp(&head->functions, &heap_functions, sizeof heap_functions) == 0;
    if (is_known && head->limit == core.memory_bytes) {
        grace_bytes = GRACE_BYTES;
        heap_has_room = has_room;
    }
    limit_memory(vu);
}

/* -- callbacks of the engine ----------------------------------------------------------------------- */

static int on_interrupt(JSRuntime *runtime, void *opaque)
{
    struct vu *vu = opaque;
    if (vu->loads) return false;
    double now = clock_now();
    if (!vu->is_aborting && vu->deadline != NEVER && now >= vu->deadline) vu_stop_calls(vu);
    /* A script that computes for long must not delay the other VUs. */
    if (!vu->is_aborting && schedule_is_slice_over(vu, now)) schedule_yield(vu);
    if (vu->is_aborting) {
        vu_note_place(vu);
        return true;
    }
    if (!is_beyond_limit(runtime)) return false;
    JS_RunGC(runtime);
    vu->is_exhausted = is_beyond_limit(runtime);
    if (vu->is_exhausted) vu_stop_calls(vu);
    return vu->is_exhausted;
}

static void on_rejection(JSContext *context, JSValue promise, JSValue reason, bool is_handled, void *opaque)
{
    struct vu *vu = opaque;
    if (is_handled) {
        for (size_t i = 0; i < vu->rejection_count; i++) {
            if (vu->rejections[i].promise != promise.u.pointer) continue;
            JS_FreeValue(context, vu->rejections[i].reason);
            vu->rejection_count--;
            memmove(&vu->rejections[i], &vu->rejections[i + 1],
                    (vu->rejection_count - i) * sizeof *vu->rejections);
            break;
        }
        return;
    }
    if (vu->rejection_count == vu->rejection_capacity) {
        size_t capacity = vu->rejection_capacity ? 2 * vu->rejection_capacity : 8;
        struct rejection *grown = realloc(vu->rejections, capacity * sizeof *grown);
        if (!grown) return;
        vu->rejections = grown;
        vu->rejection_capacity = capacity;
    }
    vu->rejections[vu->rejection_count++] =
        (struct rejection){promise.u.pointer, JS_DupValue(context, reason)};
}

/* -- creation and end ------------------------------------------------------------------------------ */

/* Add the parts of the language that k6 has. WeakRef is for jsrunner's modules, which notice the end of a cookie
 * jar by it. */
static void add_intrinsics(JSContext *context)
{
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicDate(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicRegExp(context);
    JS_AddIntrinsicJSON(context);
    JS_AddIntrinsicProxy(context);
    JS_AddIntrinsicMapSet(context);
    JS_AddIntrinsicTypedArrays(context);
    JS_AddIntrinsicPromise(context);
    JS_AddIntrinsicBigInt(context);
    JS_AddIntrinsicWeakRef(context);
}

static const char NO_MEMORY[] = "out of memory";

/* Make the context of an interpreter that is no copy of the template. Returns NULL or a text of the error. */
static const char *open_context(struct vu *vu)
{
    vu->context = JS_NewContextRaw(vu->runtime);
    if (!vu->context) return NO_MEMORY;
    add_intrinsics(vu->context);
    text_open(vu->context);
    JS_SetContextOpaque(vu->context, vu);
    functions_install(vu);
    exports_install(vu);
    session_install(vu);
    return context_install(vu);
}

const char *vu_open_interpreter(struct vu *vu)
{
    bool is_copy = template_open(vu);
    if (!is_copy) vu->runtime = JS_NewRuntime2(&heap_functions, NULL);
    JSRuntime *runtime = vu->runtime;
    if (!runtime) return NO_MEMORY;
    vu->loads = vu->reads = 0;
    vu->loaded_bytes = 0;
    JS_UpdateStackTop(runtime);
    JS_SetMaxStackSize(runtime, core.stack_bytes - STACK_RESERVE);
    JS_SetGCThreshold(runtime, GC_THRESHOLD_LEAST);
    JS_SetRuntimeOpaque(runtime, vu);
    JS_SetInterruptHandler(runtime, on_interrupt, vu);
    JS_SetHostPromiseRejectionTracker(runtime, on_rejection, vu);
    modules_install(vu);
    const char *problem = NULL;
    if (is_copy) JS_SetContextOpaque(vu->context, vu);
    else problem = open_context(vu);
    /* The engine cannot make a context safely if its memory is limited meanwhile. */
    begin_limit(vu);
    if (problem || !is_beyond_limit(runtime)) return problem;
    vu_close_interpreter(vu);
    return NO_MEMORY;
}

void vu_begin_reading(struct vu *vu)
{
    if (!vu->reads++) limit_memory(vu);
}

void vu_end_reading(struct vu *vu)
{
    if (!--vu->reads) limit_memory(vu);
}

void vu_begin_loading(struct vu *vu)
{
    if (vu->loads++) return;
    JS_SetMaxStackSize(vu->runtime, core.stack_bytes - LOADING_RESERVE);
    limit_memory(vu);
}

void vu_end_loading(struct vu *vu)
{
    if (--vu->loads) return;
    /* The limit stays raised: a script that has used up its memory would leave none for jsrunner's modules. */
    if (vu->loaded_bytes < LOADED_MOST) vu->loaded_bytes += LOADED_BYTES;
    limit_memory(vu);
    JS_SetMaxStackSize(vu->runtime, vu->is_aborting || vu->is_overdue ? 1 : core.stack_bytes - STACK_RESERVE);
}

void vu_allow_garbage(struct vu *vu)
{
    size_t threshold = GARBAGE_BYTES / (size_t)(core.vu_count ? core.vu_count : 1);
    if (threshold < GC_THRESHOLD_LEAST) threshold = GC_THRESHOLD_LEAST;
    if (threshold > GC_THRESHOLD_MOST) threshold = GC_THRESHOLD_MOST;
    if (JS_GetGCThreshold(vu->runtime) < threshold) JS_SetGCThreshold(vu->runtime, threshold);
}

static bool is_empty(JSRuntime *runtime)
{
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(runtime, &usage);
    /* Fields of `others`: malloc_count, memory_used_count, atoms (2), strings (2), objects (2), properties (2),
     * shapes (2), functions (3), ... */
    return usage.others[6] == 0 && usage.others[10] == 0 && usage.others[12] == 0;
}

/* Drop the timers, tasks and sessions of the event loop. */
static void drop_work(struct vu *vu)
{
    session_end_all(vu);
    tasks_free(vu);
    timers_free(vu->runtime, &vu->timers);
    for (size_t i = 0; i < vu->listener_count; i++) JS_FreeValue(vu->context, vu->listeners[i].receive);
    vu->listener_count = 0;
}

static void drop_rejections(struct vu *vu)
{
    for (size_t i = 0; i < vu->rejection_count; i++) JS_FreeValue(vu->context, vu->rejections[i].reason);
    vu->rejection_count = 0;
}

void vu_close_interpreter(struct vu *vu)
{
    if (!vu->runtime) return;
    if (vu->copy) template_complete(vu->copy);
    JSContext *context = vu->context;
    if (context) {
        drop_work(vu);
        drop_rejections(vu);
        contexts_free(vu);
        session_uninstall(vu);
        JS_FreeValue(context, vu->entries);
        JS_FreeValue(context, vu->make_error);
        JS_FreeValue(context, vu->promise_then);
        JS_FreeValue(context, JS_GetException(context));
        JS_FreeContext(context);
    }
    vu->entries = vu->make_error = vu->promise_then = JS_UNDEFINED;
    JS_RunGC(vu->runtime);
    if (is_empty(vu->runtime)) {
        JS_FreeRuntime(vu->runtime);
        if (vu->copy) template_release(vu->copy);
    }
    vu->runtime = NULL;
    vu->context = NULL;
    vu->copy = NULL;
}

void vu_leave_interpreter(struct vu *vu)
{
    session_abandon_all(vu);
    tasks_leave(vu);
    timers_abandon(&vu->timers);
    vu->listener_count = vu->rejection_count = 0;
    vu->event_sessions = 0;
    contexts_abandon(vu);
    vu->entries = vu->make_error = vu->promise_then = JS_UNDEFINED;
    vu->runtime = NULL;
    vu->context = NULL;
    vu->copy = NULL;
}

bool vu_recover_interpreter(struct vu *vu)
{
    JSContext *context;
    if (!vu->context || js_is_undefined(vu->entries)) return false;
    JS_FreeValue(vu->context, JS_GetException(vu->context));
    transmit_finish(vu);
    drop_work(vu);
    int most = vu->is_exhausted ? JOBS_OF_EXHAUSTED : JOBS_AFTER_INTERRUPTION;
    for (int count = 0; JS_IsJobPending(vu->runtime); count++) {
        if (count == most) return false;
        if (JS_ExecutePendingJob(vu->runtime, &context) < 0)
            JS_FreeValue(vu->context, JS_GetException(vu->context));
    }
    drop_rejections(vu);
    JS_SetMaxStackSize(vu->runtime, core.stack_bytes - STACK_RESERVE);
    return true;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Return the bytes of memory that a VU's interpreter has allocated. */
CORE_API size_t core_vu_memory(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (!vu || !vu->runtime) return 0;
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(vu->runtime, &usage);
    return (size_t)usage.malloc_size;
}

/* Get the addresses of a VU's runtime and context and the limit of its stack in bytes, or zeros if the VU has no
 * interpreter. Python reads the engine's frames by them while the VU waits for an answer. */
CORE_API void core_vu_addresses(int32_t index, uint64_t to[3])
{
    struct vu *vu = vu_at(index);
    bool is_open = vu && vu->context;
    to[0] = is_open ? (uint64_t)(uintptr_t)vu->runtime : 0;
    to[1] = is_open ? (uint64_t)(uintptr_t)vu->context : 0;
    to[2] = is_open ? core.stack_bytes - STACK_RESERVE : 0;
}

/* Virtual users: one JavaScript runtime, one context and one fiber each.
 *
 * Theory. All of a VU's JavaScript, from its first evaluation on, runs on the VU's fiber. The fiber is
 * a loop: wait for a command (evaluate a module's text, or call an entry, a function that JavaScript
 * has published by name), run it, post what came of it (OPERATION_DONE), wait again. Commands come
 * from Python, which sees their end as a request like any other.
 *
 * Interruption. `is_aborting` is set when the deadline has passed, noticed by QuickJS's interrupt
 * handler (every 10,000 steps, or when the watchdog has it called) or by the alarm of a parked VU, or when
 * Python says so. From then on no
 * JavaScript function can be entered, because the stack limit is 1 byte: QuickJS turns an interrupt
 * inside a Promise's executor or an async function into a rejection, and a loop around these would
 * never end. Every primitive of the core refuses as well. When the command has unwound, the promise
 * jobs that wait are run out, each of which fails at once, and the interpreter can be used again, with
 * the script's state as the interruption has left it (as in k6). Where that does not work, or memory
 * is exhausted, the interpreter is freed; Python makes a new one with the next command.
 *
 * Invariants. A context lives as long as its runtime. vu->context is NULL exactly when there is no
 * interpreter. A runtime whose memory has run out may have lost objects, and QuickJS asserts that none
 * is left when it is freed; such a runtime is emptied and left standing.
 */
#include "core.h"

#include "codec.h"
#include "poller.h"

#include <stdlib.h>
#include <string.h>

/* Cycles are looked for when an interpreter has more bytes than this: its share of what all VUs of the process
 * may have together, within bounds. Measured with `connect` and 20 VUs: with 512 KB for each the search takes
 * 5 us of 90 per session, with 2 MB about 1. */
enum { GARBAGE_BYTES = 64 << 20, GC_THRESHOLD_LEAST = 512 << 10, GC_THRESHOLD_MOST = 2 << 20 };
/* What QuickJS must leave of a fiber's stack for C code that it calls. */
enum { STACK_RESERVE = CODEC_STACK_BYTES + (64 << 10) };

struct core core;

enum command_status { DONE_OK, DONE_THROWN, DONE_INTERRUPTED, DONE_LOST, DONE_STUCK };

/* Promise jobs that are let run out after an interruption; a script that makes more loses its state. */
enum { JOBS_AFTER_INTERRUPTION = 100000 };

/* -- the interpreter ------------------------------------------------------------------------------ */

static void stop_calls(struct vu *vu)
{
    vu->is_aborting = true;
    if (vu->runtime) JS_SetMaxStackSize(vu->runtime, 1);
}

static int on_interrupt(JSRuntime *runtime, void *opaque)
{
    (void)runtime;
    struct vu *vu = opaque;
    double now = clock_now();
    if (!vu->is_aborting && vu->deadline != NEVER && now >= vu->deadline) stop_calls(vu);
    /* A script that computes holds up nobody but itself: the fiber is left in the middle of it. */
    if (!vu->is_aborting && schedule_is_slice_over(vu, now)) schedule_yield(vu);
    return vu->is_aborting;
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

/* What of the language k6 has; WeakRef is here because a cookie jar's end is noticed by it. */
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

/* Make the interpreter. On the VU's fiber, because QuickJS measures its stack from here. Returns NULL or
 * what is wrong. */
static const char *open_interpreter(struct vu *vu)
{
    static const char NO_MEMORY[] = "out of memory";
    JSRuntime *runtime = JS_NewRuntime();
    if (!runtime) return NO_MEMORY;
    vu->runtime = runtime;
    JS_UpdateStackTop(runtime);
    JS_SetMaxStackSize(runtime, core.stack_bytes - STACK_RESERVE);
    JS_SetMemoryLimit(runtime, core.memory_bytes);
    JS_SetGCThreshold(runtime, GC_THRESHOLD_LEAST);
    JS_SetRuntimeOpaque(runtime, vu);
    JS_SetInterruptHandler(runtime, on_interrupt, vu);
    JS_SetHostPromiseRejectionTracker(runtime, on_rejection, vu);
    vu->context = JS_NewContextRaw(runtime);
    if (!vu->context) return NO_MEMORY;
    add_intrinsics(vu->context);
    JS_SetContextOpaque(vu->context, vu);
    modules_install(vu);
    exports_install(vu);
    session_install(vu);
    return context_install(vu);
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
    /* others: malloc_count, memory_used_count, atoms (2), strings (2), objects (2), properties (2),
     * shapes (2), functions (3), ... */
    return usage.others[6] == 0 && usage.others[10] == 0 && usage.others[12] == 0;
}

/* Drop all that waits for the event loop. */
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
    JSContext *context = vu->context;
    if (context) {
        drop_work(vu);
        drop_rejections(vu);
        contexts_free(vu);
        JS_FreeValue(context, vu->entries);
        JS_FreeValue(context, vu->make_error);
        JS_FreeValue(context, vu->promise_then);
        JS_FreeValue(context, JS_GetException(context));
        JS_FreeContext(context);
    }
    vu->entries = vu->make_error = vu->promise_then = JS_UNDEFINED;
    JS_RunGC(vu->runtime);
    if (is_empty(vu->runtime)) JS_FreeRuntime(vu->runtime);
    vu->runtime = NULL;
    vu->context = NULL;
}

/* -- parking and interruption --------------------------------------------------------------------- */

bool vu_park(struct vu *vu, enum vu_state state, double alarm)
{
    if (vu->is_aborting) return false;
    session_leave(vu);
    vu->state = state;
    if (state != VU_ASKING) vu->slice_end = NEVER; /* Python answers within the slice */
    double moment = alarm;
    if (vu->deadline != NEVER && (moment == NEVER || vu->deadline < moment)) moment = vu->deadline;
    if (moment != NEVER) schedule_alarm(vu, moment);
    fiber_suspend(&vu->fiber);
    return !vu->is_aborting;
}

JSValue vu_throw_interrupted(struct vu *vu)
{
    JSValue error = JS_NewError(vu->context);
    if (js_is_exception(error)) error = JS_GetException(vu->context);
    JS_SetUncatchableError(vu->context, error);
    return JS_Throw(vu->context, error);
}

void vu_abort(struct vu *vu)
{
    if (vu->is_aborting || vu->state == VU_UNUSED || vu->state == VU_IDLE) return;
    enum vu_state state = vu->state;
    stop_calls(vu);
    if (state == VU_ASKING) request_withdraw(vu);
    if (state != VU_RUNNING) schedule_resume(vu);
}

struct vu *vu_at(int32_t index)
{
    return index >= 0 && index < core.vu_count ? core.vus[index] : NULL;
}

/* -- commands ------------------------------------------------------------------------------------- */

/* Append a value's text, or what is thrown by asking for it. */
static void append_text(struct vu *vu, JSValue value)
{
    size_t size;
    const char *text = JS_ToCStringLen2(vu->context, &size, value, false);
    if (!text) {
        JS_FreeValue(vu->context, JS_GetException(vu->context));
        return;
    }
    bytes_append(&vu->result, text, size);
    JS_FreeCString(vu->context, text);
}

/* Take the pending exception: its text and its stack become the command's result. */
static void describe_exception(struct vu *vu)
{
    JSContext *context = vu->context;
    JSValue exception = JS_GetException(context);
    append_text(vu, exception);
    if (JS_IsError(exception)) {
        JSValue stack = JS_GetPropertyStr(context, exception, "stack");
        if (js_is_string(stack)) {
            bytes_append_byte(&vu->result, '\n');
            append_text(vu, stack);
        } else if (js_is_exception(stack)) {
            JS_FreeValue(context, JS_GetException(context));
        }
        JS_FreeValue(context, stack);
    }
    JS_FreeValue(context, exception);
}

/* Evaluate the module text in command_arguments, and what it imports, and its promise jobs. */
static enum command_status evaluate(struct vu *vu)
{
    JSContext *context = vu->context;
    struct bytes *source = &vu->command_arguments;
    JSValue done = JS_Eval(context, (char *)source->data, source->size - 1, vu->command, JS_EVAL_TYPE_MODULE);
    if (js_is_exception(done)) {
        describe_exception(vu);
        return DONE_THROWN;
    }
    tasks_drain_jobs(vu);
    enum command_status status = DONE_OK;
    if (JS_PromiseState(context, done) == JS_PROMISE_REJECTED) {
        JS_Throw(context, JS_PromiseResult(context, done));
        describe_exception(vu);
        status = DONE_THROWN;
    }
    JS_FreeValue(context, done);
    return status;
}

/* Call the entry named by the command with the arguments, an array. */
static enum command_status call_entry(struct vu *vu)
{
    enum { ARGUMENTS_MAX = 8 };
    JSContext *context = vu->context;
    JSValue list = codec_read(context, vu->command_arguments.data, vu->command_arguments.size - 1);
    JSValue entry = JS_GetPropertyStr(context, vu->entries, vu->command);
    JSValue arguments[ARGUMENTS_MAX];
    int64_t count = 0;
    JSValue result = JS_EXCEPTION;
    if (!js_is_exception(list) && JS_GetLength(context, list, &count) == 0) {
        if (count > ARGUMENTS_MAX) count = ARGUMENTS_MAX;
        for (uint32_t i = 0; i < count; i++) arguments[i] = JS_GetPropertyUint32(context, list, i);
        result = JS_Call(context, entry, JS_UNDEFINED, (int)count, arguments);
        for (uint32_t i = 0; i < count; i++) JS_FreeValue(context, arguments[i]);
    }
    JS_FreeValue(context, list);
    JS_FreeValue(context, entry);
    bool is_written = !js_is_exception(result) && codec_write(context, result, &vu->result);
    JS_FreeValue(context, result);
    if (is_written) return DONE_OK;
    vu->result.size = 0;
    if (!vu->is_aborting) describe_exception(vu);
    return DONE_THROWN;
}

/* After an interruption: make the interpreter fit for the next command. False: it is of no more use. */
static bool recover(struct vu *vu)
{
    JSContext *context;
    if (!vu->context || js_is_undefined(vu->entries)) return false;
    JS_FreeValue(vu->context, JS_GetException(vu->context));
    drop_work(vu);
    for (int count = 0; JS_IsJobPending(vu->runtime); count++) {
        if (count == JOBS_AFTER_INTERRUPTION) return false;
        if (JS_ExecutePendingJob(vu->runtime, &context) < 0)
            JS_FreeValue(vu->context, JS_GetException(vu->context));
    }
    drop_rejections(vu);
    JS_SetMaxStackSize(vu->runtime, core.stack_bytes - STACK_RESERVE);
    return true;
}

static void end_command(struct vu *vu, enum command_status status)
{
    vu->deadline = NEVER;
    vu->is_aborting = false;
    session_leave(vu);
    vu->serial++;
    request_done(vu, (int32_t)status);
}

static void run_command(struct vu *vu)
{
    enum command_status status = DONE_THROWN;
    vu->result.size = 0;
    vu->slice_end = NEVER;
    bool is_module = vu->command[0] == '@';
    if (is_module) vu->command++;
    const char *problem = vu->context ? NULL : open_interpreter(vu);
    if (problem) {
        bytes_append(&vu->result, problem, strlen(problem));
    } else {
        watchdog_watch(vu);
        status = is_module ? evaluate(vu) : call_entry(vu);
        if (watchdog_release(vu)) vu->is_aborting = true;
    }
    /* An entry has thrown: our own code was left in the middle, because no memory is left. */
    if (status == DONE_THROWN && !is_module && !vu->is_aborting && !js_is_undefined(vu->entries)) {
        stop_calls(vu);
        if (recover(vu)) {
            vu->is_aborting = false;
            JS_RunGC(vu->runtime);
        }
    }
    if (vu->is_aborting) {
        /* The result: which timers were stopped. */
        status = DONE_INTERRUPTED;
        vu->result.size = 0;
        if (vu->runtime) timers_names(&vu->timers, &vu->result);
        if (!recover(vu)) {
            status = DONE_LOST;
            vu_close_interpreter(vu);
        }
    }
    end_command(vu, status);
}

static void vu_main(void *argument)
{
    struct vu *vu = argument;
    for (;;) {
        vu->state = VU_IDLE;
        fiber_suspend(&vu->fiber);
        run_command(vu);
    }
}

void vu_abandon(struct vu *vu)
{
    watchdog_release(vu);
    vu->result.size = 0;
    session_abandon_all(vu);
    tasks_leave(vu);
    timers_abandon(&vu->timers);
    vu->listener_count = vu->rejection_count = 0;
    vu->event_sessions = 0;
    contexts_abandon(vu);
    vu->entries = vu->make_error = vu->promise_then = JS_UNDEFINED;
    vu->runtime = NULL;
    vu->context = NULL;
    end_command(vu, DONE_STUCK);
    fiber_restart(&vu->fiber);
    schedule_resume(vu); /* into its loop */
}

/* -- what Python calls ---------------------------------------------------------------------------- */

/* Set up the process's core: limits of every VU, and where the epoch begins. `engine` is the path of
 * the shared object that holds QuickJS. Returns NULL or what is wrong. */
CORE_API const char *core_open(const char *engine, size_t stack_bytes, size_t memory_bytes, double epoch_offset)
{
    core.stack_bytes = stack_bytes;
    core.memory_bytes = memory_bytes;
    core.epoch_offset = epoch_offset;
    const char *problem = quickjs_open(engine);
    if (problem) return problem;
    return core_define_own_operations() ? NULL : "out of memory";
}

/* Open the poller; returns its descriptor, or a negative errno. Not before the last fork, or
 * core_stop_polling before it. */
CORE_API int core_start_polling(void)
{
    int error = poller_open();
    core.is_polling = error == 0;
    return error ? -error : poller_descriptor();
}

CORE_API void core_stop_polling(void)
{
    core.is_polling = false;
    poller_close();
}

/* Make a VU without interpreter; returns its index, -1 without memory. Its first command makes the
 * interpreter. */
CORE_API int32_t core_vu_create(void)
{
    if (core.vu_count == core.vu_capacity) {
        int32_t capacity = core.vu_capacity ? 2 * core.vu_capacity : 64;
        struct vu **grown = realloc(core.vus, (size_t)capacity * sizeof *grown);
        if (!grown) return -1;
        core.vus = grown;
        core.vu_capacity = capacity;
    }
    int32_t index = 0;
    while (index < core.vu_count && core.vus[index]) index++;
    struct vu *vu = calloc(1, sizeof *vu);
    if (!vu || !fiber_create(&vu->fiber, core.stack_bytes, vu_main, vu)) {
        free(vu);
        return -1;
    }
    vu->index = index;
    vu->alarm_slot = SIZE_MAX;
    vu->entries = vu->make_error = vu->promise_then = JS_UNDEFINED;
    vu->tag_set = vu->metadata = -1;
    core.vus[index] = vu;
    if (index == core.vu_count) core.vu_count++;
    schedule_resume(vu); /* into its loop */
    return index;
}

/* Free an idle VU. */
CORE_API void core_vu_destroy(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (!vu) return;
    schedule_forget(vu);
    request_withdraw(vu);
    vu_close_interpreter(vu);
    fiber_destroy(&vu->fiber);
    bytes_free(&vu->command_arguments);
    bytes_free(&vu->result);
    bytes_free(&vu->request);
    free(vu->listeners);
    free(vu->rejections);
    core.vus[index] = NULL;
    watchdog_free(vu);
}

/* Give an idle VU a command: call the entry `name` with `arguments` (a MessagePack array), or, if the
 * name begins with @, evaluate the text in `arguments` as the module of the name behind it. `name`
 * must stay valid until the command's end, of which OPERATION_DONE tells. It is interrupted at
 * `deadline`. Returns false if the VU is not idle or memory is exhausted. */
CORE_API bool core_command(int32_t index, const char *name, const uint8_t *arguments, size_t size,
                           double deadline)
{
    struct vu *vu = vu_at(index);
    if (!vu || vu->state != VU_IDLE || vu->is_queued) return false;
    vu->command_arguments.size = 0;
    /* A zero behind the text, as the engine's parser wants it. */
    if (!bytes_append(&vu->command_arguments, arguments, size)) return false;
    if (!bytes_append_byte(&vu->command_arguments, 0)) return false;
    vu->command = name;
    vu->deadline = deadline;
    schedule_ready(vu);
    core_leave();
    return true;
}

/* Interrupt a VU's command. On the main stack. */
CORE_API void core_abort(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->is_queued && vu->state == VU_IDLE) vu->deadline = clock_now();
    else if (vu) vu_abort(vu);
    core_leave();
}

/* Interrupt a VU's command, but only if it still waits for the answer to this request. */
CORE_API void core_abort_request(int32_t index, uint32_t serial)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->state == VU_ASKING && vu->serial == serial) vu_abort(vu);
    core_leave();
}

/* Whether an interruption of the VU measures how long its sessions were. */
CORE_API void core_vu_measure_sessions(int32_t index, bool is_on)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->measures_sessions = is_on;
}

CORE_API void core_set_deadline(int32_t index, double deadline)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->deadline = deadline;
}

CORE_API int core_vu_state(int32_t index)
{
    struct vu *vu = vu_at(index);
    return vu ? (int)vu->state : VU_UNUSED;
}

/* Bytes of memory that a VU's interpreter has allocated. */
CORE_API size_t core_vu_memory(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (!vu || !vu->runtime) return 0;
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(vu->runtime, &usage);
    return (size_t)usage.malloc_size;
}

/* The addresses of a VU's runtime and context and the limit of its stack in bytes, for reading the
 * engine's frames while the VU waits for an answer; zeros if it has no interpreter. */
CORE_API void core_vu_addresses(int32_t index, uint64_t to[3])
{
    struct vu *vu = vu_at(index);
    bool is_open = vu && vu->context;
    to[0] = is_open ? (uint64_t)(uintptr_t)vu->runtime : 0;
    to[1] = is_open ? (uint64_t)(uintptr_t)vu->context : 0;
    to[2] = is_open ? core.stack_bytes - STACK_RESERVE : 0;
}

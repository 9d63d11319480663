/* Virtual users. Each has a JavaScript runtime, a context and a fiber.
 *
 * Theory. All of a VU's JavaScript, from its first evaluation on, runs on the VU's fiber, which runs one command
 * after another (command.c). When JavaScript has to wait, the VU parks: its fiber is suspended, and the VU's state
 * says what resumes it.
 *
 * Interruption. `is_aborting` is set when Python calls core_abort, or when the deadline has passed. QuickJS's
 * interrupt handler notices the deadline (every 10,000 steps, or when the watchdog triggers the handler), and so
 * does the alarm of a parked VU. From then on no JavaScript function can be entered, because the stack limit is set
 * to 1 byte. This is needed because QuickJS turns an interrupt inside a Promise's executor or an async function into
 * a rejection, so a loop around these would never end. The functions of `jsrunner:core` throw, too. When the command
 * has unwound, its interpreter is used again (interpreter.c).
 */
#include "core.h"

#include "poller.h"

#include <stdlib.h>

struct core core;

/* -- parking and interruption --------------------------------------------------------------------- */

void vu_stop_calls(struct vu *vu)
{
    vu->is_aborting = true;
    if (vu->runtime) JS_SetMaxStackSize(vu->runtime, 1);
}

bool vu_park(struct vu *vu, enum vu_state state, double alarm)
{
    if (vu->is_aborting) return false;
    session_leave(vu);
    vu->state = state;
    if (state != VU_ASKING) vu->slice_end = NEVER; /* Python answers within the slice */
    double moment = alarm;
    if (vu->deadline != NEVER && (moment == NEVER || vu->deadline < moment)) moment = vu->deadline;
    if (moment != NEVER) schedule_alarm(vu, moment);
    vu->rest = REST_NONE;
    /* An idle VU may be freed, and never comes back to be subtracted. */
    bool awaits_python = state != VU_IDLE && (state == VU_ASKING || vu->listener_count || vu->dialed_by_python);
    core.awaiting_python += awaits_python;
    fiber_suspend(&vu->fiber);
    core.awaiting_python -= awaits_python;
    return !vu->is_aborting;
}

void vu_note_place(struct vu *vu)
{
    JSContext *context = vu->context;
    if (!context || vu->place.size || js_is_undefined(vu->entries)) return;
    JSValue function = JS_GetPropertyStr(context, vu->entries, "place");
    if (JS_IsFunction(context, function)) {
        double deadline = vu->deadline;
        vu->is_aborting = false;
        vu->deadline = NEVER;
        vu_begin_loading(vu);
        JSValue place = JS_Call(context, function, JS_UNDEFINED, 0, NULL);
        size_t size;
        const char *text = js_is_string(place) ? JS_ToCStringLen2(context, &size, place, false) : NULL;
        if (text) bytes_append(&vu->place, text, size);
        if (text) JS_FreeCString(context, text);
        if (js_is_exception(place)) JS_FreeValue(context, JS_GetException(context));
        JS_FreeValue(context, place);
        vu->is_aborting = true;
        vu->deadline = deadline;
        vu_end_loading(vu);
    }
    JS_FreeValue(context, function);
}

JSValue vu_throw_interrupted(struct vu *vu)
{
    vu_note_place(vu);
    JSValue error = JS_NewError(vu->context);
    if (js_is_exception(error)) error = JS_GetException(vu->context);
    JS_SetUncatchableError(vu->context, error);
    return JS_Throw(vu->context, error);
}

void vu_abort(struct vu *vu)
{
    if (vu->is_aborting || vu->state == VU_UNUSED || vu->state == VU_IDLE) return;
    enum vu_state state = vu->state;
    vu_stop_calls(vu);
    if (state == VU_ASKING) request_withdraw(vu);
    if (state != VU_RUNNING) schedule_resume(vu);
}

struct vu *vu_at(int32_t index)
{
    return index >= 0 && index < core.vu_count ? core.vus[index] : NULL;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Set up the process's core: the limits of each VU, and the offset in seconds from clock_now() to the time since the
 * epoch. `engine` is the path of the shared object that holds QuickJS. Returns NULL or a text of the error. */
CORE_API const char *core_open(const char *engine, size_t stack_bytes, size_t memory_bytes, double epoch_offset)
{
    core.stack_bytes = stack_bytes;
    core.memory_bytes = memory_bytes;
    core.epoch_offset = epoch_offset;
    const char *problem = quickjs_open(engine);
    if (problem) return problem;
    return core_define_own_operations() ? NULL : "out of memory";
}

/* Open the poller. Returns its descriptor, or a negative errno. A process that forks afterwards must call
 * core_stop_polling before the fork. */
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

/* Make a VU. Returns its index, -1 if memory is exhausted. Its first command makes the interpreter. */
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
    vu->repeats_dials = true;
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
    http_forget(vu);
    fiber_destroy(&vu->fiber);
    bytes_free(&vu->command_arguments);
    bytes_free(&vu->result);
    bytes_free(&vu->request);
    bytes_free(&vu->place);
    free(vu->listeners);
    free(vu->rejections);
    core.vus[index] = NULL;
    watchdog_free(vu);
}

/* Return the pages of an idle VU's stack to the system: loading a script uses many. */
CORE_API void core_vu_trim(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->state == VU_IDLE) fiber_trim(&vu->fiber);
}

/* Trim the stacks of the VUs that have been parked since the last call of this function. Measured with 500 VUs of
 * bench/scripts/idle.js: 8 KB less for each. */
CORE_API void core_trim_parked(void)
{
    for (int32_t i = 0; i < core.vu_count; i++) {
        struct vu *vu = core.vus[i];
        if (!vu || vu->rest == REST_TRIMMED) continue;
        if (vu->rest == REST_SEEN) fiber_trim(&vu->fiber);
        vu->rest++;
    }
}

/* Interrupt a VU's command. On the main stack. */
CORE_API void core_abort(int32_t index)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->is_queued && vu->state == VU_IDLE) vu->deadline = clock_now();
    else if (vu) vu_abort(vu);
    core_leave();
}

/* Interrupt a VU's command if the VU still waits for the answer to this request. */
CORE_API void core_abort_request(int32_t index, uint32_t serial)
{
    struct vu *vu = vu_at(index);
    if (vu && vu->state == VU_ASKING && vu->serial == serial) vu_abort(vu);
    core_leave();
}

/* Choose whether an interruption of the VU adds samples of ws_session_duration. */
CORE_API void core_vu_measure_sessions(int32_t index, bool is_on)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->measures_sessions = is_on;
}

CORE_API int core_vu_state(int32_t index)
{
    struct vu *vu = vu_at(index);
    return vu ? (int)vu->state : VU_UNUSED;
}

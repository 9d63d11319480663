/* A VU's event loop: that of the HTML standard, with one queue of tasks.
 *
 * Theory. A task is a session whose socket can be read, a payload that Python has posted for a listener, or a
 * function. A timer joins the queue when it is due. `settle` runs the tasks in the order of their arrival, and all
 * promise jobs after each task. It waits until nothing is left that could bring a task: no task, no timer, no
 * listener, no event session. k6 does the same around each call of a script's function. While a script is inside
 * ws.connect (k6/ws), the event loop does not run.
 *
 * A session stays first in the queue, with the arrival time of its bytes, until all bytes of that arrival are
 * decoded. So a timer that was due after the arrival does not overtake a message.
 *
 * Invariants. A session is in the queue at most once. Listeners keep the loop alive, and so do event sessions that may
 * still deliver events.
 */
#include "core.h"

#include "codec.h"
#include "timers.h"

#include <stdlib.h>
#include <string.h>

/* Promise jobs between two readings of the clock. A job takes about 1 us. */
enum { JOBS_AT_ONCE = 64 };

/* -- the queue ------------------------------------------------------------------------------------ */

static void append(struct vu *vu, struct task *task)
{
    task->next = NULL;
    if (vu->tasks.last) vu->tasks.last->next = task;
    else vu->tasks.first = task;
    vu->tasks.last = task;
    if (vu->state == VU_WAITING) schedule_ready(vu);
}

static struct task *take_first(struct vu *vu)
{
    struct task *task = vu->tasks.first;
    vu->tasks.first = task->next;
    if (!vu->tasks.first) vu->tasks.last = NULL;
    return task;
}

static void free_task(struct vu *vu, struct task *task)
{
    JS_FreeValueRT(vu->runtime, task->call);
    bytes_free(&task->payload);
    free(task);
}

void tasks_remove_session(struct vu *vu, struct session *session)
{
    struct task *before = NULL;
    for (struct task *task = vu->tasks.first; task; before = task, task = task->next) {
        if (task->session != session) continue;
        if (before) before->next = task->next;
        else vu->tasks.first = task->next;
        if (vu->tasks.last == task) vu->tasks.last = before;
        free_task(vu, task);
        return;
    }
}

void tasks_add_session(struct vu *vu, struct session *session, double time)
{
    for (struct task *task = vu->tasks.first; task; task = task->next)
        if (task->session == session) return;
    struct task *task = malloc(sizeof *task);
    if (!task) return; /* the poller reports the socket again */
    *task = (struct task){.time = time, .session = session, .call = JS_UNDEFINED};
    append(vu, task);
}

void tasks_postpone_session(struct vu *vu, double time)
{
    struct task *task = take_first(vu), **link = &vu->tasks.first;
    task->time = time;
    while (*link && (*link)->time <= time) link = &(*link)->next;
    task->next = *link;
    *link = task;
    if (!task->next) vu->tasks.last = task;
}

void tasks_free(struct vu *vu)
{
    while (vu->tasks.first) free_task(vu, take_first(vu));
}

void tasks_leave(struct vu *vu)
{
    for (struct task *task = vu->tasks.first; task; task = task->next) task->call = JS_UNDEFINED;
    tasks_free(vu);
}

/* -- listeners ------------------------------------------------------------------------------------ */

static struct listener *listener_of(struct vu *vu, int32_t handle)
{
    for (size_t i = 0; i < vu->listener_count; i++)
        if (vu->listeners[i].handle == handle) return &vu->listeners[i];
    return NULL;
}

/* Drop the listeners. With `keeps`, keep the listeners that outlast a failure. */
static void drop_listeners(struct vu *vu, bool keeps)
{
    size_t kept = 0;
    for (size_t i = 0; i < vu->listener_count; i++) {
        if (keeps && vu->listeners[i].outlasts_failure) vu->listeners[kept++] = vu->listeners[i];
        else JS_FreeValue(vu->context, vu->listeners[i].receive);
    }
    vu->listener_count = kept;
}

/* Drop the tasks. With `keeps`, keep the payloads for listeners that outlast a failure. */
static void drop_tasks(struct vu *vu, bool keeps)
{
    struct task *task = vu->tasks.first;
    vu->tasks.first = vu->tasks.last = NULL;
    while (task) {
        struct task *next = task->next;
        struct listener *listener = NULL;
        if (keeps && !task->session && js_is_undefined(task->call)) listener = listener_of(vu, task->handle);
        if (listener && listener->outlasts_failure) append(vu, task);
        else free_task(vu, task);
        task = next;
    }
}

/* listen(handle, receive, outlastsFailure): call receive(payload, time in ms) for each payload that Python posts to
 * the handle, a number of Python's choice. The listener ends at forget(handle). Unless it outlasts failures, it also
 * ends when the iteration or stage fails. */
JSValue tasks_listen(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    if (vu->listener_count == vu->listener_capacity) {
        size_t capacity = vu->listener_capacity ? 2 * vu->listener_capacity : 8;
        struct listener *grown = realloc(vu->listeners, capacity * sizeof *grown);
        if (!grown) return JS_ThrowOutOfMemory(context);
        vu->listeners = grown;
        vu->listener_capacity = capacity;
    }
    int32_t handle;
    if (JS_ToInt32(context, &handle, argv[0]) < 0) return JS_EXCEPTION;
    bool outlasts_failure = JS_ToBool(context, argv[2]) > 0;
    vu->listeners[vu->listener_count++] =
        (struct listener){handle, JS_DupValue(context, argv[1]), outlasts_failure};
    return JS_UNDEFINED;
}

JSValue tasks_forget(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    struct listener *listener = argv[0].tag == JS_TAG_INT ? listener_of(vu, argv[0].u.int32) : NULL;
    if (listener) {
        JSValue old = listener->receive;
        *listener = vu->listeners[--vu->listener_count];
        JS_FreeValue(context, old);
    }
    return JS_UNDEFINED;
}

/* queueTask(call): call the function as a task of its own. */
JSValue tasks_queue(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    struct task *task = malloc(sizeof *task);
    if (!task) return JS_ThrowOutOfMemory(context);
    *task = (struct task){.time = clock_now(), .call = JS_DupValue(context, argv[0])};
    append(vu_of(context), task);
    return JS_UNDEFINED;
}

/* -- running -------------------------------------------------------------------------------------- */

bool tasks_drain_jobs(struct vu *vu)
{
    JSContext *context;
    for (int count = 1; JS_IsJobPending(vu->runtime); count++) {
        if (vu->is_aborting) return false;
        if (JS_ExecutePendingJob(vu->runtime, &context) < 0)
            JS_FreeValue(vu->context, JS_GetException(vu->context));
        if (count % JOBS_AT_ONCE == 0 && schedule_is_slice_over(vu, clock_now()) && !schedule_yield(vu))
            return false;
    }
    return !vu->is_aborting;
}

static bool has_work(const struct vu *vu)
{
    return vu->tasks.first || vu->timers.count || vu->listener_count || vu->event_sessions;
}

/* Run the first task. Returns JS_EXCEPTION if it throws. */
static JSValue run_task(struct vu *vu)
{
    JSContext *context = vu->context;
    struct task *task = vu->tasks.first;
    if (task->session) return session_run_task(vu, task->session) ? JS_UNDEFINED : JS_EXCEPTION;
    take_first(vu);
    JSValue result = JS_UNDEFINED;
    if (js_is_undefined(task->call)) {
        struct listener *listener = listener_of(vu, task->handle);
        if (listener) {
            JSValue function = JS_DupValue(context, listener->receive);
            JSValue arguments[2] = {codec_read(context, task->payload.data, task->payload.size),
                                    js_float(clock_epoch(task->time) * 1000)};
            result = js_is_exception(arguments[0]) ? JS_EXCEPTION
                                                   : JS_Call(context, function, JS_UNDEFINED, 2, arguments);
            JS_FreeValue(context, arguments[0]);
            JS_FreeValue(context, function);
        }
    } else {
        result = JS_Call(context, task->call, JS_UNDEFINED, 0, NULL);
    }
    free_task(vu, task);
    return result;
}

/* Wait for a task or for the first timer. Returns false if the VU must stop. */
static bool wait(struct vu *vu)
{
    struct timer *timer = timers_first(&vu->timers);
    return vu_park(vu, VU_WAITING, timer ? timer->due : NEVER);
}

/* Run a task or timer that is due. Returns JS_EXCEPTION if it throws or the VU must stop. */
static JSValue run_one(struct vu *vu)
{
    vu->turn++;
    struct timer *timer = timers_first(&vu->timers);
    if (!timer && !vu->tasks.first) return wait(vu) ? JS_UNDEFINED : vu_throw_interrupted(vu);
    double now = clock_now();
    if (schedule_is_slice_over(vu, now) && !schedule_yield(vu)) return vu_throw_interrupted(vu);
    timer = timers_first(&vu->timers);
    if (timer && timer->queued <= (vu->tasks.first ? vu->tasks.first->time : now))
        return timers_run_first(vu->context, &vu->timers, false);
    if (vu->tasks.first) return run_task(vu);
    return wait(vu) ? JS_UNDEFINED : vu_throw_interrupted(vu);
}

/* settle(onRejection): run the event loop until nothing is left to wait for, or until a promise is rejected without a
 * handler; then call onRejection(reason). Throws the exception of a task. On a fiber. */
JSValue tasks_settle(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    for (;;) {
        if (!tasks_drain_jobs(vu)) return vu_throw_interrupted(vu);
        if (vu->rejection_count) {
            JSValue reason = vu->rejections[0].reason;
            for (size_t i = 1; i < vu->rejection_count; i++) JS_FreeValue(context, vu->rejections[i].reason);
            vu->rejection_count = 0;
            JSValue result = JS_Call(context, argv[0], JS_UNDEFINED, 1, &reason);
            JS_FreeValue(context, reason);
            return result;
        }
        if (!has_work(vu)) return JS_UNDEFINED;
        JSValue result = run_one(vu);
        if (js_is_exception(result)) return result;
        JS_FreeValue(context, result);
    }
}

/* hasWork(): return true if the event loop has something to run or to wait for. */
JSValue tasks_has_work(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc, (void)argv;
    struct vu *vu = vu_of(context);
    return js_bool(has_work(vu) || JS_IsJobPending(vu->runtime) || vu->rejection_count);
}

/* isWindingDown(): return true if the iteration or stage has failed and its sessions are not over yet. */
JSValue tasks_is_winding_down(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc, (void)argv;
    return js_bool(vu_of(context)->is_winding_down);
}

/* dropTimers(): drop timers, tasks and listeners, because the iteration or stage has failed. Sessions stay, and so do
 * listeners that outlast failures. Returns the timers' names for the log, by due time. */
JSValue tasks_drop_timers(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc, (void)argv;
    struct vu *vu = vu_of(context);
    struct bytes names = {0};
    timers_names(&vu->timers, &names);
    JSValue result = codec_read(context, names.data, names.size);
    bytes_free(&names);
    drop_tasks(vu, true);
    drop_listeners(vu, true);
    timers_free(vu->runtime, &vu->timers);
    session_resume_tasks(vu);
    vu->is_winding_down = true;
    return result;
}

/* abandon(keeps): drop timers, tasks, listeners and sessions. With `keeps`, keep the listeners that outlast a
 * failure. */
JSValue tasks_abandon(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    struct vu *vu = vu_of(context);
    JSValue names = tasks_drop_timers(context, self, argc, argv);
    JS_FreeValue(context, names);
    if (JS_ToBool(context, argv[0]) <= 0) {
        drop_tasks(vu, false);
        drop_listeners(vu, false);
        vu->is_winding_down = false;
    }
    transmit_finish(vu);
    session_end_all(vu);
    for (size_t i = 0; i < vu->rejection_count; i++) JS_FreeValue(context, vu->rejections[i].reason);
    vu->rejection_count = 0;
    return JS_UNDEFINED;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Post a payload (MessagePack) to the listener of a VU's handle. Returns false if memory is exhausted. */
CORE_API bool core_post(int32_t index, int32_t handle, const uint8_t *payload, size_t size)
{
    struct vu *vu = vu_at(index);
    if (!vu || !vu->context) return true;
    struct task *task = malloc(sizeof *task);
    if (!task) return false;
    *task = (struct task){.time = clock_now(), .call = JS_UNDEFINED, .handle = handle};
    if (!bytes_append(&task->payload, payload, size)) {
        free(task);
        return false;
    }
    append(vu, task);
    core_leave();
    return true;
}

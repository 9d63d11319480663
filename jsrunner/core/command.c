/* Commands of Python to a VU.
 *
 * Theory. A VU's fiber is a loop: wait for a command, run it, post its result (OPERATION_DONE), wait again. A
 * command evaluates a module's text, or calls an entry, which is a function that JavaScript has published by name.
 * Python sends commands and sees the end of a command as a request. When an interrupted command has unwound, the
 * interpreter is prepared for the next command. If that fails, or memory is exhausted, the interpreter is freed and
 * the next command makes a new one. A new interpreter first evaluates the main module.
 */
#define _GNU_SOURCE
#include "core.h"

#include "codec.h"
#include "pack.h"
#include "timers.h"

#include <stdlib.h>
#include <string.h>

/* The text of the main module, or NULL. */
static char *main_text;

enum command_status { DONE_OK, DONE_THROWN, DONE_INTERRUPTED, DONE_LOST, DONE_STUCK };

/* Append the text of a value, or of the exception that its conversion to a string throws. */
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

/* Evaluate the text of a module, and what it imports, and its promise jobs. */
static enum command_status evaluate(struct vu *vu, const char *text, size_t size, const char *name)
{
    JSContext *context = vu->context;
    JSValue done = JS_Eval(context, text, size, name, JS_EVAL_TYPE_MODULE);
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

static void end_command(struct vu *vu, enum command_status status)
{
    vu->deadline = NEVER;
    vu->is_aborting = vu->is_exhausted = vu->is_winding_down = false;
    session_leave(vu);
    vu->serial++;
    request_done(vu, (int32_t)status);
}

/* Evaluate the main module, with which interpreters begin. A copy of the template has evaluated it. */
static enum command_status begin(struct vu *vu)
{
    return vu->copy || !main_text ? DONE_OK : evaluate(vu, main_text, strlen(main_text), "jsrunner:main");
}

static enum command_status obey(struct vu *vu)
{
    struct bytes *arguments = &vu->command_arguments;
    if (vu->command[0] != '@') return call_entry(vu);
    return evaluate(vu, (char *)arguments->data, arguments->size - 1, vu->command + 1);
}

/* Prepare an interpreter that has run out of memory for the next command. Returns false if it loses the script's state. */
static bool recover_exhausted(struct vu *vu)
{
    vu_stop_calls(vu);
    if (vu_recover_interpreter(vu)) {
        JS_RunGC(vu->runtime);
        return true;
    }
    if (!js_is_undefined(vu->entries)) return false;
    vu_close_interpreter(vu); /* its first module has failed */
    return true;
}

static void run_command(struct vu *vu)
{
    enum command_status status = DONE_THROWN;
    vu->result.size = vu->place.size = 0;
    vu->slice_end = NEVER;
    bool is_module = vu->command[0] == '@', is_new = !vu->context;
    const char *problem = is_new ? vu_open_interpreter(vu) : NULL;
    if (problem) {
        bytes_append(&vu->result, problem, strlen(problem));
    } else {
        watchdog_watch(vu);
        status = is_new ? begin(vu) : DONE_OK;
        if (status == DONE_OK) status = obey(vu);
        if (watchdog_release(vu)) vu->is_aborting = true;
    }
    /* Entries catch all exceptions of scripts. An entry throws only if memory is exhausted, and then the code of
     * jsrunner's modules was left in the middle. */
    bool was_left = status == DONE_THROWN && !is_module && !vu->is_aborting && !js_is_undefined(vu->entries);
    if (vu->is_exhausted) {
        static const char TEXT[] = "InternalError: out of memory";
        status = DONE_THROWN;
        vu->result.size = 0;
        bytes_append(&vu->result, TEXT, sizeof TEXT - 1);
    }
    if (was_left || vu->is_exhausted) vu->is_aborting = !recover_exhausted(vu);
    if (vu->is_aborting) {
        /* The result: which timers were stopped, and where the script was interrupted. */
        status = DONE_INTERRUPTED;
        vu->result.size = 0;
        if (vu->runtime) {
            bool is_packed = pack_array(&vu->result, 2) && timers_names(&vu->timers, &vu->result) &&
                             pack_text(&vu->result, (char *)vu->place.data, vu->place.size);
            if (!is_packed) vu->result.size = 0;
        }
        if (!vu_recover_interpreter(vu)) {
            status = DONE_LOST;
            vu_close_interpreter(vu);
        }
    }
    end_command(vu, status);
}

void vu_main(void *argument)
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
    vu_leave_interpreter(vu);
    end_command(vu, DONE_STUCK);
    fiber_restart(&vu->fiber);
    schedule_resume(vu); /* into its loop */
}

/* Give an idle VU a command: call the entry `name` with `arguments` (a MessagePack array), or, if the
 * name begins with @, evaluate the text in `arguments` as the module named by the rest of `name`. `name` must stay
 * valid until OPERATION_DONE reports the command's end. The command is interrupted at `deadline`. Returns false if
 * the VU is not idle or memory is exhausted. */
CORE_API bool core_command(int32_t index, const char *name, const uint8_t *arguments, size_t size,
                           double deadline)
{
    struct vu *vu = vu_at(index);
    if (!vu || vu->state != VU_IDLE || vu->is_queued) return false;
    vu->command_arguments.size = 0;
    /* The engine's parser needs a zero behind the text. */
    if (!bytes_append(&vu->command_arguments, arguments, size)) return false;
    if (!bytes_append_byte(&vu->command_arguments, 0)) return false;
    vu->command = name;
    vu->deadline = deadline;
    schedule_ready(vu);
    core_leave();
    return true;
}

/* Set the text of the main module, which new interpreters evaluate; NULL for none. Returns false if memory is
 * exhausted. */
CORE_API bool core_main(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) return false;
    free(main_text);
    main_text = copy;
    return true;
}

/* The template: an interpreter that has evaluated modules of jsrunner's, and that no script has seen.
 *
 * Theory. To make an interpreter and to evaluate jsrunner's modules in it takes 0.3 ms, and the result is the same for
 * each VU. So one interpreter is made before the workers are forked, and a VU's interpreter begins as a copy of its
 * memory (template_memory.c). What depends on the VU is set in the copy: the pointers to the VU, the place of the
 * stack, and the state of Math.random. Measured (2,100 VUs of bench/scripts/noop.js): 0.24 ms of CPU per VU instead
 * of 0.48.
 *
 * Invariants.
 *  - The top level of the template's modules depends on no VU and asks Python for nothing. If it does ask, there is no
 *    template.
 *  - The template has evaluated the main module (command.c). Without a template, or memory for a copy, an interpreter
 *    is made and evaluates it by itself.
 */
#include "template.h"

#include "core.h"

#include "mask.h"

#include <stdlib.h>
#include <string.h>

/* The VU that owns the template. After template_memory_close its pointers are offsets. */
static struct vu owner;
static bool is_ready;
/* The modules to evaluate: the text of a module that imports them. */
static const char *imports;
/* Offset in a JSContext of the state of Math.random. */
static size_t random_at;

/* -- making ----------------------------------------------------------------------------------------- */

static bool evaluate(struct vu *vu)
{
    JSValue module = JS_Eval(vu->context, imports, strlen(imports), "jsrunner:template",
                             JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (js_is_exception(module)) return false;
    bytes_append(&vu->loaded_modules, &module.u.pointer, sizeof module.u.pointer);
    JSValue done = JS_EvalFunction(vu->context, module);
    if (js_is_exception(done)) return false;
    bool is_done = tasks_drain_jobs(vu) && JS_PromiseState(vu->context, done) == JS_PROMISE_FULFILLED;
    JS_FreeValue(vu->context, done);
    return is_done;
}

/* Find the state of Math.random: the only word of the context whose halves both change with a call. The engine also
 * counts calls there, with 32 bits. */
static bool find_random(struct vu *vu)
{
    JSContext *context = vu->context;
    size_t size = template_block_bytes(context), changes = 0;
    uint64_t *before = malloc(size), now;
    JSValue random = builtins_new(context, "Math.random");
    if (before) {
        memcpy(before, context, size);
        JS_FreeValue(context, JS_Call(context, random, JS_UNDEFINED, 0, NULL));
        for (size_t at = 0; at < size; at += sizeof now) {
            memcpy(&now, (char *)context + at, sizeof now);
            uint64_t change = now ^ before[at / sizeof now];
            if (!(change >> 32) || !(uint32_t)change) continue;
            random_at = at;
            changes++;
        }
    }
    free(before);
    JS_FreeValue(context, random);
    return changes == 1;
}

static void make(void *argument)
{
    struct vu *vu = argument;
    is_ready = !vu_open_interpreter(vu) && evaluate(vu) && find_random(vu);
    if (is_ready) {
        modules_drop_code(vu);
        JS_RunGC(vu->runtime);
    }
    bytes_free(&vu->loaded_modules);
    for (;;) fiber_suspend(&vu->fiber);
}

/* -- copying ---------------------------------------------------------------------------------------- */

static JSValue value_in(char *copy, JSValue value)
{
    if (!js_is_undefined(value)) value.u.pointer = copy + (size_t)value.u.pointer;
    return value;
}

bool template_open(struct vu *vu)
{
    if (!is_ready || vu->tracks_contexts != owner.tracks_contexts) return false;
    char *copy = template_copy();
    if (!copy) return false;
    vu->copy = copy;
    vu->runtime = (JSRuntime *)(copy + (size_t)owner.runtime);
    vu->context = (JSContext *)(copy + (size_t)owner.context);
    vu->entries = value_in(copy, owner.entries);
    vu->make_error = value_in(copy, owner.make_error);
    vu->promise_then = value_in(copy, owner.promise_then);
    memcpy(vu->event_properties, owner.event_properties, sizeof vu->event_properties);
    uint64_t seed = (uint64_t)frame_mask_key() << 32 | frame_mask_key() | 1;
    memcpy((char *)vu->context + random_at, &seed, sizeof seed);
    return true;
}

/* -- functions for Python ---------------------------------------------------------------------------- */

/* Make the template, by the text of a module that imports those to be evaluated. Returns false if there is none
 * afterwards. On the main stack, before any VU is made. */
CORE_API bool core_template_make(const char *text, bool tracks_contexts)
{
    is_ready = false;
    template_memory_forget();
    if (!template_memory_open()) return false;
    owner = (struct vu){.index = -1, .alarm_slot = SIZE_MAX, .tag_set = -1, .metadata = -1, .state = VU_RUNNING};
    owner.entries = owner.make_error = owner.promise_then = JS_UNDEFINED;
    owner.tracks_contexts = tracks_contexts;
    imports = text;
    if (fiber_create(&owner.fiber, core.stack_bytes, make, &owner)) {
        core.running = &owner;
        fiber_resume(&owner.fiber);
        core.running = NULL;
        fiber_destroy(&owner.fiber);
    }
    void **const roots[] = {(void **)&owner.runtime, (void **)&owner.context, &owner.entries.u.pointer,
                            &owner.make_error.u.pointer, &owner.promise_then.u.pointer};
    is_ready = template_memory_close(roots, sizeof roots / sizeof *roots) && is_ready;
    return is_ready;
}

/* Forget the template: VUs that are made from now on do not begin as its copies. */
CORE_API void core_template_forget(void)
{
    is_ready = false;
    template_memory_forget();
}

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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The VU that owns the template. After template_memory_close its pointers are offsets. */
static struct vu owner;
static bool is_ready;
/* The modules to evaluate: the text of a module that imports those in the record of heat, and of one with the others.
 * The record is empty if there is none. */
static struct {
    const char *recorded, *others;
    const uint8_t *heat;
    size_t count;
    uint64_t fingerprint;
} plan;
/* The template's number of blocks and fingerprint. */
static uint64_t identity[2];
/* Offset in a JSContext of the state of Math.random. */
static size_t random_at;

/* -- making ----------------------------------------------------------------------------------------- */

static bool evaluate(struct vu *vu, const char *text, const char *name)
{
    JSValue done = JS_Eval(vu->context, text, strlen(text), name, JS_EVAL_TYPE_MODULE);
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
    JSValue scope = JS_GetGlobalObject(context);
    JSValue math = JS_GetPropertyStr(context, scope, "Math");
    JSValue random = JS_GetPropertyStr(context, math, "random");
    if (before) {
        memcpy(before, context, size);
        JS_FreeValue(context, JS_Call(context, random, math, 0, NULL));
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
    JS_FreeValue(context, math);
    JS_FreeValue(context, scope);
    return changes == 1;
}

/* Let the engine's table of names grow now. A VU in which it grows touches all names of the template. */
static void reserve_names(JSContext *context)
{
    enum { NAMES = 512 };
    static JSAtom names[NAMES];
    char name[32];
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "jsrunner:name%d", i);
        names[i] = JS_NewAtom(context, name);
    }
    for (int i = 0; i < NAMES; i++) JS_FreeAtom(context, names[i]);
}

/* Set the blocks' heat, if the record is of this template. */
static void mark(void)
{
    size_t count;
    uint64_t fingerprint = template_fingerprint(&count);
    template_mark(count == plan.count && fingerprint == plan.fingerprint ? plan.heat : NULL);
    identity[0] = count;
    identity[1] = fingerprint;
}

static void make(void *argument)
{
    struct vu *vu = argument;
    is_ready = !vu_open_interpreter(vu) && find_random(vu) && evaluate(vu, plan.recorded, "jsrunner:template");
    if (is_ready) {
        reserve_names(vu->context);
        JS_RunGC(vu->runtime);
        mark();
        is_ready = evaluate(vu, plan.others, "jsrunner:more");
        JS_RunGC(vu->runtime);
    }
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

/* Make the template, by the texts of two modules that import those to be evaluated. The first of them imports those that
 * a record of heat knows: `heat` has a byte (enum heat) for each of `count` blocks, `fingerprint` is that of
 * template_fingerprint. Returns false if there is no template afterwards. On the main stack, before any VU is
 * made. */
CORE_API bool core_template_make(const char *recorded, const char *others, const uint8_t *heat, size_t count,
                                 uint64_t fingerprint, bool tracks_contexts)
{
    is_ready = false;
    template_memory_forget();
    if (!template_memory_open()) return false;
    owner = (struct vu){.index = -1, .alarm_slot = SIZE_MAX, .tag_set = -1, .metadata = -1, .state = VU_RUNNING};
    owner.entries = owner.make_error = owner.promise_then = JS_UNDEFINED;
    owner.tracks_contexts = tracks_contexts;
    plan.recorded = recorded;
    plan.others = others;
    plan.heat = heat;
    plan.count = count;
    plan.fingerprint = fingerprint;
    if (fiber_create(&owner.fiber, core.stack_bytes, make, &owner)) {
        core.running = &owner;
        fiber_resume(&owner.fiber);
        core.running = NULL;
        fiber_destroy(&owner.fiber);
    }
    /* The watchdog's thread accesses them, and only the VUs' thread may access cold blocks. */
    template_make_hot(owner.runtime);
    template_make_hot(owner.context);
    void **const roots[] = {(void **)&owner.runtime, (void **)&owner.context, &owner.entries.u.pointer,
                            &owner.make_error.u.pointer, &owner.promise_then.u.pointer};
    is_ready = template_memory_close(roots, sizeof roots / sizeof *roots) && is_ready;
    return is_ready;
}

/* Get the number of blocks and the fingerprint to which a record of this template's heat belongs. */
CORE_API void core_template_identity(uint64_t to[2]) { memcpy(to, identity, sizeof identity); }

/* Forget the template: VUs that are made from now on do not begin as its copies. */
CORE_API void core_template_forget(void)
{
    is_ready = false;
    template_memory_forget();
}

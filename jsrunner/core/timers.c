/* The timers of an event loop, or of a k6/ws session.
 *
 * Theory. Scripts may have thousands of timers, such as a time limit for each request, and remove most of them again.
 * So timers are in a heap, by due time and then by registration, and in a table by id. `queued` is the moment at which
 * a timer's task has joined the other tasks of the loop: the due time, but not before the timer was the first of the
 * heap.
 *
 * Invariants. A timer is in the table from its creation until it is removed or has run for the last time. It is in the
 * heap unless it runs at this moment. The memory is the VU's, under the VU's limit, so a script with a million timers
 * harms only itself.
 */
#include "timers.h"

#include "codec.h"
#include "pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first id of timers of jsrunner's modules. */
enum { OWN_IDS = 1 << 30 };

static bool is_before(const struct timer *one, const struct timer *other)
{
    return one->due < other->due || (one->due == other->due && one->order < other->order);
}

static void place(struct timers *timers, struct timer *timer, size_t at)
{
    timers->heap[at] = timer;
    timer->place = at;
}

static void sift(struct timers *timers, struct timer *timer, size_t at)
{
    while (at && is_before(timer, timers->heap[(at - 1) / 2])) {
        place(timers, timers->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= timers->count) break;
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child])) child++;
        if (!is_before(timers->heap[child], timer)) break;
        place(timers, timers->heap[child], at);
        at = child;
    }
    place(timers, timer, at);
}

/* Set `queued` of a new first timer: its task cannot have joined the other tasks any sooner. */
static void promote(struct timers *timers)
{
    struct timer *first = timers_first(timers);
    if (!first) return;
    double now = clock_now();
    first->queued = first->due > now ? first->due : now;
}

/* Insert a timer into the heap, which must have room. */
static void schedule(struct timers *timers, struct timer *timer)
{
    timer->order = ++timers->last_order;
    timer->queued = timer->due;
    sift(timers, timer, timers->count++);
}

static void unschedule(struct timers *timers, struct timer *timer)
{
    size_t at = timer->place;
    struct timer *last = timers->heap[--timers->count];
    if (last != timer) sift(timers, last, at);
    timer->place = SIZE_MAX;
}

/* -- the table ------------------------------------------------------------------------------------ */

static struct timer **slot_of(const struct timers *timers, int32_t id)
{
    size_t slot = (size_t)id * 2654435761u;
    while (timers->by_id[slot & (timers->slots - 1)] && timers->by_id[slot & (timers->slots - 1)]->id != id)
        slot++;
    return &timers->by_id[slot & (timers->slots - 1)];
}

static struct timer *find(const struct timers *timers, int32_t id)
{
    return timers->slots ? *slot_of(timers, id) : NULL;
}

/* Remove a timer from the table, and move the timers behind its slot, which an empty slot would make unreachable. */
static void forget(struct timers *timers, struct timer *timer)
{
    size_t slot = (size_t)(slot_of(timers, timer->id) - timers->by_id);
    timers->by_id[slot] = NULL;
    timers->used--;
    for (slot = (slot + 1) & (timers->slots - 1); timers->by_id[slot]; slot = (slot + 1) & (timers->slots - 1)) {
        struct timer *moved = timers->by_id[slot];
        timers->by_id[slot] = NULL;
        *slot_of(timers, moved->id) = moved;
    }
}

static bool reserve(JSRuntime *runtime, struct timers *timers)
{
    if (timers->count == timers->capacity) {
        size_t capacity = timers->capacity ? 2 * timers->capacity : 4;
        struct timer **heap = js_realloc_rt(runtime, timers->heap, capacity * sizeof *heap);
        if (!heap) return false;
        timers->heap = heap;
        timers->capacity = capacity;
    }
    if ((timers->used + 1) * 2 > timers->slots) {
        size_t slots = timers->slots ? 2 * timers->slots : 8;
        struct timers larger = {.by_id = js_malloc_rt(runtime, slots * sizeof *larger.by_id), .slots = slots};
        if (!larger.by_id) return false;
        memset(larger.by_id, 0, slots * sizeof *larger.by_id);
        for (size_t i = 0; i < timers->slots; i++)
            if (timers->by_id[i]) *slot_of(&larger, timers->by_id[i]->id) = timers->by_id[i];
        js_free_rt(runtime, timers->by_id);
        timers->by_id = larger.by_id;
        timers->slots = slots;
    }
    return true;
}

/* -- the interface -------------------------------------------------------------------------------- */

int32_t timers_add(JSRuntime *runtime, struct timers *timers, JSValue call, double delay, double every,
                   enum timer_kind kind)
{
    struct timer *timer = reserve(runtime, timers) ? js_malloc_rt(runtime, sizeof *timer) : NULL;
    if (!timer) {
        JS_FreeValueRT(runtime, call);
        return 0;
    }
    if (delay != delay) delay = 0; /* NaN would have no place in the heap */
    *timer = (struct timer){.due = clock_now() + delay, .every = every, .call = call,
                            .kind = kind};
    /* Scripts see ids 1, 2, 3, ..., however many timers jsrunner's modules have. */
    timer->id = kind == TIMER_OWN ? OWN_IDS + ++timers->last_own_id : ++timers->last_id;
    *slot_of(timers, timer->id) = timer;
    timers->used++;
    schedule(timers, timer);
    return timer->id;
}

static void release(JSRuntime *runtime, struct timers *timers, struct timer *timer)
{
    forget(timers, timer);
    JS_FreeValueRT(runtime, timer->call);
    js_free_rt(runtime, timer);
}

void timers_remove(JSRuntime *runtime, struct timers *timers, int32_t id)
{
    struct timer *timer = find(timers, id);
    if (!timer) return;
    if (timer->place == SIZE_MAX) { /* it runs, and will not run again */
        timer->every = -1;
        return;
    }
    bool was_first = timer->place == 0;
    unschedule(timers, timer);
    release(runtime, timers, timer);
    if (was_first) promote(timers);
}

JSValue timers_run_first(JSContext *context, struct timers *timers, bool is_ticker)
{
    struct timer *timer = timers->heap[0];
    int32_t id = timer->id;
    unschedule(timers, timer);
    JSValue call = JS_DupValue(context, timer->call);
    /* `this` of a script's function is the global object (https://html.spec.whatwg.org/#timer-initialisation-steps). */
    JSValue self = timer->kind == TIMER_OWN ? JS_UNDEFINED : JS_GetGlobalObject(context);
    JSValue result = JS_Call(context, call, self, 0, NULL);
    JS_FreeValue(context, self);
    JS_FreeValue(context, call);
    timer = find(timers, id); /* all timers may have been freed meanwhile */
    if (timer) {
        double now = clock_now();
        JSRuntime *runtime = JS_GetRuntime(context);
        if (timer->every < 0 || !reserve(runtime, timers)) {
            release(runtime, timers, timer);
        } else {
            timer->due = (is_ticker ? timer->due : now) + timer->every;
            if (timer->due < now && timer->every > 0) /* ticks that were missed become one */
                timer->due += timer->every * (double)(int64_t)((now - timer->due) / timer->every);
            schedule(timers, timer);
        }
        promote(timers);
    }
    return result;
}

static int compare(const void *one, const void *other)
{
    return is_before(*(struct timer *const *)one, *(struct timer *const *)other) ? -1 : 1;
}

bool timers_names(const struct timers *timers, struct bytes *to)
{
    struct timer **sorted = malloc((timers->count + 1) * sizeof *sorted);
    if (!sorted) return false;
    size_t count = 0;
    for (size_t i = 0; i < timers->count; i++)
        if (timers->heap[i]->kind != TIMER_OWN) sorted[count++] = timers->heap[i];
    qsort(sorted, count, sizeof *sorted, compare);
    bool is_written = pack_array(to, (uint32_t)count);
    for (size_t i = 0; i < count && is_written; i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "%s %d", sorted[i]->kind == TIMER_INTERVAL ? "setInterval" : "setTimeout",
                            sorted[i]->id);
        is_written = pack_text(to, name, (size_t)size);
    }
    free(sorted);
    return is_written;
}

void timers_free(JSRuntime *runtime, struct timers *timers)
{
    for (size_t i = 0; i < timers->slots; i++) {
        if (!timers->by_id[i]) continue;
        JS_FreeValueRT(runtime, timers->by_id[i]->call);
        js_free_rt(runtime, timers->by_id[i]);
    }
    js_free_rt(runtime, timers->heap);
    js_free_rt(runtime, timers->by_id);
    timers_abandon(timers);
}

void timers_abandon(struct timers *timers)
{
    *timers = (struct timers){.last_id = timers->last_id, .last_own_id = timers->last_own_id, .last_order = timers->last_order};
}

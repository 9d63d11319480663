/* Timers of one VU's event loop or of one k6/ws session (timers.c). */
#ifndef JSRUNNER_TIMERS_H
#define JSRUNNER_TIMERS_H

#include "core.h"

/* Timers of scripts by function, which the log names when an iteration is interrupted; timers of jsrunner's modules. */
enum timer_kind { TIMER_TIMEOUT, TIMER_INTERVAL, TIMER_OWN };

struct timer {
    double due, queued, every;
    uint64_t order;
    JSValue call;
    int32_t id;
    /* Index in the heap; SIZE_MAX while the timer runs. */
    size_t place;
    enum timer_kind kind;
};

/* Add a timer that calls `call` after `delay` seconds, then every `every` seconds if `every` is not negative. Takes
 * over the reference `call`. Returns the timer's id, 0 if memory is exhausted. */
int32_t timers_add(JSRuntime *, struct timers *, JSValue call, double delay, double every,
                   enum timer_kind);
void timers_remove(JSRuntime *, struct timers *, int32_t id);
/* Call the function of the first timer and return its result. The next call of an interval is due `every` seconds
 * after the end of this call; with `is_ticker`, after this call's due time, and missed ticks are left out. On a
 * fiber. */
JSValue timers_run_first(JSContext *, struct timers *, bool is_ticker);
static inline struct timer *timers_first(const struct timers *timers)
{
    return timers->count ? timers->heap[0] : NULL;
}
/* Append a MessagePack array of the timers' names in the log (`setTimeout 3`), by due time. */
bool timers_names(const struct timers *, struct bytes *to);
void timers_free(JSRuntime *, struct timers *);
/* Forget all timers without touching the interpreter, to which their memory belongs. */
void timers_abandon(struct timers *);

#endif

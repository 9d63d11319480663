/* The scheduler of VUs.
 *
 * Theory. A VU that can run is in the ready queue. A VU that waits for a moment has an alarm in a heap by time. A
 * turn (core_turn) resumes the ready VUs in order, makes the VUs with due alarms ready, and polls the sockets, until
 * nothing is left to do, a request to Python is pending, or its time budget is used up. The outer loop (gevent's)
 * watches the poller's descriptor and calls core_turn whenever the descriptor is readable.
 *
 * Invariants.
 *  - A VU is in the ready queue at most once, and in the heap at most once (alarm_slot; SIZE_MAX if it is not).
 *  - Resuming takes a VU out of both.
 *  - Whenever control leaves the core, the poller's alarm is set to the first alarm of the heap.
 */
#include "core.h"

#include "poller.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Time slice in seconds: a VU that runs longer lets other VUs run. */
static const double SLICE = 0.002;
/* Bounds of alarms: a script's delay may be NaN, negative or infinite. */
static const double FIRST_ALARM = 1e-9, LAST_ALARM = 1e9;
enum { SOCKETS_AT_ONCE = 256 };

static struct vu *first_ready, *last_ready;
static struct vu **alarms;
static size_t alarm_count, alarm_capacity;
/* The moment at which sockets and alarms were last checked. */
static double polled_at;
/* The moment at which a socket was last ready or an alarm last rang. is_dense: it came within LINGER of the one before. */
static double active_at;
static bool is_dense;
/* Counts of the present period of 10 ms (see await_more). */
static struct {
    double end;
    unsigned reads, writes;
    bool is_stream;
} window;

double clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double clock_epoch(double moment) { return moment + core.epoch_offset; }

/* -- the ready queue ---------------------------------------------------------------------------- */

void schedule_ready(struct vu *vu)
{
    if (vu->is_queued) return;
    vu->is_queued = true;
    vu->next_ready = NULL;
    if (last_ready) last_ready->next_ready = vu;
    else first_ready = vu;
    last_ready = vu;
}

static struct vu *take_ready(void)
{
    struct vu *vu = first_ready;
    if (vu) {
        first_ready = vu->next_ready;
        if (!first_ready) last_ready = NULL;
        vu->is_queued = false;
    }
    return vu;
}

/* Take a VU out of the queue, wherever it is. Only for VUs that are about to be freed. */
static void forget_ready(struct vu *vu)
{
    struct vu *before = NULL;
    for (struct vu *other = first_ready; other; before = other, other = other->next_ready) {
        if (other != vu) continue;
        if (before) before->next_ready = vu->next_ready;
        else first_ready = vu->next_ready;
        if (last_ready == vu) last_ready = before;
        break;
    }
    vu->is_queued = false;
}

/* -- alarms --------------------------------------------------------------------------------------- */

static void place_alarm(struct vu *vu, size_t slot)
{
    alarms[slot] = vu;
    vu->alarm_slot = slot;
}

static void sift_alarm(struct vu *vu, size_t slot)
{
    while (slot && alarms[(slot - 1) / 2]->alarm > vu->alarm) {
        place_alarm(alarms[(slot - 1) / 2], slot);
        slot = (slot - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= alarm_count) break;
        if (child + 1 < alarm_count && alarms[child + 1]->alarm < alarms[child]->alarm) child++;
        if (alarms[child]->alarm >= vu->alarm) break;
        place_alarm(alarms[child], slot);
        slot = child;
    }
    place_alarm(vu, slot);
}

static void forget_alarm(struct vu *vu)
{
    size_t slot = vu->alarm_slot;
    if (slot == SIZE_MAX) return;
    vu->alarm_slot = SIZE_MAX;
    struct vu *last = alarms[--alarm_count];
    if (last != vu) sift_alarm(last, slot);
}

void schedule_alarm(struct vu *vu, double moment)
{
    forget_alarm(vu);
    if (moment == NEVER) return;
    if (alarm_count == alarm_capacity) {
        size_t capacity = alarm_capacity ? 2 * alarm_capacity : 64;
        struct vu **grown = realloc(alarms, capacity * sizeof *alarms);
        if (!grown) abort(); /* a few bytes per VU: without them nothing works */
        alarms = grown;
        alarm_capacity = capacity;
    }
    vu->alarm = moment > FIRST_ALARM ? moment < LAST_ALARM ? moment : LAST_ALARM : FIRST_ALARM;
    sift_alarm(vu, alarm_count++);
}

void schedule_forget(struct vu *vu)
{
    forget_alarm(vu);
    if (vu->is_queued) forget_ready(vu);
}

/* Return the moment of the next alarm or dialing deadline. */
static double next_alarm(void)
{
    double dialing = dial_deadline(), alarm = alarm_count ? alarms[0]->alarm : NEVER;
    return alarm == NEVER || (dialing != NEVER && dialing < alarm) ? dialing : alarm;
}

/* Resume the VUs whose alarm is due. Returns true if there was one. */
static bool ring_alarms(double now)
{
    bool has_rung = false;
    dial_expire(now);
    while (alarm_count && alarms[0]->alarm <= now) {
        struct vu *vu = alarms[0];
        forget_alarm(vu);
        if (vu->deadline != NEVER && vu->deadline <= now) vu_abort(vu);
        else schedule_resume(vu);
        has_rung = true;
    }
    return has_rung;
}

/* -- running -------------------------------------------------------------------------------------- */

void schedule_resume(struct vu *vu)
{
    schedule_forget(vu);
    core.running = vu;
    core.resumes++;
    vu->state = VU_RUNNING;
    fiber_resume(&vu->fiber);
    core.running = NULL;
    if (vu->state == VU_RUNNING) vu_abandon(vu); /* it has not parked: the watchdog has left its fiber */
}

bool schedule_is_slice_over(struct vu *vu, double now)
{
    if (vu->slice_end == NEVER) vu->slice_end = now + SLICE; /* the slice starts at the first call of this function */
    return now >= vu->slice_end;
}

bool schedule_yield(struct vu *vu)
{
    schedule_ready(vu);
    return vu_park(vu, VU_READY, NEVER);
}

/* Resume the VUs that are ready now. VUs that become ready meanwhile wait for the next round, so that sockets and
 * alarms are checked in between. */
static void run_ready(double end)
{
    struct vu *last = last_ready;
    while (first_ready && !request_is_pending()) {
        struct vu *vu = take_ready();
        schedule_resume(vu);
        if (vu == last || clock_now() > end) break;
    }
}

/* -- streams of small messages --------------------------------------------------------------------- */

void schedule_note_write(void) { window.writes++; }

/* Wait 0.1 ms before the next read, where servers push small messages and scripts only listen. A read per message
 * costs more than the message, because the kernel acknowledges each such read. Measured (2 cores, loopback, `push`
 * of 64 B) with 0.15 ms: 25 messages per read instead of 5, half the CPU time. There is no wait if any session has
 * sent something in this period. */
static void await_more(double now)
{
    static const double WINDOW = 0.010;
    enum { STREAM_READS = 100, STREAM_READS_ON = 10, WAIT_NS = 100000 };
    if (now > window.end) {
        window.is_stream = !window.writes && window.reads > (window.is_stream ? STREAM_READS_ON : STREAM_READS) &&
                           now < window.end + WINDOW;
        window.end = now + WINDOW;
        window.reads = window.writes = 0;
    }
    if (!window.is_stream || window.writes) return;
    struct timespec wait = {0, WAIT_NS};
    nanosleep(&wait, NULL);
}

/* -- waiting within a turn -------------------------------------------------------------------------- */

/* After a turn, control goes through Python to gevent's loop, which waits in another system call. While sockets are
 * ready or alarms ring at least every millisecond, a turn of the hub (WAIT_WHILE_DENSE) without ready VUs waits by
 * itself, until its budget is used up. The poller's alarm ends the wait; a timeout for each wait would set the kernel's
 * clock each time. Measured (2 cores, loopback, `echo-1`): 1.2 us CPU less of 17 per message.
 *
 * Meanwhile gevent's own sockets and timers are late by at most the budget. So a turn does not wait while Python works
 * for a parked VU. Only messages of the coordinator and the ends of scenarios' intervals may then be late. */
static const double LINGER = 0.001;

enum wait { WAIT_FOR_EVER = -1, WAIT_WHILE_DENSE = -2 };

static void note_activity(double now)
{
    is_dense = now < active_at + LINGER;
    active_at = now;
}

static bool may_linger(double now, double end)
{
    if (now >= active_at + LINGER) is_dense = false;
    return is_dense && !core.awaiting_python && now < end;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Run VUs for about `budget` seconds. If no VU can run, wait for up to `wait` milliseconds, or as enum wait says. Returns
 * true if requests are pending. On the main stack. */
CORE_API bool core_turn(double budget, int wait)
{
    struct readiness ready[SOCKETS_AT_ONCE];
    double end = clock_now() + budget;
    for (;;) {
        if (!request_is_pending()) run_ready(end);
        double now = clock_now();
        /* Requests to Python come first. But VUs that make requests all the time must not keep other VUs from their
         * sockets and alarms. */
        if (request_is_pending() && now < polled_at + SLICE) break;
        polled_at = now;
        if (!request_is_pending()) receive_undecoded();
        if (!first_ready && !request_is_pending()) await_more(now);
        bool is_busy = first_ready || request_is_pending();
        bool lingers = !is_busy && wait == WAIT_WHILE_DENSE && may_linger(now, end);
        double alarm = next_alarm();
        poller_set_alarm(lingers && (alarm == NEVER || end < alarm) ? end : alarm);
        int timeout = lingers ? WAIT_FOR_EVER : is_busy || wait == WAIT_WHILE_DENSE ? 0 : wait;
        int count = poller_wait(ready, SOCKETS_AT_ONCE, timeout);
        now = clock_now();
        bool is_active = ring_alarms(now) || count || first_ready;
        if (is_active) note_activity(now);
        window.reads += count > 0;
        for (int i = 0; i < count; i++) {
            if (ready[i].key & HTTP_KEY) http_ready(ready[i].key);
            else session_ready((uint32_t)ready[i].key, (uint32_t)(ready[i].key >> 32), ready[i].events);
        }
        if (request_is_pending()) break;
        if (wait != WAIT_FOR_EVER && (!is_active || now > end)) break;
    }
    if (core.is_polling) {
        poller_set_alarm(next_alarm());
        if (first_ready || (alarm_count && request_is_pending())) poller_wake();
    }
    return request_is_pending();
}

/* Make the poller's descriptor readable for ready VUs and for the next alarm. To be called after VUs have run
 * outside of a turn. */
CORE_API void core_leave(void)
{
    if (!core.is_polling) return;
    poller_set_alarm(next_alarm());
    if (first_ready || receive_is_undecoded()) poller_wake();
}

/* The loop over iterations.
 *
 * Theory. JavaScript's loop (worker/vu.js) calls `nextIteration`, which ends the previous iteration (samples and
 * counts), waits for the rest of minIterationDuration, lets other VUs run and draws the next number from the
 * scenario's supply. Python makes the supplies. The core draws a number by an atomic addition to a cell that all
 * worker processes map. A VU of an arrival rate asks Python instead, which answers when an iteration is due.
 *
 * Invariants. iteration_started is NEVER exactly between iterations. Python, not this file, ends and counts an
 * interrupted iteration.
 */
#include "core.h"

#include "codec.h"
#include "leases.h"
#include "pack.h"

#include <stdatomic.h>
#include <stdlib.h>

enum supply_kind { SUPPLY_SHARED, SUPPLY_PER_VU, SUPPLY_ARRIVALS, SUPPLY_LEASED };

/* Seconds between two attempts of a VU that waits for a lease. */
static const double LEASE_EVERY = 0.01;

/* A scenario's supply of iterations in this process. All processes of the run map the memory of the cells. */
struct supply {
    enum supply_kind kind;
    _Atomic int64_t *drawn;
    int64_t total;
    /* An iteration's number is the drawn number times stride plus offset: machines of one run interleave. */
    int64_t stride, offset;
    /* Counts of this process alone. */
    int64_t *started, *completed;
    double minimum_duration;
};

/* Record a sample of a built-in metric with the VU's own tags. */
static bool record(struct vu *vu, enum metric metric, double value, double time)
{
    return vu_record(vu, vu_tag_set(vu), (int32_t)metric, value, time);
}

/* End the previous iteration. Returns false if the VU must stop. */
static bool end_iteration(struct vu *vu)
{
    double now = clock_now(), time = clock_epoch(now), started = vu->iteration_started;
    vu->iteration_started = NEVER;
    ++*vu->supply->completed;
    uint64_t sent = vu->bytes_sent, received = vu->bytes_received;
    vu->bytes_sent = vu->bytes_received = 0;
    return record(vu, METRIC_DATA_SENT, (double)sent, time) &&
           record(vu, METRIC_DATA_RECEIVED, (double)received, time) &&
           record(vu, METRIC_ITERATION_DURATION, (now - started) * 1000, time) &&
           record(vu, METRIC_ITERATIONS, 1, time);
}

/* Draw a number from the machine's leases. Waits while another lease may come. Returns as `draw` does. */
static int64_t draw_leased(struct vu *vu)
{
    for (;;) {
        int64_t number = leases_draw((int64_t *)vu->supply->drawn);
        if (number >= 0) return number;
        if (number == LEASES_NO_MORE) return -1;
        double now = clock_now(), alarm = now + LEASE_EVERY;
        if (vu->stop_at != NEVER && vu->stop_at <= now) return -1;
        if (!vu_park(vu, VU_SLEEPING, vu->stop_at != NEVER && vu->stop_at < alarm ? vu->stop_at : alarm)) return -2;
    }
}

/* Draw a number. Returns -1 if none is left, -2 if the VU must stop. */
static int64_t draw(struct vu *vu)
{
    struct supply *supply = vu->supply;
    if (supply->kind == SUPPLY_ARRIVALS) {
        vu->request.size = 0;
        pack_array(&vu->request, 0);
        JSValue value = request_value(vu, OPERATION_ARRIVAL);
        int32_t is_given = 0;
        if (js_is_exception(value)) return -2;
        is_given = JS_ToBool(vu->context, value);
        JS_FreeValue(vu->context, value);
        if (is_given <= 0) return -1;
    }
    if (supply->kind == SUPPLY_PER_VU) {
        if (vu->iterations_left <= 0) return -1;
        vu->iterations_left--;
    }
    if (vu->iteration_reserved >= 0) {
        int64_t reserved = vu->iteration_reserved;
        vu->iteration_reserved = -1;
        return reserved;
    }
    if (supply->kind == SUPPLY_LEASED) return draw_leased(vu);
    int64_t number = atomic_fetch_add_explicit(supply->drawn, 1, memory_order_relaxed);
    if (number >= supply->total) {
        atomic_fetch_sub_explicit(supply->drawn, 1, memory_order_relaxed);
        return -1;
    }
    return number * supply->stride + supply->offset;
}

/* nextIteration(): begin the next iteration and return its number within the VU; undefined if there is none. On a
 * fiber. */
JSValue iterations_next(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc, (void)argv;
    struct vu *vu = vu_of(context);
    if (vu->is_aborting) return vu_throw_interrupted(vu);
    if (vu->iteration_started != NEVER && !end_iteration(vu)) return vu_throw_interrupted(vu);
    double now = clock_now();
    if (vu->pause_until > now) {
        double end = vu->stop_at != NEVER && vu->stop_at < vu->pause_until ? vu->stop_at : vu->pause_until;
        if (!vu_park(vu, VU_SLEEPING, end)) return vu_throw_interrupted(vu);
    } else if (!schedule_yield(vu)) {
        return vu_throw_interrupted(vu);
    }
    now = clock_now();
    if (vu->stop_at != NEVER && now >= vu->stop_at) return JS_UNDEFINED;
    int64_t number = draw(vu);
    if (number == -2) return vu_throw_interrupted(vu);
    if (number == -1) return JS_UNDEFINED;
    vu_allow_garbage(vu);
    ++*vu->supply->started;
    vu->iteration++;
    vu->iteration_in_scenario++;
    vu->iteration_in_test = number;
    if (vu->has_iteration_hook) {
        vu->request.size = 0;
        pack_array(&vu->request, 1);
        pack_integer(&vu->request, vu->iteration);
        JSValue value = request_value(vu, OPERATION_ITERATION);
        if (js_is_exception(value)) return value;
        JS_FreeValue(context, value);
    }
    vu->iteration_started = clock_now();
    if (vu->supply->minimum_duration > 0) vu->pause_until = vu->iteration_started + vu->supply->minimum_duration;
    return js_number((double)vu->iteration);
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Make a scenario's supply of iterations. `drawn` is the cell with the count of numbers that all processes of this
 * machine have drawn, `total` the number of iterations for this machine. An iteration's number is the drawn number
 * times `stride` plus `offset`. Of a leased supply `drawn` is the first cell of leases.c, which has the numbers.
 * `started` and `completed` are the counts of this process, whose memory must outlive
 * the supply. The last argument is the minimum duration of an iteration in seconds. Returns NULL if memory is
 * exhausted. */
CORE_API struct supply *core_supply_create(int kind, int64_t *drawn, int64_t total, int64_t stride, int64_t offset,
                                           int64_t *started, int64_t *completed, double minimum_duration)
{
    struct supply *supply = malloc(sizeof *supply);
    if (supply)
        *supply = (struct supply){(enum supply_kind)kind, (_Atomic int64_t *)drawn, total, stride, offset,
                                  started, completed, minimum_duration};
    return supply;
}

/* Let the VU draw its iterations from a supply. `left`: the maximum number of iterations, if each VU has its own
 * number. `reserved`: the number of the first iteration, if it is not negative. No iteration begins after
 * `stop_at`. */
CORE_API void core_vu_supply(int32_t index, struct supply *supply, int64_t left, int64_t reserved, double stop_at)
{
    struct vu *vu = vu_at(index);
    if (!vu) return;
    vu->supply = supply;
    vu->iterations_left = left;
    vu->iteration_reserved = reserved;
    vu->stop_at = stop_at;
}

/* Change the moment after which the VU begins no iteration. */
CORE_API void core_vu_stop_at(int32_t index, double stop_at)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->stop_at = stop_at;
}

/* Numbers of a VU's present iteration, which Python reads and writes. */
struct iteration_numbers {
    int64_t iteration, in_scenario, in_test, left;
    double started;
};

CORE_API void core_vu_numbers(int32_t index, struct iteration_numbers *numbers)
{
    const struct vu *vu = vu_at(index);
    if (vu)
        *numbers = (struct iteration_numbers){vu->iteration, vu->iteration_in_scenario, vu->iteration_in_test,
                                              vu->iterations_left, vu->iteration_started};
}

CORE_API void core_vu_set_numbers(int32_t index, const struct iteration_numbers *numbers)
{
    struct vu *vu = vu_at(index);
    if (!vu) return;
    vu->iteration = numbers->iteration;
    vu->iteration_in_scenario = numbers->in_scenario;
    vu->iteration_in_test = numbers->in_test;
    vu->iterations_left = numbers->left;
    vu->iteration_started = numbers->started;
}

/* Switch the request to Python at the start of each iteration (OPERATION_ITERATION) on or off. */
CORE_API void core_vu_iteration_hook(int32_t index, bool is_on)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->has_iteration_hook = is_on;
}

/* Take the counts of bytes sent and received since the last call. */
CORE_API void core_vu_take_bytes(int32_t index, uint64_t *sent, uint64_t *received)
{
    struct vu *vu = vu_at(index);
    *sent = vu ? vu->bytes_sent : 0;
    *received = vu ? vu->bytes_received : 0;
    if (vu) vu->bytes_sent = vu->bytes_received = 0;
}

CORE_API void core_vu_add_bytes(int32_t index, uint64_t sent, uint64_t received)
{
    struct vu *vu = vu_at(index);
    if (!vu) return;
    vu->bytes_sent += sent;
    vu->bytes_received += received;
}

/* Allow or forbid dialings by recipes (recipe.h). They are allowed while the VU has no cookies, as at first. */
CORE_API void core_vu_repeats_dials(int32_t index, bool may)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->repeats_dials = may;
}

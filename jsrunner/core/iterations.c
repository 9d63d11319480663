/* The loop over iterations.
 *
 * Theory. JavaScript's loop (worker/vu.js) asks for one iteration after the other; `nextIteration`
 * ends the one that ran (its samples, its counts), waits out minIterationDuration, lets other VUs run
 * and draws the next number from the scenario's supply. Python decides supplies, the core draws: a
 * number is one atomic addition to a cell that all worker processes map. An arrival rate's VU asks
 * Python instead, which answers when an iteration is due.
 *
 * Invariants. iteration_started is NEVER exactly between iterations. An iteration that was interrupted
 * is not ended here: Python counts it.
 */
#include "core.h"

#include "codec.h"
#include "pack.h"

#include <stdatomic.h>
#include <stdlib.h>

enum supply_kind { SUPPLY_SHARED, SUPPLY_PER_VU, SUPPLY_ARRIVALS };

/* One scenario's share of this process. The cells are in memory that all processes of the run map. */
struct supply {
    enum supply_kind kind;
    _Atomic int64_t *drawn;
    int64_t total;
    /* An iteration's number is the drawn number times stride plus offset: machines of one run interleave. */
    int64_t stride, offset;
    /* This process's own counts. */
    int64_t *started, *completed;
    double minimum_duration;
};

/* The sample of a built-in metric with the VU's own tags. */
static bool record(struct vu *vu, enum metric metric, double value, double time)
{
    return vu_record(vu, vu_tag_set(vu), (int32_t)metric, value, time);
}

/* End the iteration that ran. False if the VU is to stop. */
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

/* Draw a number; -1: there are none left; -2: the VU is to stop. */
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
    int64_t number = atomic_fetch_add_explicit(supply->drawn, 1, memory_order_relaxed);
    if (number >= supply->total) {
        atomic_fetch_sub_explicit(supply->drawn, 1, memory_order_relaxed);
        return -1;
    }
    return number * supply->stride + supply->offset;
}

/* nextIteration(): the VU's number for the iteration that begins now, undefined if there is none. On
 * a fiber. */
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

/* -- what Python calls ---------------------------------------------------------------------------- */

/* Make a scenario's supply of iterations: a kind, the cell of numbers drawn by all processes of this machine,
 * how many there are to draw, the stride and the offset that make an iteration's number of each, this process's
 * counts of started and completed iterations (whose memory outlives the supply), and the seconds that an
 * iteration takes at least. NULL: no memory. */
CORE_API struct supply *core_supply_create(int kind, int64_t *drawn, int64_t total, int64_t stride, int64_t offset,
                                           int64_t *started, int64_t *completed, double minimum_duration)
{
    struct supply *supply = malloc(sizeof *supply);
    if (supply)
        *supply = (struct supply){(enum supply_kind)kind, (_Atomic int64_t *)drawn, total, stride, offset,
                                  started, completed, minimum_duration};
    return supply;
}

/* Have the VU draw its iterations from a supply: `left` of them at the most where each VU has its own
 * number, first the one with the number `reserved` if that is not negative; none begins after
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

/* The VU goes on in its scenario until another moment. */
CORE_API void core_vu_stop_at(int32_t index, double stop_at)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->stop_at = stop_at;
}

/* Numbers of a VU's iterations, for Python to read and write. */
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

/* Switch the call of Python (OPERATION_ITERATION) at the begin of each iteration on or off. */
CORE_API void core_vu_iteration_hook(int32_t index, bool is_on)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->has_iteration_hook = is_on;
}

/* Bytes sent and received since the last time. */
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

/* Allow or forbid dialings by recipes (recipe.h): they are allowed while the VU has no cookies. */
CORE_API void core_vu_repeats_dials(int32_t index, bool may)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->repeats_dials = may;
}

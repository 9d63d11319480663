/* Shared iterations over machines: numbers that this machine has on loan.
 *
 * Theory. The iterations of a scenario have numbers. The coordinator lends each machine ranges of numbers, and takes a
 * part back for a machine that has none left. The machine's VUs draw from its ranges. The ranges are in cells of
 * memory that the machine's processes map: the worker processes draw, one process (the agent) puts and takes.
 *
 * A range is one word: its first number and its length. So an atomic exchange of the word takes numbers from the
 * range, and no number is drawn twice. Equal words mean equal ranges, so a word that returns does no harm.
 *
 * Invariants. Only the agent fills an empty cell. A VU that gets no number sets WANTED. The agent clears WANTED when it
 * puts a range.
 */
#include "leases.h"

#include "core.h"

#include <stdatomic.h>

/* Cells of a scenario (messages/board.py): the ranges come first. */
enum { RANGES = 2, WANTED = 2, NO_MORE = 3 };
/* Bits of a range's length, below those of its first number. */
enum { LENGTH_BITS = 24 };
#define LENGTH_MASK ((INT64_C(1) << LENGTH_BITS) - 1)

typedef _Atomic int64_t cell;

int64_t leases_draw(int64_t *memory)
{
    cell *cells = (cell *)memory;
    /* Read before the ranges, because no range is put after it is set. */
    int64_t no_more = atomic_load(&cells[NO_MORE]);
    for (int i = 0; i < RANGES; i++) {
        int64_t range = atomic_load(&cells[i]);
        while (range & LENGTH_MASK)
            if (atomic_compare_exchange_weak(&cells[i], &range, range + LENGTH_MASK)) return range >> LENGTH_BITS;
    }
    if (no_more) return LEASES_NO_MORE;
    atomic_store(&cells[WANTED], 1);
    return LEASES_NONE_YET;
}

/* -- functions for the agent ------------------------------------------------------------------------ */

/* Put a range of at most 2^24 - 1 numbers below 2^39 into an empty cell. Returns false if there is none. */
CORE_API bool core_leases_put(int64_t *memory, int64_t first, int64_t count)
{
    cell *cells = (cell *)memory;
    for (int i = 0; i < RANGES; i++) {
        if (atomic_load(&cells[i]) & LENGTH_MASK) continue;
        atomic_store(&cells[i], first << LENGTH_BITS | count);
        atomic_store(&cells[WANTED], 0);
        return true;
    }
    return false;
}

/* Take numbers that no VU has drawn from the end of the longer range: at most `most`, and at most half of the range,
 * rounded up. Returns their count, and sets `first` to the first of them. */
CORE_API int64_t core_leases_take(int64_t *memory, int64_t most, int64_t *first)
{
    cell *cells = (cell *)memory;
    int64_t lengths[RANGES];
    for (int i = 0; i < RANGES; i++) lengths[i] = atomic_load(&cells[i]) & LENGTH_MASK;
    cell *longer = &cells[lengths[1] > lengths[0]];
    int64_t range = atomic_load(longer), count;
    do {
        int64_t length = range & LENGTH_MASK, half = (length + 1) / 2;
        count = most < half ? most : half;
        *first = (range >> LENGTH_BITS) + length - count;
    } while (count && !atomic_compare_exchange_weak(longer, &range, range - count));
    return count;
}

/* Return the number of iterations that no VU has drawn. */
CORE_API int64_t core_leases_left(const int64_t *memory)
{
    const cell *cells = (const cell *)memory;
    int64_t left = 0;
    for (int i = 0; i < RANGES; i++) left += atomic_load(&cells[i]) & LENGTH_MASK;
    return left;
}

/* Shared iterations over machines: numbers that this machine has on loan.
 *
 * Theory. The iterations of one scenario are numbers. The coordinator lends each machine ranges of them, and takes a
 * part back for a machine that has none left. The machine's VUs draw from its ranges. All of that happens in cells of
 * memory that the machine's processes map: the worker processes draw, one process (the agent) puts and takes.
 *
 * A range is one word: its first number and its length. So numbers leave the range by one exchange of the word, and no
 * number is drawn twice. The word is all there is to know: a word that comes again means the same numbers again.
 *
 * Invariants. Only the agent fills an empty cell. A VU that gets nothing sets WANTED. The agent clears WANTED when it
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
    /* Before the ranges: once it is set, no range comes any more. */
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

/* -- what the agent calls ------------------------------------------------------------------------- */

/* Put a range of at most 2^24 - 1 numbers below 2^39 into the cells. False: they are full. */
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

/* Take numbers that nobody has drawn: at most `most`, from the end of the longer range, and of one number that one.
 * Returns how many; `first` is the first of them. */
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

/* Return how many numbers nobody has drawn yet. */
CORE_API int64_t core_leases_left(const int64_t *memory)
{
    const cell *cells = (const cell *)memory;
    int64_t left = 0;
    for (int i = 0; i < RANGES; i++) left += atomic_load(&cells[i]) & LENGTH_MASK;
    return left;
}

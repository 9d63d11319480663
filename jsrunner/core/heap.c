/* The interpreters' memory, see heap.h.
 *
 * Theory. An interpreter with jsrunner's modules has some 3,000 blocks of 75 bytes on average. The C library adds a
 * head of 8 bytes to each block and rounds sizes up to 16. Here a block's size is a multiple of 8, and a block has no
 * head: blocks of one size lie in a slab, whose head has that size. Slabs are aligned to their size, so a block's
 * address gives its slab. All slabs lie in one range of addresses. Larger blocks come from the C library, and their
 * addresses are outside of that range.
 *
 * Measured with 1,000 VUs of bench/scripts/idle.js: 41 KB less for each of them.
 *
 * Invariants.
 *  - A slab is in the list of its size exactly while it has room.
 *  - The part of a slab that was never handed out begins at `fresh`. It is not touched, so it costs no memory.
 *  - One thread only (see core.h). The watchdog leaves a fiber only inside the engine's code, so never here.
 */
#define _GNU_SOURCE
#include "heap.h"

#include "sources.h"
#include "template.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

enum {
    SLAB_BYTES = 32 << 10,
    /* Bytes of the range that are made accessible at a time. */
    STEP_BYTES = 1 << 20,
    /* Sizes of blocks: multiples of 8 up to FINE_MOST, then multiples of 64 up to COARSE_MOST. */
    FINE_MOST = 512, COARSE_MOST = 2048, FINE = 8, COARSE = 64,
    CLASS_COUNT = FINE_MOST / FINE + (COARSE_MOST - FINE_MOST) / COARSE,
    /* Maximum number of empty slabs that keep their pages. */
    EMPTY_KEPT = 64,
};
/* Size of the reserved range of addresses, which costs no memory. When it is used up, blocks come from the C library. */
#define RANGE_BYTES ((size_t)64 << 30)

struct slab {
    struct slab *next, *previous;
    /* Blocks that were freed: a list through their first words. */
    void *freed;
    char *fresh, *end;
    uint32_t block_bytes, block_count;
    unsigned class;
};

static struct slab *with_room[CLASS_COUNT];
/* The range of addresses: slabs lie from `range` to `unused`; it is accessible up to `ready` and ends at `range_end`. */
static char *range, *range_end, *unused, *ready;
static bool is_refused;
static struct slab *empty;
static size_t empty_count;

static unsigned class_of(size_t size)
{
    if (size <= FINE_MOST) return size ? (unsigned)(size - 1) / FINE : 0;
    return FINE_MOST / FINE + (unsigned)(size - 1 - FINE_MOST) / COARSE;
}

static uint32_t bytes_of(unsigned class)
{
    unsigned fine = FINE_MOST / FINE;
    return class < fine ? (class + 1) * FINE : FINE_MOST + (class - fine + 1) * COARSE;
}

static bool is_ours(const void *block) { return (size_t)((const char *)block - range) < RANGE_BYTES && range; }

static struct slab *slab_of(const void *block)
{
    return (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_BYTES - 1));
}

/* -- slabs ---------------------------------------------------------------------------------------- */

/* Reserve the addresses. Returns false if the process may not have so many; then all blocks come from the C library. */
static bool reserve(void)
{
    if (is_refused) return false;
    size_t size = RANGE_BYTES + STEP_BYTES;
    char *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        is_refused = true;
        return false;
    }
    range = (char *)(((uintptr_t)memory + STEP_BYTES - 1) & ~(uintptr_t)(STEP_BYTES - 1));
    range_end = range + RANGE_BYTES;
    unused = ready = range;
    return true;
}

static struct slab *take_slab(void)
{
    struct slab *slab = empty;
    if (slab) {
        empty = slab->next;
        empty_count--;
        return slab;
    }
    if (!range && !reserve()) return NULL;
    if (unused == ready) {
        if (ready == range_end || mprotect(ready, STEP_BYTES, PROT_READ | PROT_WRITE) != 0) return NULL;
        ready += STEP_BYTES;
    }
    slab = (struct slab *)unused;
    unused += SLAB_BYTES;
    return slab;
}

/* Put a slab at the front of its size's list, from which the next block is taken. */
static void link_slab(struct slab *slab)
{
    slab->previous = NULL;
    slab->next = with_room[slab->class];
    if (slab->next) slab->next->previous = slab;
    with_room[slab->class] = slab;
}

static void unlink_slab(struct slab *slab)
{
    if (slab->next) slab->next->previous = slab->previous;
    if (slab->previous) slab->previous->next = slab->next;
    else with_room[slab->class] = slab->next;
}

/* Take a slab for blocks of a class of sizes. Inline, because it is unused in a core built with AddressSanitizer. */
static inline bool open_slab(unsigned class)
{
    struct slab *slab = take_slab();
    if (!slab) return false;
    uint32_t bytes = bytes_of(class);
    char *first = (char *)(slab + 1);
    size_t count = (size_t)((char *)slab + SLAB_BYTES - first) / bytes;
    *slab = (struct slab){.class = class, .block_bytes = bytes, .fresh = first, .end = first + count * bytes};
    link_slab(slab);
    return true;
}

/* Close a slab whose last block was freed. */
static void close_slab(struct slab *slab)
{
    unlink_slab(slab);
    /* The first page stays: it holds the head, and with it the list of empty slabs. */
    if (empty_count >= EMPTY_KEPT) {
        enum { HEAD_BYTES = 4096 };
        madvise((char *)slab + HEAD_BYTES, SLAB_BYTES - HEAD_BYTES, MADV_DONTNEED);
    }
    slab->next = empty;
    empty = slab;
    empty_count++;
}

/* -- functions for the engine ---------------------------------------------------------------------- */

bool (*heap_has_room)(size_t bytes);

static bool lacks_room(size_t bytes) { return bytes > FINE_MOST && heap_has_room && !heap_has_room(bytes); }

static void *heap_malloc(void *opaque, size_t size)
{
    (void)opaque;
    if (template_is_open) return template_allocate(size);
    if (lacks_room(size)) return NULL;
    if (!WITH_ASAN && size <= COARSE_MOST) {
        unsigned class = class_of(size);
        struct slab *slab = with_room[class];
        if (slab || (open_slab(class) && (slab = with_room[class]))) {
            void *block = slab->freed;
            if (block) {
                memcpy(&slab->freed, block, sizeof slab->freed);
            } else {
                block = slab->fresh;
                slab->fresh += slab->block_bytes;
            }
            slab->block_count++;
            if (!slab->freed && slab->fresh == slab->end) unlink_slab(slab);
            return block;
        }
    }
    return malloc(size);
}

static void heap_free(void *opaque, void *block)
{
    (void)opaque;
    if (!is_ours(block)) {
        if (template_owns(block)) template_free(block);
        else if (!sources_own(block)) free(block);
        return;
    }
    struct slab *slab = slab_of(block);
    if (!slab->freed && slab->fresh == slab->end) link_slab(slab);
    memcpy(block, &slab->freed, sizeof slab->freed);
    slab->freed = block;
    /* The only slab of a size with room stays open, so that a block that is allocated and freed again and again does
     * not open a slab each time. */
    if (--slab->block_count == 0 && (slab->next || slab->previous)) close_slab(slab);
}

static size_t heap_usable_size(const void *block)
{
    if (is_ours(block)) return slab_of(block)->block_bytes;
    if (template_owns(block)) return template_block_bytes(block);
    return sources_own(block) ? 0 : malloc_usable_size((void *)block);
}

static void *heap_calloc(void *opaque, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    if (bytes > COARSE_MOST && !template_is_open) return lacks_room(bytes) ? NULL : calloc(count, size);
    void *block = heap_malloc(opaque, bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

static void *heap_realloc(void *opaque, void *block, size_t size)
{
    if (!block) return heap_malloc(opaque, size);
    bool is_block_ours = is_ours(block);
    if (!is_block_ours && size > COARSE_MOST && !template_owns(block)) {
        size_t before = malloc_usable_size(block);
        return size > before && lacks_room(size - before) ? NULL : realloc(block, size);
    }
    size_t had = heap_usable_size(block);
    if (is_block_ours && size <= COARSE_MOST && bytes_of(class_of(size)) == had) return block;
    void *moved = heap_malloc(opaque, size);
    if (!moved) return NULL;
    memcpy(moved, block, had < size ? had : size);
    heap_free(opaque, block);
    return moved;
}

const JSMallocFunctions heap_functions = {heap_calloc, heap_malloc, heap_free, heap_realloc, heap_usable_size};

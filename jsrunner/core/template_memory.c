/* The memory of the template, see template.h.
 *
 * Theory. While the template is made, its blocks lie one behind the other in one range of addresses, and a table has
 * their sizes. A word whose value is an address of a block is a pointer: no other word of the template has such a value
 * by chance, because its other words are small numbers, texts, and pointers to code. At the end, the blocks that are
 * still in use move to an image without gaps, in which each pointer is an offset. A copy is the image with the
 * copy's address added to each pointer. It begins at the first address of a slot, which has SLOT_BYTES addresses.
 *
 * Most of the blocks are used by no VU or by few. So the image begins with the hot blocks, by a record (template_mark).
 * Of a copy only this part is written at once. The pages behind it are written when they are accessed first
 * (template_pages.c). There the warm blocks come first, so that few pages have them. Measured with `k6/ws`: 86 of 221 KB
 * are hot.
 *
 * Invariants.
 *  - The engine keeps hashes of addresses in its shapes. In a copy they are those of the template: consistent, but
 *    unlike the hashes of new shapes. So the engine does not find some shapes again and makes others.
 *  - No Map, Set or WeakMap of the template has an object as a key: the engine finds these by their addresses.
 *  - An image exists as long as it is the template's, or has copies.
 */
#define _GNU_SOURCE
#include "template.h"

#include "bytes.h"
#include "template_image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Bytes and words that a template has at most. */
enum { MOST_BYTES = (1 << 20) - (1 << 16), MOST_WORDS = MOST_BYTES / WORD };
/* Freed blocks of up to so many words are used again while the template is made. */
enum { REUSED_WORDS = 1024 };

struct block {
    uint16_t words; /* 0: no block begins here */
    bool is_free;
    uint8_t heat; /* enum heat */
    /* The block's place in the image, in words. */
    uint32_t moved;
};

bool template_is_open;

/* While the template is made: its range of addresses, of which the first `used` bytes are blocks; a description of
 * each block, by its first word; freed blocks by their size in words, linked through their first words. */
static char *range;
static size_t used;
static struct block *blocks;
static void *freed[REUSED_WORDS + 1];
static bool is_full, is_marked;

static struct image *template;

/* The slots lie from `slots` to `unused`. Released slots are linked through their first words. */
static char *slots, *unused, *released;

/* -- making ----------------------------------------------------------------------------------------- */

static char *reserve(size_t bytes)
{
    char *memory = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Reserve the addresses of the slots, which are multiples of SLOT_BYTES. */
static bool reserve_slots(void)
{
    char *memory = slots ? NULL : reserve(RANGE_BYTES + SLOT_BYTES);
    if (memory) slots = unused = (char *)(((uintptr_t)memory + SLOT_BYTES - 1) & ~(uintptr_t)(SLOT_BYTES - 1));
    return slots != NULL;
}

bool template_memory_open(void)
{
    if (template || range || !reserve_slots()) return false;
    char *memory = reserve(MOST_BYTES);
    blocks = calloc(MOST_WORDS, sizeof *blocks);
    if (!memory || !blocks || mprotect(memory, MOST_BYTES, PROT_READ | PROT_WRITE) != 0) {
        if (memory) munmap(memory, MOST_BYTES);
        free(blocks);
        return false;
    }
    range = memory;
    used = 0;
    is_full = is_marked = false;
    memset(freed, 0, sizeof freed);
    template_is_open = true;
    return true;
}

void *template_allocate(size_t bytes)
{
    size_t words = bytes ? (bytes + WORD - 1) / WORD : 1;
    char *place = words <= REUSED_WORDS ? freed[words] : NULL;
    if (place) {
        memcpy(&freed[words], place, sizeof *freed);
        /* An old pointer behind the end of a text would make a pointer of the text's last bytes. */
        memset(place, 0, words * WORD);
    } else if (words > UINT16_MAX || MOST_BYTES - used < words * WORD) {
        is_full = true;
        return NULL;
    } else {
        place = range + used;
        used += words * WORD;
    }
    blocks[(size_t)(place - range) / WORD] = (struct block){.words = (uint16_t)words, .heat = HOT};
    return place;
}

static bool is_being_made(const void *address) { return range && (size_t)((const char *)address - range) < used; }

void template_free(void *place)
{
    if (!is_being_made(place) || (RECORDS_HEAT && is_marked)) return;
    struct block *block = &blocks[(size_t)((char *)place - range) / WORD];
    block->is_free = true;
    if (block->words > REUSED_WORDS) return;
    memcpy(place, &freed[block->words], sizeof *freed);
    freed[block->words] = place;
}

/* Return the block in use that begins at or behind a word, and that word in *at; NULL if there is none. */
static struct block *next_block(size_t *at)
{
    while (*at < used / WORD && blocks[*at].is_free) *at += blocks[*at].words;
    return *at < used / WORD ? &blocks[*at] : NULL;
}

/* Return the block in use that has the address, perhaps in its middle, or NULL. */
static struct block *block_at(const char *address)
{
    if (!is_being_made(address)) return NULL;
    size_t at = (size_t)(address - range) / WORD;
    while (!blocks[at].words) at--;
    return blocks[at].is_free ? NULL : &blocks[at];
}

uint64_t template_fingerprint(size_t *count)
{
    uint64_t hash = FNV1A_START;
    struct block *block;
    *count = 0;
    for (size_t at = 0; (block = next_block(&at)); at += block->words) {
        hash = fnv1a(hash, &block->words, sizeof block->words);
        ++*count;
    }
    return hash;
}

void template_mark(const uint8_t *heat)
{
    struct block *block;
    is_marked = true;
    if (RECORDS_HEAT) {
        /* A record numbers the blocks by their places, so further blocks must lie behind them. */
        memset(freed, 0, sizeof freed);
        return;
    }
    for (size_t at = 0; heat && (block = next_block(&at)); at += block->words) block->heat = *heat++;
}

void template_make_hot(const void *address)
{
    struct block *block = block_at(address);
    if (block) block->heat = HOT;
}

/* -- the image -------------------------------------------------------------------------------------- */

/* Give the blocks in use that have this heat their places in the image, from an offset on. Returns the end of the last
 * one. */
static size_t place_blocks(size_t from, enum heat heat)
{
    struct block *block;
    for (size_t at = 0; (block = next_block(&at)); at += block->words) {
        if (block->heat != heat) continue;
        if (RECORDS_HEAT) from = template_page_end(from);
        block->moved = (uint32_t)(from / WORD);
        from += block->words * (size_t)WORD;
    }
    return from;
}

/* Return the offset in the image of an address in a block. */
static size_t offset_of(const struct block *block, const char *address)
{
    return block->moved * (size_t)WORD + (size_t)(address - range) - (size_t)(block - blocks) * WORD;
}

/* Move the blocks in use that have this heat to their places. */
static void move_blocks(struct image *image, enum heat heat)
{
    struct block *block;
    for (size_t at = 0; (block = next_block(&at)); at += block->words) {
        if (block->heat != heat) continue;
        image->block_words[block->moved] = block->words;
        for (size_t word = 0; word < block->words; word++) {
            size_t to = (block->moved + word) * WORD;
            char *value;
            memcpy(&value, range + (at + word) * WORD, sizeof value);
            const struct block *target = block_at(value);
            uintptr_t moved = target ? offset_of(target, value) : (uintptr_t)value;
            if (target) image->pointers[image->pointer_count++] = (uint32_t)to;
            memcpy(image->bytes + to, &moved, sizeof moved);
        }
    }
}

static void free_image(struct image *image)
{
    if (!image) return;
    free(image->bytes);
    free(image->pointers);
    free(image->block_words);
    free(image);
}

static struct image *make_image(void)
{
    struct image *image = is_full || !used ? NULL : calloc(1, sizeof *image);
    if (!image) return NULL;
    image->hot_bytes = RECORDS_HEAT ? sizeof(struct copy) : place_blocks(sizeof(struct copy), HOT);
    image->size = template_page_end(image->hot_bytes);
    if (RECORDS_HEAT) image->size = place_blocks(image->size, HOT);
    image->size = place_blocks(place_blocks(image->size, WARM), COLD);
    size_t words = image->size / WORD;
    image->bytes = malloc(image->size);
    image->pointers = malloc(words * sizeof *image->pointers);
    image->block_words = calloc(words, sizeof *image->block_words);
    if (!image->bytes || !image->pointers || !image->block_words) {
        free_image(image);
        return NULL;
    }
    move_blocks(image, HOT);
    move_blocks(image, WARM);
    move_blocks(image, COLD);
    return image;
}

bool template_memory_close(void **const *roots, size_t count)
{
    template_is_open = false;
    template = make_image();
    for (size_t i = 0; i < count && template; i++) {
        const struct block *block = block_at(*roots[i]);
        if (block) *roots[i] = (void *)offset_of(block, *roots[i]);
    }
    munmap(range, MOST_BYTES);
    free(blocks);
    range = NULL;
    blocks = NULL;
    return template != NULL;
}

void template_memory_forget(void)
{
    if (!template) return;
    template->is_forgotten = true;
    if (!template->copy_count) free_image(template);
    template = NULL;
}

/* -- copies ----------------------------------------------------------------------------------------- */

static char *take_slot(void)
{
    char *slot = released;
    if (slot) {
        memcpy(&released, slot, sizeof released);
        return slot;
    }
    if ((size_t)(unused - slots) + SLOT_BYTES > RANGE_BYTES) return NULL;
    slot = unused;
    unused += SLOT_BYTES;
    return slot;
}

static void release_slot(char *slot)
{
    madvise(slot, SLOT_BYTES, MADV_DONTNEED);
    mprotect(slot + template_page_bytes(), SLOT_BYTES - template_page_bytes(), PROT_NONE);
    memcpy(slot, &released, sizeof released);
    released = slot;
}

/* Return the number of the image's pointers before an offset. */
static size_t pointers_before(const struct image *image, size_t offset)
{
    size_t low = 0, high = image->pointer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (image->pointers[middle] < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

void template_write(char *copy, const struct image *image, size_t from, size_t end)
{
    memcpy(copy + from, image->bytes + from, end - from);
    for (size_t i = pointers_before(image, from); i < image->pointer_count && image->pointers[i] < end; i++) {
        uintptr_t value;
        memcpy(&value, copy + image->pointers[i], sizeof value);
        value += (uintptr_t)copy;
        memcpy(copy + image->pointers[i], &value, sizeof value);
    }
}

char *template_copy(void)
{
    char *slot = template && template_catch_faults() ? take_slot() : NULL;
    if (!slot) return NULL;
    size_t hot = template_page_end(template->hot_bytes);
    if (mprotect(slot, hot, PROT_READ | PROT_WRITE) != 0) return NULL;
    template->copy_count++;
    madvise(slot, hot, MADV_POPULATE_WRITE); /* faster than page faults one by one */
    template_write(slot, template, sizeof(struct copy), template->hot_bytes);
    memcpy(slot, &(struct copy){.image = template}, sizeof(struct copy));
    template_begin_lazy((struct copy *)slot);
    return slot;
}

struct copy *template_copy_of(const void *address)
{
    size_t offset = (size_t)((const char *)address - slots);
    return slots && offset < (size_t)(unused - slots) ? (struct copy *)(slots + offset / SLOT_BYTES * SLOT_BYTES) : NULL;
}

void template_release(char *copy)
{
    struct image *image = ((struct copy *)copy)->image;
    template_end_lazy((struct copy *)copy);
    release_slot(copy);
    if (!--image->copy_count && image->is_forgotten) free_image(image);
}

/* -- for the heap ----------------------------------------------------------------------------------- */

bool template_owns(const void *block)
{
    return (slots && (size_t)((const char *)block - slots) < RANGE_BYTES) || is_being_made(block);
}

size_t template_block_bytes(const void *block)
{
    if (is_being_made(block)) return blocks[(size_t)((const char *)block - range) / WORD].words * (size_t)WORD;
    const struct copy *copy = template_copy_of(block);
    return copy->image->block_words[((const char *)block - (const char *)copy) / WORD] * (size_t)WORD;
}

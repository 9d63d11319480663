/* The memory of the template, see template.h.
 *
 * Theory. While the template is made, its blocks lie one behind the other in one range of addresses, and a table has
 * their sizes. A word whose value is an address of a block is a pointer: no other word of the template has such a value
 * by chance, because its other words are small numbers, texts, and pointers to code. At the end, the blocks that are
 * still in use move to an image without gaps, in which each pointer is an offset. A copy is the image with the
 * copy's address added to each pointer.
 *
 * Each copy has a slot of SLOT_BYTES addresses. Its first word tells whose copy it is, and the image is behind that.
 *
 * Invariants.
 *  - The engine keeps hashes of addresses in its shapes. In a copy they are those of the template: consistent, but
 *    unlike the hashes of new shapes. So the engine does not find some shapes again and makes others.
 *  - No Map, Set or WeakMap of the template has an object as a key: the engine finds these by their addresses.
 *  - An image exists as long as it is the template's, or has copies.
 */
#define _GNU_SOURCE
#include "template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { WORD = 8, SLOT_BYTES = 1 << 20, SLOTS_AT_ONCE = 8 };
/* Bytes and words that a template has at most. */
enum { MOST_BYTES = SLOT_BYTES - WORD, MOST_WORDS = MOST_BYTES / WORD };
/* Freed blocks of up to so many words are used again while the template is made. */
enum { REUSED_WORDS = 1024 };
/* Size of the range of addresses for copies, which costs no memory. */
#define RANGE_BYTES ((size_t)64 << 30)

struct block {
    uint16_t words; /* 0: no block begins here */
    bool is_free;
    /* The block's place in the image, in words. */
    uint32_t moved;
};

struct image {
    char *bytes;
    size_t size;
    /* Offsets of the pointers. */
    uint32_t *pointers;
    size_t pointer_count;
    /* The size in words of each block, by its first word. */
    uint16_t *block_words;
    size_t copy_count;
    bool is_forgotten;
};

bool template_is_open;

/* While the template is made: its range of addresses, of which the first `used` bytes are blocks; a description of
 * each block, by its first word; freed blocks by their size in words, linked through their first words. */
static char *range;
static size_t used;
static struct block *blocks;
static void *freed[REUSED_WORDS + 1];
static bool is_full;

static struct image *template;

/* The slots lie from `slots` to `unused`, which is accessible up to `ready`. Released slots are linked through their
 * first words. */
static char *slots, *unused, *ready, *released;

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
    if (memory) slots = unused = ready = (char *)(((uintptr_t)memory + SLOT_BYTES - 1) & ~(uintptr_t)(SLOT_BYTES - 1));
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
    is_full = false;
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
    blocks[(size_t)(place - range) / WORD] = (struct block){.words = (uint16_t)words};
    return place;
}

static bool is_being_made(const void *address) { return range && (size_t)((const char *)address - range) < used; }

void template_free(void *place)
{
    if (!is_being_made(place)) return;
    struct block *block = &blocks[(size_t)((char *)place - range) / WORD];
    block->is_free = true;
    if (block->words > REUSED_WORDS) return;
    memcpy(place, &freed[block->words], sizeof *freed);
    freed[block->words] = place;
}

/* -- the image -------------------------------------------------------------------------------------- */

/* Return the block in use that has the address, perhaps in its middle, or NULL. */
static struct block *block_at(const char *address)
{
    if (!is_being_made(address)) return NULL;
    size_t at = (size_t)(address - range) / WORD;
    while (!blocks[at].words) at--;
    return blocks[at].is_free ? NULL : &blocks[at];
}

/* Give the blocks in use their places in the image. Returns the image's size. */
static size_t place_blocks(void)
{
    size_t at = 0;
    for (size_t i = 0; i < used / WORD; i += blocks[i].words) {
        if (blocks[i].is_free) continue;
        blocks[i].moved = (uint32_t)at;
        at += blocks[i].words;
    }
    return at * WORD;
}

/* Return the offset in the image of an address in a block. */
static size_t offset_of(const struct block *block, const char *address)
{
    return block->moved * (size_t)WORD + (size_t)(address - range) - (size_t)(block - blocks) * WORD;
}

static void move_blocks(struct image *image)
{
    for (size_t i = 0; i < used / WORD; i += blocks[i].words) {
        if (blocks[i].is_free) continue;
        image->block_words[blocks[i].moved] = blocks[i].words;
        for (size_t word = 0; word < blocks[i].words; word++) {
            size_t to = (blocks[i].moved + word) * WORD;
            char *value;
            memcpy(&value, range + (i + word) * WORD, sizeof value);
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
    image->size = place_blocks();
    size_t words = image->size / WORD;
    image->bytes = malloc(image->size);
    image->pointers = malloc(words * sizeof *image->pointers);
    image->block_words = calloc(words, sizeof *image->block_words);
    if (!image->bytes || !image->pointers || !image->block_words) {
        free_image(image);
        return NULL;
    }
    move_blocks(image);
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
    if (unused == ready) {
        size_t step = (size_t)SLOTS_AT_ONCE * SLOT_BYTES;
        if ((size_t)(ready - slots) + step > RANGE_BYTES) return NULL;
        if (mprotect(ready, step, PROT_READ | PROT_WRITE) != 0) return NULL;
        ready += step;
    }
    slot = unused;
    unused += SLOT_BYTES;
    return slot;
}

char *template_copy(void)
{
    char *slot = template ? take_slot() : NULL;
    if (!slot) return NULL;
    template->copy_count++;
    madvise(slot, WORD + template->size, MADV_POPULATE_WRITE); /* 15 us less than page faults one by one */
    memcpy(slot, &template, WORD);
    char *copy = slot + WORD;
    memcpy(copy, template->bytes, template->size);
    for (size_t i = 0; i < template->pointer_count; i++) {
        uintptr_t value;
        memcpy(&value, copy + template->pointers[i], sizeof value);
        value += (uintptr_t)copy;
        memcpy(copy + template->pointers[i], &value, sizeof value);
    }
    return copy;
}

/* Return the image of which the slot has a copy. */
static struct image *image_of(const char *slot)
{
    struct image *image;
    memcpy(&image, slot, sizeof image);
    return image;
}

void template_release(char *copy)
{
    char *slot = copy - WORD;
    struct image *image = image_of(slot);
    madvise(slot, WORD + image->size, MADV_DONTNEED);
    memcpy(slot, &released, sizeof released);
    released = slot;
    if (!--image->copy_count && image->is_forgotten) free_image(image);
}

bool template_owns(const void *block)
{
    return (slots && (size_t)((const char *)block - slots) < RANGE_BYTES) || is_being_made(block);
}

size_t template_block_bytes(const void *block)
{
    if (is_being_made(block)) return blocks[(size_t)((const char *)block - range) / WORD].words * (size_t)WORD;
    uintptr_t slot = (uintptr_t)block & ~(uintptr_t)(SLOT_BYTES - 1);
    size_t word = ((uintptr_t)block - slot) / WORD - 1;
    return image_of((const char *)slot)->block_words[word] * (size_t)WORD;
}

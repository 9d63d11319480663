/* The image of the template and its copies: between template_memory.c, which makes them, and template_pages.c, which
 * writes pages of copies when they are needed. */
#ifndef JSRUNNER_TEMPLATE_IMAGE_H
#define JSRUNNER_TEMPLATE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A core that is compiled with RECORD_HEAT records which blocks VUs use (scripts/record_heat.py). There each block has
 * pages of its own, none is hot, and a block that is freed after template_mark keeps its place. */
#ifdef RECORD_HEAT
enum { RECORDS_HEAT = 1, SLOT_BYTES = 64 << 20 };
#else
enum { RECORDS_HEAT = 0, SLOT_BYTES = 1 << 20 };
#endif

enum { WORD = 8 };
/* Size of the range of addresses for copies, which costs no memory. */
#define RANGE_BYTES ((size_t)64 << 30)

struct image {
    char *bytes;
    /* Size of the whole, and of the hot part at its beginning. The cold part begins with the next page. */
    size_t size, hot_bytes;
    /* Offsets of the pointers, in order. */
    uint32_t *pointers;
    size_t pointer_count;
    /* The size in words of each block, by its first word. */
    uint16_t *block_words;
    size_t copy_count;
    bool is_forgotten;
};

/* The first words of a copy. */
struct copy {
    struct image *image;
    /* Ranges of pages with different rights that it takes. */
    uint32_t range_count;
    /* The pages of the cold part that are written, a bit for each page. */
    uint64_t written[SLOT_BYTES / 4096 / 64];
};

/* Write a part of a copy, as the template has it. */
void template_write(char *copy, const struct image *, size_t from, size_t end);

/* Return the copy in whose slot an address lies, NULL if it lies in none. */
struct copy *template_copy_of(const void *address);

/* template_pages.c */
size_t template_page_bytes(void);
/* Return the first multiple of the size of a page that is not smaller. */
size_t template_page_end(size_t bytes);
/* Write the pages of copies' cold parts from now on, when they are accessed. Returns false if the system refuses. */
bool template_catch_faults(void);
/* Begin and end to have a copy's cold part written so. */
void template_begin_lazy(struct copy *);
void template_end_lazy(struct copy *);

#endif

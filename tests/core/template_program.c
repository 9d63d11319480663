/* Makes templates of random blocks that point to one another, of random heat, and compares their copies with what was
 * written. */
#define _GNU_SOURCE
#include "template.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

enum { BLOCKS = 600, STEPS = 20000, WORDS_MOST = 40, COPIES = 30 };

/* What a word of a block must have: a number, or the place of another block's word. */
struct word { int block, at; uint64_t number; };
static struct { uint64_t *at; size_t size, words; struct word *words_of; } blocks[BLOCKS];
static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

#define CHECK(condition) do { if (!(condition)) { printf("line %d: " #condition "\n", __LINE__); exit(1); } } while (0)

static void fill(int i, size_t size)
{
    blocks[i].size = size;
    blocks[i].words = size / 8;
    blocks[i].words_of = calloc(blocks[i].words + 1, sizeof(struct word));
    for (size_t k = 0; k < blocks[i].words; k++) {
        blocks[i].words_of[k] = (struct word){-1, 0, (uint64_t)draw(1 << 20) << draw(30)};
        blocks[i].at[k] = blocks[i].words_of[k].number;
    }
}

/* Point some words to others. All blocks exist now. */
static void link_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        for (size_t k = 0; blocks[i].at && k < blocks[i].words; k++) {
            int target = (int)draw(BLOCKS);
            if (draw(3) || !blocks[target].at || !blocks[target].words) continue;
            int at = (int)draw((uint32_t)blocks[target].words);
            blocks[i].words_of[k] = (struct word){target, at, 0};
            blocks[i].at[k] = (uint64_t)(uintptr_t)(blocks[target].at + at);
        }
}

static void check_copy(char *copy, const size_t *offsets)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (!blocks[i].at) continue;
        uint64_t *block = (uint64_t *)(copy + offsets[i]);
        CHECK(template_owns(block));
        size_t bytes = template_block_bytes(block);
        CHECK(bytes >= blocks[i].size && bytes < blocks[i].size + 8 + !blocks[i].size);
        for (size_t k = 0; k < blocks[i].words; k++) {
            struct word word = blocks[i].words_of[k];
            uint64_t expected = word.number;
            if (word.block >= 0) expected = (uint64_t)(uintptr_t)((uint64_t *)(copy + offsets[word.block]) + word.at);
            CHECK(block[k] == expected);
        }
    }
}

static void try_once(uint32_t number)
{
    seed = number;
    CHECK(template_memory_open() && template_is_open && !template_memory_open());
    for (int step = 0; step < STEPS; step++) {
        int i = (int)draw(BLOCKS);
        size_t size = draw(number % 4 ? 1000 : 20) ? draw(WORDS_MOST * 8) : draw(20000);
        if (blocks[i].at) {
            template_free(blocks[i].at);
            free(blocks[i].words_of);
            blocks[i].at = NULL;
        } else if (step < STEPS / 4 || draw(2)) {
            blocks[i].at = template_allocate(size);
            if (!blocks[i].at) break;
            CHECK(template_block_bytes(blocks[i].at) >= size);
            fill(i, size);
        }
    }
    link_blocks();
    static size_t offsets[BLOCKS];
    static void *roots[BLOCKS];
    static void **places[BLOCKS];
    int live = 0;
    for (int i = 0; i < BLOCKS; i++) {
        roots[i] = blocks[i].at;
        places[i] = &roots[i];
        live += blocks[i].at != NULL;
    }
    size_t count;
    CHECK(template_fingerprint(&count) && count == (size_t)live);
    if (number % 2) {
        uint8_t *heat = malloc(count);
        for (size_t i = 0; i < count; i++) heat[i] = (uint8_t)draw(3);
        template_mark(heat);
        free(heat);
    }
    bool is_made = template_memory_close(places, BLOCKS);
    CHECK(!template_is_open);
    if (!is_made) {
        CHECK(!template_copy());
        puts("full");
    } else {
        CHECK(live > 10);
        for (int i = 0; i < BLOCKS; i++) offsets[i] = (size_t)roots[i];
        char *copies[COPIES];
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < COPIES; i++) CHECK((copies[i] = template_copy()));
            for (int i = 0; i < COPIES; i++) check_copy(copies[i], offsets);
            if (round) template_memory_forget();
            for (int i = 0; i < COPIES; i++) {
                check_copy(copies[i], offsets);
                template_free(copies[i]); /* of no effect */
                template_release(copies[i]);
            }
        }
        CHECK(!template_copy());
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i].at) free(blocks[i].words_of);
        blocks[i].at = NULL;
    }
}

/* More copies than may have pages that are written later, and then as many ranges of pages as the system allows. */
static void try_many(void)
{
    enum { MANY = 12000, WORDS = 2048, PAGE = 4096 };
    static char *copies[MANY];
    CHECK(template_memory_open());
    void *roots[2] = {template_allocate(64), template_allocate(WORDS * 8)};
    for (uint64_t i = 0; i < WORDS; i++) ((uint64_t *)roots[1])[i] = i;
    template_mark((const uint8_t[]){HOT, COLD});
    CHECK(template_memory_close((void **const[]){&roots[0], &roots[1]}, 2));
    for (int i = 0; i < MANY; i++) CHECK((copies[i] = template_copy()));
    for (int i = 0; mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED; i++) {
    }
    for (int i = 0; i < MANY; i++)
        for (size_t word = WORDS; word--;) CHECK(((uint64_t *)(copies[i] + (size_t)roots[1]))[word] == word);
}

/* A short text in a block that has had a pointer: the rest of the pointer must not make a pointer of the text. */
static void try_text_over_pointer(void)
{
    CHECK(template_memory_open());
    char *large = template_allocate(1024), *target = large + 512;
    char *used = template_allocate(2 * sizeof target); /* its first word gets another value when it is freed */
    memcpy(used + sizeof target, &target, sizeof target);
    template_free(used);
    char *text = template_allocate(2 * sizeof target);
    CHECK(text == used);
    text[sizeof target] = 'n';
    void *root = text;
    void **const roots[] = {&root};
    CHECK(template_memory_close(roots, 1));
    char *copy = template_copy();
    CHECK(copy && copy[(size_t)root + sizeof target] == 'n');
    template_memory_forget();
    template_release(copy);
}

int main(int count, char **arguments)
{
    try_text_over_pointer();
    for (uint32_t number = 0; number < (count > 1 ? (uint32_t)atoi(arguments[1]) : 1); number++) try_once(number);
    try_many();
    puts("equal");
    return 0;
}

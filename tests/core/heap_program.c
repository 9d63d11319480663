#include "heap.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BLOCKS = 4000, STEPS = 400000, SIZE_MOST = 3000 };
static struct { unsigned char *at; size_t size; } blocks[BLOCKS];
static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void check(size_t i)
{
    if (heap_functions.usable_size(blocks[i].at) < blocks[i].size) abort();
    if ((uintptr_t)blocks[i].at % 8) abort();
    for (size_t k = 0; k < blocks[i].size; k++) if (blocks[i].at[k] != (unsigned char)i) abort();
}

static void fill(size_t i, size_t size)
{
    blocks[i].size = size;
    memset(blocks[i].at, (int)(unsigned char)i, size);
}

static void step(void)
{
    size_t i = draw(BLOCKS), size = draw(4) ? 1 + draw(200) : draw(SIZE_MOST);
    if (!blocks[i].at && draw(2)) {
        blocks[i].at = heap_functions.malloc(NULL, size);
    } else if (!blocks[i].at) {
        blocks[i].at = heap_functions.calloc(NULL, 1, size);
        for (size_t k = 0; k < size; k++) if (blocks[i].at[k]) abort();
    } else if (draw(2)) {
        check(i);
        size_t had = blocks[i].size;
        blocks[i].at = heap_functions.realloc(NULL, blocks[i].at, size);
        blocks[i].size = had < size ? had : size;
        check(i);
    } else {
        check(i);
        heap_functions.free(NULL, blocks[i].at);
        blocks[i].at = NULL;
        return;
    }
    fill(i, size);
}

static void free_all(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].at) check(i);
        heap_functions.free(NULL, blocks[i].at);
        blocks[i].at = NULL;
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) { /* no room for the range of addresses */
        struct rlimit limit = {(rlim_t)1 << 32, (rlim_t)1 << 32};
        if (setrlimit(RLIMIT_AS, &limit)) return 2;
    }
    if (heap_functions.calloc(NULL, SIZE_MAX / 2, 3)) return 3;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STEPS; i++) step();
        free_all();
    }
    /* 100 MB of small blocks, each time anew, in no more memory than they take once. */
    struct rusage before, after;
    for (int round = 0; round < 10; round++) {
        void *list = NULL;
        for (int i = 0; i < 1000000; i++) {
            void **block = heap_functions.malloc(NULL, 96 + 8 * (size_t)(round % 2));
            *block = list;
            list = block;
        }
        while (list) {
            void *next = *(void **)list;
            heap_functions.free(NULL, list);
            list = next;
        }
        if (round == 0) getrusage(RUSAGE_SELF, &before);
    }
    getrusage(RUSAGE_SELF, &after);
    printf("%s\n", after.ru_maxrss < before.ru_maxrss + (30 << 10) ? "reused" : "grown");
    return 0;
}

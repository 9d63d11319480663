/* What fuzz targets share: a check, and a main for compilers without libFuzzer.
 *
 * A target defines LLVMFuzzerTestOneInput, seeds and seed_count. The main mutates seeds for a
 * number of seconds and writes the input at hand to FUZZ_INPUT (or ./fuzz-input) when a check or a
 * sanitizer ends the process.
 */
#ifndef JSRUNNER_FUZZ_H
#define JSRUNNER_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

static inline void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

struct seed {
    const uint8_t *data;
    size_t size;
};
extern const struct seed seeds[];
extern const size_t seed_count;
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Return a copy in memory of its exact size; `from` may be NULL. The caller frees it. */
static inline uint8_t *copy_alone(const uint8_t *from, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (from && size) memcpy(copy, from, size);
    return copy;
}

#ifndef LIBFUZZER

enum { FUZZ_MAX = 4096 };
static uint8_t fuzz_input[FUZZ_MAX];
static size_t fuzz_size;
static uint64_t fuzz_random = 88172645463325252u;

/* xorshift64 */
static inline size_t below(size_t limit)
{
    fuzz_random ^= fuzz_random << 13;
    fuzz_random ^= fuzz_random >> 7;
    fuzz_random ^= fuzz_random << 17;
    return limit ? (size_t)(fuzz_random >> 11) % limit : 0;
}

/* Replace `cut` bytes at `at` by `size` others, if there is room. */
static inline void splice(size_t at, size_t cut, const uint8_t *from, size_t size)
{
    if (fuzz_size - cut + size > FUZZ_MAX) return;
    uint8_t *other = copy_alone(from, size);
    memmove(fuzz_input + at + size, fuzz_input + at + cut, fuzz_size - at - cut);
    memcpy(fuzz_input + at, other, size);
    fuzz_size += size - cut;
    free(other);
}

static inline void mutate(void)
{
    static const uint8_t edges[] = {0, 1, 0x7D, 0x7E, 0x7F, 0x80, 0x81, 0xC1, 0xED, 0xFE, 0xFF};
    size_t at = below(fuzz_size), more = below(32), from;
    const struct seed *seed = &seeds[below(seed_count)];
    uint8_t bytes[32];
    switch (below(7)) {
    case 0:
        if (fuzz_size) fuzz_input[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        if (fuzz_size) fuzz_input[at] = edges[below(sizeof edges)];
        break;
    case 2:
        if (fuzz_size) fuzz_input[at] = (uint8_t)below(256);
        break;
    case 3:
        splice(at, more < fuzz_size - at ? more : fuzz_size - at, NULL, 0);
        break;
    case 4:
        for (size_t i = 0; i < more; i++) bytes[i] = (uint8_t)below(256);
        splice(at, 0, bytes, more);
        break;
    case 5:
        from = below(seed->size);
        splice(at, 0, seed->data + from, below(seed->size - from + 1));
        break;
    case 6:
        if (more > fuzz_size - at) more = fuzz_size - at;
        splice(below(fuzz_size), 0, fuzz_input + at, more);
        break;
    }
}

/* Called by the sanitizers and by abort. */
static inline void save_input(void)
{
    const char *path = getenv("FUZZ_INPUT");
    FILE *file = fopen(path ? path : "fuzz-input", "wb");
    if (!file) return;
    fwrite(fuzz_input, 1, fuzz_size, file);
    fclose(file);
}

#if defined(__SANITIZE_ADDRESS__)
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

static inline int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 1;
    fuzz_size = fread(fuzz_input, 1, sizeof fuzz_input, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(fuzz_input, fuzz_size);
}

int main(int argc, char **argv)
{
    if (argc > 2) return run_file(argv[2]);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(save_input);
#endif
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    fuzz_random ^= (uint64_t)time(NULL) * 0x9E3779B97F4A7C15u;
    unsigned long runs = 0;
    clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    for (size_t i = 0; i < seed_count || clock() < end; i++) {
        const struct seed *seed = &seeds[i % seed_count];
        fuzz_size = seed->size;
        memcpy(fuzz_input, seed->data, seed->size);
        size_t rounds = i < seed_count ? 1 : 1 + below(30);
        for (size_t round = 0; round < rounds; round++, runs++) {
            LLVMFuzzerTestOneInput(fuzz_input, fuzz_size);
            mutate();
            if (below(10) == 0) mutate();
        }
    }
    printf("%lu inputs\n", runs);
    return 0;
}

#endif
#endif

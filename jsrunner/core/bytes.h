/* A growing array of bytes.
 *
 * Invariants: size <= capacity; data is NULL exactly when capacity is 0. A zeroed struct is an
 * empty array. The owner frees it with bytes_free. No function here calls back.
 */
#ifndef JSRUNNER_BYTES_H
#define JSRUNNER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

/* Make room for `more` bytes behind the last one. The capacity at least doubles when it grows, so
 * that n appended bytes cost O(n). Return false, with the array unchanged, if memory is
 * exhausted. */
bool bytes_reserve(struct bytes *bytes, size_t more);

/* Append `size` bytes from `from`, which must not point into the array. `from` may be NULL if
 * `size` is 0. Return false, with the array unchanged, if memory is exhausted. */
bool bytes_append(struct bytes *bytes, const void *from, size_t size);

/* Append one byte. Return false, with the array unchanged, if memory is exhausted. */
bool bytes_append_byte(struct bytes *bytes, uint8_t byte);

/* Release the memory; the array is empty afterwards and can be used again. */
void bytes_free(struct bytes *bytes);

/* The first value for fnv1a. */
#define FNV1A_START 1469598103934665603u

/* Return the FNV-1a hash of `size` bytes, continued from `hash` (FNV1A_START for the first bytes). */
static inline uint64_t fnv1a(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

#endif

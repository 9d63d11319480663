#include "bytes.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 64 };

bool bytes_reserve(struct bytes *bytes, size_t more)
{
    if (more <= bytes->capacity - bytes->size) return true;
    if (more > SIZE_MAX / 2 - bytes->size) return false;
    size_t capacity = bytes->size + more;
    if (capacity < bytes->capacity * 2) capacity = bytes->capacity * 2;
    if (capacity < SMALLEST) capacity = SMALLEST;
    uint8_t *data = realloc(bytes->data, capacity);
    if (!data) return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

bool bytes_append(struct bytes *bytes, const void *from, size_t size)
{
    if (!bytes_reserve(bytes, size)) return false;
    if (size) memcpy(bytes->data + bytes->size, from, size);
    bytes->size += size;
    return true;
}

bool bytes_append_byte(struct bytes *bytes, uint8_t byte)
{
    if (!bytes_reserve(bytes, 1)) return false;
    bytes->data[bytes->size++] = byte;
    return true;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

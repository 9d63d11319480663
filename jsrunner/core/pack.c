/* MessagePack written from C, see pack.h. */
#include "pack.h"

/* Append a type byte and a big-endian number of `width` bytes. */
static bool put(struct bytes *to, uint8_t type, uint64_t number, int width)
{
    uint8_t head[9] = {type};
    for (int i = 0; i < width; i++) head[1 + i] = (uint8_t)(number >> 8 * (width - 1 - i));
    return bytes_append(to, head, 1 + (size_t)width);
}

bool pack_array(struct bytes *to, uint32_t count)
{
    return count < 16 ? bytes_append_byte(to, (uint8_t)(0x90 | count)) : put(to, 0xDD, count, 4);
}

bool pack_integer(struct bytes *to, int64_t number)
{
    return number >= 0 && number < 128 ? bytes_append_byte(to, (uint8_t)number)
                                       : put(to, 0xD3, (uint64_t)number, 8);
}

bool pack_text(struct bytes *to, const char *text, size_t size)
{
    bool is_headed = size < 32 ? bytes_append_byte(to, (uint8_t)(0xA0 | size)) : put(to, 0xDB, size, 4);
    return is_headed && bytes_append(to, text, size);
}

bool pack_binary(struct bytes *to, const uint8_t *data, size_t size)
{
    return put(to, 0xC6, size, 4) && bytes_append(to, data, size);
}

bool pack_read_binary(const uint8_t *data, size_t size, const uint8_t **binary, size_t *binary_size)
{
    if (!size || data[0] < 0xC4 || data[0] > 0xC6) return false;
    size_t width = (size_t)1 << (data[0] - 0xC4), length = 0;
    if (size < 1 + width) return false;
    for (size_t i = 0; i < width; i++) length = length << 8 | data[1 + i];
    *binary = data + 1 + width;
    *binary_size = length;
    return length <= size - 1 - width;
}

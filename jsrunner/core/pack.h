/* MessagePack written from C: the arguments of the core's own requests.
 *
 * Each function named pack_ appends a value, or the head of a value, to `to`. It returns false if memory is exhausted.
 */
#ifndef JSRUNNER_PACK_H
#define JSRUNNER_PACK_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head of an array: `count` values follow. */
bool pack_array(struct bytes *to, uint32_t count);
bool pack_integer(struct bytes *to, int64_t number);
bool pack_text(struct bytes *to, const char *text, size_t size);
/* Set `binary` to the bytes of the binary value at the front of `data`. Returns false if there is no such value. */
bool pack_read_binary(const uint8_t *data, size_t size, const uint8_t **binary, size_t *binary_size);
bool pack_binary(struct bytes *to, const uint8_t *data, size_t size);

#endif

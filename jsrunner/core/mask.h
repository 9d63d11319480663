/* Masking of a client's frames, RFC 6455, section 5.3. */
#ifndef JSRUNNER_MASK_H
#define JSRUNNER_MASK_H

#include <stddef.h>
#include <stdint.h>

/* Return four random bytes, in the order in which they lie in memory: a frame's masking key, or a part of a
 * handshake's key. The first call in a process, and then each thousandth, asks the kernel. Not thread-safe. */
uint32_t frame_mask_key(void);

/* Write `from`, masked with `key`, to `to`. `offset` is the position of `from` within the frame's
 * payload, for payloads that are masked in pieces. `to` may be `from`; otherwise they must not
 * overlap. */
void frame_mask(uint8_t *to, const uint8_t *from, size_t size, uint32_t key, size_t offset);

#endif

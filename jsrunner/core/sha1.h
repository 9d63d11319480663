/* SHA-1 (RFC 3174) and base64 (RFC 4648, section 4), as the handshake's key needs them. */
#ifndef JSRUNNER_SHA1_H
#define JSRUNNER_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_BYTES = 20 };

/* Write the hash of `size` bytes, at most SHA1_MOST, to `hash`. */
enum { SHA1_MOST = 119 };
void sha1(const uint8_t *data, size_t size, uint8_t hash[SHA1_BYTES]);

/* Write `size` bytes as base64, padded, without a NUL, to `to`, which has room for 4 * ((size + 2) / 3). */
void base64(const uint8_t *data, size_t size, char *to);

#endif

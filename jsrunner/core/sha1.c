/* SHA-1 of short texts, and base64 (see sha1.h). */
#include "sha1.h"

#include <string.h>

enum { BLOCK = 64, ROUNDS = 80, LENGTH_BYTES = 8 };

static uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* The function and the constant of a round (RFC 3174, section 5). */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) return ((b & c) | (~b & d)) + 0x5A827999;
    if (round < 40) return (b ^ c ^ d) + 0x6ED9EBA1;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    return (b ^ c ^ d) + 0xCA62C1D6;
}

static void take_block(uint32_t state[5], const uint8_t *block)
{
    uint32_t words[ROUNDS];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void sha1(const uint8_t *data, size_t size, uint8_t hash[SHA1_BYTES])
{
    uint8_t padded[2 * BLOCK] = {0};
    if (size > SHA1_MOST) size = SHA1_MOST;
    size_t blocks = size + 1 + LENGTH_BYTES <= BLOCK ? 1 : 2;
    memcpy(padded, data, size);
    padded[size] = 0x80;
    padded[blocks * BLOCK - 2] = (uint8_t)(8 * size >> 8);
    padded[blocks * BLOCK - 1] = (uint8_t)(8 * size);
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    for (size_t i = 0; i < blocks; i++) take_block(state, padded + i * BLOCK);
    for (size_t i = 0; i < SHA1_BYTES; i++) hash[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void base64(const uint8_t *data, size_t size, char *to)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3, to += 4) {
        size_t left = size - i;
        uint32_t group = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0u);
        to[0] = DIGITS[group >> 18];
        to[1] = DIGITS[group >> 12 & 63];
        to[2] = left > 1 ? DIGITS[group >> 6 & 63] : '=';
        to[3] = left > 2 ? DIGITS[group & 63] : '=';
    }
}

/* Validation proceeds by blocks of 64 ASCII bytes, by characters elsewhere, and by bytes where a piece ends within a
 * character. Only the last of these needs the state.
 *
 * Measured, gcc 12 -O3, x86-64 baseline (SSE2): 64 KB of ASCII 1.3 us, of Cyrillic 60 us. */
#include "utf8.h"

#include <string.h>

static const uint64_t HIGH_BITS = 0x8080808080808080u;

/* Return true if 64 bytes are ASCII. The fixed size lets compilers use vectors without prologues. */
static inline bool block_is_ascii(const uint8_t *bytes)
{
    uint64_t words[8], any = 0;
    memcpy(words, bytes, sizeof words);
    for (int i = 0; i < 8; i++) any |= words[i];
    return !(any & HIGH_BITS);
}

/* Return the number of ASCII bytes at the front. */
static size_t ascii_prefix(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (size - at >= 64 && block_is_ascii(bytes + at)) at += 64;
    for (uint64_t word; size - at >= 8; at += 8) {
        memcpy(&word, bytes + at, 8);
        if (word & HIGH_BITS) break;
    }
    while (at < size && bytes[at] < 0x80) at++;
    return at;
}

/* Begin a character of several bytes: set the bounds of the byte behind `byte` (RFC 3629, section 4). Returns false if
 * no character begins with `byte`. */
static inline bool begin_character(struct utf8 *text, uint8_t byte)
{
    text->low = 0x80;
    text->high = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
        text->missing = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        text->missing = 2;
        if (byte == 0xE0) text->low = 0xA0;
        if (byte == 0xED) text->high = 0x9F;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        text->missing = 3;
        if (byte == 0xF0) text->low = 0x90;
        if (byte == 0xF4) text->high = 0x8F;
    } else {
        return false;
    }
    return true;
}

/* Return the length, 2 to 4, of the character of several bytes at the front; 0 if it is invalid or incomplete. */
static inline size_t character(const uint8_t *bytes, size_t size)
{
    struct utf8 text;
    if (!begin_character(&text, bytes[0]) || size <= text.missing) return 0;
    if (bytes[1] < text.low || bytes[1] > text.high) return 0;
    for (size_t i = 2; i <= text.missing; i++)
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    return text.missing + 1u;
}

/* Take the next byte of a character. Returns false if the byte is invalid. */
static bool take_byte(struct utf8 *text, uint8_t byte)
{
    if (!text->missing) return begin_character(text, byte);
    if (byte < text->low || byte > text->high) return false;
    text->low = 0x80;
    text->high = 0xBF;
    text->missing--;
    return true;
}

bool utf8_is_ascii(const uint8_t *bytes, size_t size) { return ascii_prefix(bytes, size) == size; }

void utf8_start(struct utf8 *text) { *text = (struct utf8){.is_ascii = true, .is_valid = true}; }

bool utf8_feed(struct utf8 *text, const uint8_t *piece, size_t size)
{
    size_t at = 0, length;
    while (text->is_valid && at < size) {
        if (text->missing) {
            text->is_valid = take_byte(text, piece[at++]);
        } else if (piece[at] < 0x80) {
            at += ascii_prefix(piece + at, size - at);
        } else {
            text->is_ascii = false;
            length = character(piece + at, size - at);
            if (length)
                at += length;
            else
                text->is_valid = take_byte(text, piece[at++]);
        }
    }
    return text->is_valid;
}

size_t utf8_replace(uint8_t *to, const uint8_t *from, size_t size)
{
    size_t at = 0, written = 0;
    while (at < size) {
        size_t length =
            from[at] < 0x80 ? ascii_prefix(from + at, size - at) : character(from + at, size - at);
        if (length) {
            if (to) memcpy(to + written, from + at, length);
            written += length;
            at += length;
        } else {
            if (to) memcpy(to + written, "\xEF\xBF\xBD", 3);
            written += 3;
            at++;
        }
    }
    return written;
}

void utf8_replace_surrogates(uint8_t *text, size_t size)
{
    uint8_t *end = text + size, *at = text;
    while (size && (at = memchr(at, 0xED, (size_t)(end - at)))) {
        if (end - at >= 3 && at[1] >= 0xA0) memcpy(at, "\xEF\xBF\xBD", 3);
        at++;
    }
}

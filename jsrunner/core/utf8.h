/* UTF-8 (RFC 3629): validation of text that arrives in pieces, and replacement of what is invalid.
 *
 * A `struct utf8` validates one text. Its pieces may be cut anywhere, also within a character. The
 * text is known to be invalid at its first wrong byte, not only at its end. Surrogates (U+D800 to
 * U+DFFF), overlong sequences and code points above U+10FFFF are invalid.
 *
 * Nothing here allocates or calls back.
 */
#ifndef JSRUNNER_UTF8_H
#define JSRUNNER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct utf8 {
    uint8_t missing;   /* bytes that the last character still lacks: 0 to 3 */
    uint8_t low, high; /* bounds of the next byte, if any is missing */
    bool is_ascii;     /* no byte so far is above 0x7F */
    bool is_valid;     /* no byte so far is wrong */
};

/* Return true if no byte is above 0x7F. */
bool utf8_is_ascii(const uint8_t *bytes, size_t size);

/* Begin a text. */
void utf8_start(struct utf8 *text);

/* Validate the next piece of the text. Returns is_valid. Pieces behind an invalid piece are ignored. */
bool utf8_feed(struct utf8 *text, const uint8_t *piece, size_t size);

/* Return true if the text so far is valid and does not end within a character. */
static inline bool utf8_is_complete(const struct utf8 *text)
{ return text->is_valid && !text->missing; }

/* Write `from` to `to` with U+FFFD (3 bytes) in place of each invalid BYTE, as a conversion of Go's
 * string to runes does; Python's and the browsers' decoders replace each maximal invalid sequence.
 * Return the number of bytes written, at most 3 * size. `to` may be NULL: then only the number is
 * computed. The areas must not overlap. */
size_t utf8_replace(uint8_t *to, const uint8_t *from, size_t size);

/* Replace each surrogate that QuickJS left in a string's UTF-8 (three bytes, ED A0 80 to ED BF BF;
 * it joins pairs, so these are lone ones) by U+FFFD, in place: as Go encodes UTF-16. All else in
 * the text has to be valid. */
void utf8_replace_surrogates(uint8_t *text, size_t size);

#endif

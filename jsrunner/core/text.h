/* ASCII texts to and from JavaScript.
 *
 * Theory. The engine scans each text that comes in or goes out for bytes above 0x7F. The core has validated the texts
 * that come in, so it knows which are ASCII, and its scan of the others is faster. So the core makes and reads ASCII
 * strings itself, without the engine's functions. For this text.c has a copy of the engine's struct for the head of a
 * string. Measured (`echo-64k`): 24 us of CPU per message instead of 31.
 *
 * Invariants. text_open compares a string of text.c with one that the engine has made. If they differ, the core uses the
 * engine's functions for all texts.
 */
#ifndef JSRUNNER_TEXT_H
#define JSRUNNER_TEXT_H

#include "quickjs.h"

/* Compare a string of text.c with one of the engine, once per process. */
void text_open(JSContext *);
/* Return a string of bytes that are known to be ASCII. The caller owns it. Exception: out of memory, or too long. */
JSValue text_from_ascii(JSContext *, const uint8_t *bytes, size_t size);
/* Return the bytes of an ASCII string, and set `size` to their number. The string owns them. Returns NULL if the value
 * is no string, if it has other characters, or if its bytes are not behind its head (a slice, a rope). */
const uint8_t *text_ascii(JSValue value, size_t *size);

#endif

/* ASCII texts to and from JavaScript.
 *
 * Theory. The engine scans each text that comes in or goes out for bytes above 0x7F. The core knows this of the texts
 * that it has validated, and its own scan is faster. So ASCII texts pass by the engine's functions, and the head of its
 * strings is restated here. Measured (`echo-64k`): 24 us of CPU per message instead of 31.
 *
 * Invariants. text_open has compared the head with one that the engine made. If they differ, all texts pass through the
 * engine's functions.
 */
#ifndef JSRUNNER_TEXT_H
#define JSRUNNER_TEXT_H

#include "quickjs.h"

/* Compare this file's strings with the engine's, once per process. */
void text_open(JSContext *);
/* Return a string of bytes that are known to be ASCII. The caller owns it. Exception: out of memory, or too long. */
JSValue text_from_ascii(JSContext *, const uint8_t *bytes, size_t size);
/* Return the bytes of an ASCII string and set their number, or NULL if the value is no such string or keeps its bytes
 * in another way (a slice, a rope). They belong to the string. */
const uint8_t *text_ascii(JSValue value, size_t *size);

#endif

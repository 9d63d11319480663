/* The interpreters' memory: blocks without heads, in slabs that all VUs of the process share.
 *
 * Ownership: the engine's. It must not be used by two threads.
 */
#ifndef JSRUNNER_HEAP_H
#define JSRUNNER_HEAP_H

#include "quickjs.h"

/* For JS_NewRuntime2. */
extern const JSMallocFunctions heap_functions;
/* Returns false if the running interpreter may not have so many bytes more. Called for blocks of more than 512 bytes, unless
 * it is NULL. Set by interpreter.c. */
extern bool (*heap_has_room)(size_t bytes);

#endif

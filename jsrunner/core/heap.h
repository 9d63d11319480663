/* The interpreters' memory: blocks without heads, in slabs that all VUs of the process share.
 *
 * Ownership: the engine's. It must not be used by two threads.
 */
#ifndef JSRUNNER_HEAP_H
#define JSRUNNER_HEAP_H

#include "quickjs.h"

/* For JS_NewRuntime2. */
extern const JSMallocFunctions heap_functions;

#endif

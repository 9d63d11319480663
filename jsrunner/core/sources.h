/* The source texts of scripts' functions, which all VUs of a worker share.
 *
 * Ownership: bytecode that is kept here is the process's, until sources_forget. The engine owns the functions that refer to
 * it, and "frees" their texts without effect.
 */
#ifndef JSRUNNER_SOURCES_H
#define JSRUNNER_SOURCES_H

#include "quickjs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The texts in a module's bytecode, in the order of its functions. To begin with: all zeros. */
struct sources {
    uint32_t *places;
    size_t count;
    bool is_known, is_refused;
};

/* Return a copy of a module's bytecode for sources_share, NULL if there is no room. */
uint8_t *sources_keep(const uint8_t *bytecode, size_t size);
/* Have the functions of a module that was just read from kept bytecode refer to their texts there, in place of copies. */
void sources_share(JSContext *, JSModuleDef *, const uint8_t *bytecode, size_t size, struct sources *);
/* Return true if the address is in kept bytecode. */
bool sources_own(const void *address);
void sources_free(struct sources *);
/* Forget all kept bytecode. Functions that refer to it may be freed afterwards, but not shown as texts. */
void sources_forget(void);

#endif

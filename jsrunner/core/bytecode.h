/* Bytecode of modules as JS_WriteObject writes it.
 *
 * Ownership: the caller owns the result, an array of bytes. No function here calls the engine.
 */
#ifndef JSRUNNER_BYTECODE_H
#define JSRUNNER_BYTECODE_H

#include "bytes.h"

/* Append a module's bytecode without the names of variables. Returns false if the bytecode has a value of an unknown
 * kind, or if memory is exhausted; `to` may then have a part of the bytecode. */
bool bytecode_strip_names(struct bytes *to, const uint8_t *bytecode, size_t size);

#endif

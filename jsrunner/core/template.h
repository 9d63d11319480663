/* The memory of the template, the interpreter as whose copies the VUs' interpreters begin (template.c).
 *
 * One template per process. Ownership: the engine's, as that of the heap, through which it allocates and frees.
 */
#ifndef JSRUNNER_TEMPLATE_H
#define JSRUNNER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many VUs use a block: few or none, some, most. */
enum heat { COLD, WARM, HOT };

/* True while the template is made: the heap then takes all blocks from here. */
extern bool template_is_open;

/* Begin to make the template. Returns false if there is one, or no memory for it. */
bool template_memory_open(void);
/* Return a hash of the sizes of the blocks that are in use, in the order of their addresses, and their number. */
uint64_t template_fingerprint(size_t *count);
/* Set the heat (enum heat) of the blocks that are in use; NULL: all are hot. Blocks made afterwards are hot. */
void template_mark(const uint8_t *heat);
/* Make the block of an address hot. */
void template_make_hot(const void *address);
/* End it: keep its blocks for copies. The template itself is gone; `roots`, pointers to its blocks, become the blocks'
 * offsets in a copy. Returns false if there is no memory for it. */
bool template_memory_close(void **const *roots, size_t count);
/* Forget the template. Its copies stay. */
void template_memory_forget(void);

/* Return a copy of the template, NULL if there is no memory for it. The caller owns it. */
char *template_copy(void);
void template_release(char *copy);
/* Write all pages of a copy, which are about to be accessed. */
void template_complete(char *copy);

/* For the heap. Blocks of a copy that are freed are not used again. */
void *template_allocate(size_t bytes);
void template_free(void *block);
bool template_owns(const void *block);
size_t template_block_bytes(const void *block);

#endif

/* The memory of the template, the interpreter as whose copies the VUs' interpreters begin (template.c).
 *
 * One template per process. Ownership: the engine's, as that of the heap, through which it allocates and frees.
 */
#ifndef JSRUNNER_TEMPLATE_H
#define JSRUNNER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* True while the template is made: the heap then takes all blocks from here. */
extern bool template_is_open;

/* Begin to make the template. Returns false if there is one, or no memory for it. */
bool template_memory_open(void);
/* End it: keep its blocks for copies. The template itself is gone; `roots`, pointers to its blocks, become the blocks'
 * offsets in a copy. Returns false if there is no memory for it. */
bool template_memory_close(void **const *roots, size_t count);
/* Forget the template. Its copies stay. */
void template_memory_forget(void);

/* Return a copy of the template, NULL if there is no memory for it. The caller owns it. */
char *template_copy(void);
void template_release(char *copy);

/* For the heap. Blocks of a copy that are freed are not used again. */
void *template_allocate(size_t bytes);
void template_free(void *block);
bool template_owns(const void *block);
size_t template_block_bytes(const void *block);

#endif

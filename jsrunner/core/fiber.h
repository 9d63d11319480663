/* Fibers: stacks of their own on one thread, switched by hand.
 *
 * Theory. A fiber is a C stack with a saved stack pointer. Whoever calls fiber_resume runs the fiber
 * until it calls fiber_suspend; both are a dozen instructions (28 ns for the pair), because only the
 * callee-saved registers of the platform's C ABI have to be kept.
 *
 * Invariants.
 *  - Fibers never resume each other: fiber_resume is called on the thread's own stack only, so one
 *    saved pointer (`main_stack`) is enough.
 *  - The stack is virtual memory, touched page by page as it grows; the page below it is never
 *    accessible, so an overflow is a fault at a known address and not silent corruption. (QuickJS
 *    checks its own limit before that, see interpreter.c.)
 *  - A fiber's function never returns; the owner frees a fiber only while it is suspended.
 */
#ifndef JSRUNNER_FIBER_H
#define JSRUNNER_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct fiber {
    void *stack_pointer;
    /* The mapping: a guard page, then the stack. */
    char *memory;
    size_t memory_size;
    void (*entry)(void *);
    void *argument;
    /* AddressSanitizer's record of the stack; unused without it. */
    void *fake_stack;
};

/* Map a stack of `stack_size` bytes. The first resume calls entry(argument). Returns false if memory is exhausted. */
bool fiber_create(struct fiber *, size_t stack_size, void (*entry)(void *), void *argument);

/* Drop the calls of a suspended fiber without returning from them. The next resume calls its entry again. */
void fiber_restart(struct fiber *);

/* Unmap the stack of a suspended (or never resumed) fiber. */
void fiber_destroy(struct fiber *);

/* Run the fiber until it suspends. Called on the thread's own stack. */
void fiber_resume(struct fiber *);

/* Return to whoever resumed the fiber. Called on the fiber. */
void fiber_suspend(struct fiber *);

/* Return the pages of a suspended fiber's stack below its present depth to the system. */
void fiber_trim(struct fiber *);

#endif

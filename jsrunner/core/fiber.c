/* Fibers, see fiber.h. The switch is assembly for x86-64 and AArch64 (System V and AAPCS64). */
#define _GNU_SOURCE
#include "fiber.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* Save the callee-saved registers on this stack, its pointer in *save, and go on at `to`. */
void jsrunner_fiber_switch(void **save, void *to);
void jsrunner_fiber_start(void);

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl jsrunner_fiber_switch\n.hidden jsrunner_fiber_switch\n"
        ".type jsrunner_fiber_switch,@function\n"
        "jsrunner_fiber_switch:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
        ".globl jsrunner_fiber_start\n.hidden jsrunner_fiber_start\n"
        ".type jsrunner_fiber_start,@function\n"
        "jsrunner_fiber_start:\nmovq %r12,%rdi\nxorl %ebp,%ebp\ncallq *%r13\nud2\n");
enum { SAVED_WORDS = 9, ARGUMENT_WORD = 3, ENTRY_WORD = 2, RETURN_WORD = 6 };
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl jsrunner_fiber_switch\n.hidden jsrunner_fiber_switch\n.p2align 2\n"
        ".type jsrunner_fiber_switch,%function\n"
        "jsrunner_fiber_switch:\n"
        "sub sp,sp,#160\nstp x19,x20,[sp]\nstp x21,x22,[sp,#16]\nstp x23,x24,[sp,#32]\n"
        "stp x25,x26,[sp,#48]\nstp x27,x28,[sp,#64]\nstp x29,x30,[sp,#80]\nstp d8,d9,[sp,#96]\n"
        "stp d10,d11,[sp,#112]\nstp d12,d13,[sp,#128]\nstp d14,d15,[sp,#144]\n"
        "mov x9,sp\nstr x9,[x0]\nmov sp,x1\n"
        "ldp x19,x20,[sp]\nldp x21,x22,[sp,#16]\nldp x23,x24,[sp,#32]\nldp x25,x26,[sp,#48]\n"
        "ldp x27,x28,[sp,#64]\nldp x29,x30,[sp,#80]\nldp d8,d9,[sp,#96]\nldp d10,d11,[sp,#112]\n"
        "ldp d12,d13,[sp,#128]\nldp d14,d15,[sp,#144]\nadd sp,sp,#160\nret\n"
        ".globl jsrunner_fiber_start\n.hidden jsrunner_fiber_start\n.p2align 2\n"
        ".type jsrunner_fiber_start,%function\n"
        "jsrunner_fiber_start:\nmov x0,x19\nmov x29,xzr\nblr x20\nbrk #0\n");
enum { SAVED_WORDS = 20, ARGUMENT_WORD = 0, ENTRY_WORD = 1, RETURN_WORD = 11 };
#else
#error "fibers are written for x86-64 and AArch64"
#endif

enum { GUARD_BYTES = 65536 };

/* The stack pointer of the thread's own stack while a fiber runs. */
static void *main_stack;

#ifdef WITH_ASAN
static const void *main_bottom;
static size_t main_size;

static void enter(void *argument)
{
    struct fiber *fiber = argument;
    __sanitizer_finish_switch_fiber(NULL, &main_bottom, &main_size);
    fiber->entry(fiber->argument);
}
#else
static void enter(void *argument)
{
    struct fiber *fiber = argument;
    fiber->entry(fiber->argument);
}
#endif

bool fiber_create(struct fiber *fiber, size_t stack_size, void (*entry)(void *), void *argument)
{
    size_t size = stack_size + GUARD_BYTES;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return false;
    if (mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(memory, size);
        return false;
    }
    *fiber = (struct fiber){
        .memory = memory,
        .memory_size = size,
        .entry = entry,
        .argument = argument,
    };
    fiber_restart(fiber);
    return true;
}

/* Clear AddressSanitizer's marks of the calls that a fiber leaves unfinished, before its stack is used again. */
static void forget_calls(struct fiber *fiber)
{
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(fiber->memory + GUARD_BYTES, fiber->memory_size - GUARD_BYTES);
#else
    (void)fiber;
#endif
}

void fiber_restart(struct fiber *fiber)
{
    forget_calls(fiber);
    /* 16-byte alignment at the entry's call: the words saved, then two more, which are never read. */
    void **top = (void **)(fiber->memory + fiber->memory_size) - 2 - SAVED_WORDS;
    memset(top, 0, SAVED_WORDS * sizeof *top);
    top[ARGUMENT_WORD] = fiber;
    top[ENTRY_WORD] = (void *)(uintptr_t)enter;
    top[RETURN_WORD] = (void *)(uintptr_t)jsrunner_fiber_start;
    fiber->stack_pointer = top;
}

void fiber_destroy(struct fiber *fiber)
{
    if (!fiber->memory) return;
    forget_calls(fiber);
    munmap(fiber->memory, fiber->memory_size);
    fiber->memory = NULL;
}

void fiber_resume(struct fiber *fiber)
{
#ifdef WITH_ASAN
    void *fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, fiber->memory + GUARD_BYTES,
                                   fiber->memory_size - GUARD_BYTES);
    jsrunner_fiber_switch(&main_stack, fiber->stack_pointer);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#else
    jsrunner_fiber_switch(&main_stack, fiber->stack_pointer);
#endif
}

void fiber_suspend(struct fiber *fiber)
{
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&fiber->fake_stack, main_bottom, main_size);
    jsrunner_fiber_switch(&fiber->stack_pointer, main_stack);
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &main_bottom, &main_size);
#else
    jsrunner_fiber_switch(&fiber->stack_pointer, main_stack);
#endif
}

void fiber_trim(struct fiber *fiber)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t bottom = (uintptr_t)fiber->memory + GUARD_BYTES;
    uintptr_t end = (uintptr_t)fiber->stack_pointer & ~(page - 1);
    if (end > bottom) madvise((void *)bottom, end - bottom, MADV_DONTNEED);
}

/* The watchdog: interruption of VUs inside slow built-in functions of the engine.
 *
 * Theory. QuickJS calls its interrupt handler (interpreter.c) after 10,000 branches and calls of JavaScript. This is
 * late if each call is a slow built-in, such as indexOf of a long string. It never happens if a built-in does not
 * end, such as indexOf of an array-like object whose length is 2^53. So a thread checks, every TICK seconds, which VU
 * runs. It has three measures, and takes each if the previous measure was not enough:
 *
 *  1. The VU has run without a pause since the last check: the thread sets the engine's countdown to the next call of
 *     the interrupt handler to its end. The handler then lets other VUs run, or interrupts the VU.
 *  2. The VU's deadline has passed: JS_SetMaxStackSize(1), as in an interruption. Built-ins that check the stack
 *     (JSON.stringify of nested values, all that call a function of the script) end at the next check.
 *  3. The VU still runs STUCK seconds after its deadline: the thread sends a signal to the main thread, whose handler
 *     switches to the main stack. The fiber is restarted. The interpreter and its memory are never used or freed again
 *     (vu_abandon). The handler does so only if the signal has interrupted the engine's own code: then no lock of the
 *     C library is held, and only the abandoned interpreter may be in an inconsistent state.
 *
 * Measured: a VU pays two stores for each resume of its fiber; the thread wakes 20 times per second.
 *
 * Why the thread may write these words. The countdown and the stack limit are aligned, and the main thread reads and
 * writes them as a whole and reads them anew at each check, so it sees the old value or the new value. If the main
 * thread writes the countdown at the same moment, the thread's value is lost, and the next check repeats it. The main
 * thread writes the limit only while the VU is not watched.
 *
 * Invariants.
 *  - The thread touches a VU and its interpreter only while it holds `lock`, and only if the VU is watched. A VU is
 *    watched from the beginning to the end of a command, and is freed with the lock held.
 *  - `suspect` names a VU and the number of its resume: the handler leaves a fiber only in the run that the thread saw.
 *  - The only function of the engine that the thread calls is JS_SetMaxStackSize, which only stores. The main thread
 *    measures the place of the countdown before it starts the thread (0.3 ms, once per process).
 */
#include "core.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

/* Seconds between two checks, and from a deadline until a fiber is left. */
static const double TICK = 0.05, STUCK = 1.0;
/* Ignored by default, and harmless if it reaches another thread. Go's runtime uses this signal for preemption, too. */
enum { SIGNAL = SIGURG };
/* The initial value of the engine's countdown (JS_INTERRUPT_COUNTER_INIT). */
enum { COUNTDOWN = 10000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never_signalled;
static pthread_t main_thread;
static bool is_started;
/* The run of a VU that the handler must leave: the VU and the number of its resume. */
static struct {
    struct vu *volatile vu;
    volatile uint64_t resume;
} suspect;
/* Addresses of the engine's code. */
static uintptr_t code_start, code_end;
/* Offset of the countdown in a context; 0 before it is measured, -1 if no countdown was seen. */
static ptrdiff_t countdown_offset;

/* -- the countdown -------------------------------------------------------------------------------- */

struct probe {
    int32_t *words;
    size_t count;
    bool *may_be;
    int calls;
};

/* Interrupt handler of the measurement. The engine sets the countdown just before it calls the handler. */
static int on_probe(JSRuntime *runtime, void *opaque)
{
    (void)runtime;
    struct probe *probe = opaque;
    for (size_t i = 0; i < probe->count; i++)
        probe->may_be[i] = (!probe->calls || probe->may_be[i]) && probe->words[i] == COUNTDOWN;
    return ++probe->calls == 3;
}

/* Find the only word of a context that equals COUNTDOWN at each call of the handler. */
static ptrdiff_t measure_countdown(void)
{
    static const char LOOP[] = "for (;;);";
    ptrdiff_t offset = -1;
    struct probe probe = {0};
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = runtime ? JS_NewContextRaw(runtime) : NULL;
    if (context) {
        probe.words = (int32_t *)context;
        probe.count = malloc_usable_size(context) / sizeof *probe.words;
        probe.may_be = calloc(probe.count + 1, sizeof *probe.may_be);
        JS_AddIntrinsicBaseObjects(context);
        JS_AddIntrinsicEval(context);
        JS_SetInterruptHandler(runtime, on_probe, &probe);
        if (probe.may_be) JS_FreeValue(context, JS_Eval(context, LOOP, sizeof LOOP - 1, "probe", JS_EVAL_TYPE_MODULE));
        JS_FreeValue(context, JS_GetException(context));
        size_t found = 0;
        for (size_t i = 0; probe.may_be && i < probe.count; i++) {
            if (!probe.may_be[i]) continue;
            offset = (ptrdiff_t)(i * sizeof *probe.words);
            found++;
        }
        if (found != 1) offset = -1;
        JS_FreeContext(context);
    }
    if (runtime) JS_FreeRuntime(runtime);
    free(probe.may_be);
    return offset;
}

/* -- the thread ----------------------------------------------------------------------------------- */

/* Trigger the interrupt handler of the running VU, and stop its calls if its deadline has passed. Returns true if the
 * deadline passed STUCK seconds ago. With the lock held. */
static bool interrupt_calls(struct vu *vu)
{
    if (countdown_offset > 0) *(volatile int32_t *)((char *)vu->context + countdown_offset) = 0;
    double deadline = vu->deadline, now = clock_now();
    if (deadline == NEVER || now < deadline) return false;
    JS_SetMaxStackSize(vu->runtime, 1);
    vu->is_overdue = true;
    return now >= deadline + STUCK;
}

/* Wait a tick, with the lock released. */
static void rest(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += (long)(TICK * 1e9);
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (pthread_cond_timedwait(&never_signalled, &lock, &end) != ETIMEDOUT) {
    }
}

static void *watch(void *argument)
{
    uint64_t seen = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        rest();
        struct vu *vu = core.running;
        uint64_t resume = core.resumes;
        bool is_same = vu && resume == seen;
        seen = resume;
        if (!is_same || vu != core.running || !vu->is_watched) continue;
        if (interrupt_calls(vu)) {
            suspect.resume = resume;
            suspect.vu = vu;
            pthread_kill(main_thread, SIGNAL);
        }
    }
    return argument;
}

/* -- the signal ----------------------------------------------------------------------------------- */

static uintptr_t program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#else
    return (uintptr_t)context->uc_mcontext.pc;
#endif
}

/* Leave the suspect's fiber. Runs on the main thread, on the main stack or on a fiber. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    struct vu *vu = suspect.vu;
    suspect.vu = NULL;
    if (!vu || vu != core.running || suspect.resume != core.resumes || !vu->is_watched) return;
    uintptr_t counter = program_counter(context);
    if (counter >= code_start && counter < code_end) fiber_suspend(&vu->fiber); /* for ever */
}

/* Search a shared object for the code segment that holds JS_Call. */
static int find_code(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size, (void)argument;
    uintptr_t wanted = (uintptr_t)JS_Call;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD || wanted < start || wanted >= start + segment->p_memsz) continue;
        code_start = start;
        code_end = start + segment->p_memsz;
        return 1;
    }
    return 0;
}

/* -- the interface -------------------------------------------------------------------------------- */

void watchdog_watch(struct vu *vu)
{
    pthread_mutex_lock(&lock);
    vu->is_watched = true;
    vu->is_overdue = false;
    pthread_mutex_unlock(&lock);
}

bool watchdog_release(struct vu *vu)
{
    pthread_mutex_lock(&lock);
    vu->is_watched = false;
    pthread_mutex_unlock(&lock);
    return vu->is_overdue;
}

void watchdog_free(struct vu *vu)
{
    pthread_mutex_lock(&lock);
    free(vu);
    pthread_mutex_unlock(&lock);
}

/* Reset the state in a forked process, which has no watchdog thread. */
static void after_fork(void)
{
    is_started = false;
    pthread_mutex_unlock(&lock);
}

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork_parent(void) { pthread_mutex_unlock(&lock); }

/* Start the watchdog of this process. To be called by the main thread. Processes that are forked later have none.
 * Returns false if the system cannot start a thread: slow built-ins then end late, or with the process. On the main
 * stack. */
CORE_API bool core_watch(void)
{
    static bool is_prepared;
    if (is_started) return true;
    if (!is_prepared) {
        is_prepared = true;
        pthread_condattr_t clock;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&never_signalled, &clock);
        pthread_condattr_destroy(&clock);
        pthread_atfork(before_fork, after_fork_parent, after_fork);
        dl_iterate_phdr(find_code, NULL);
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};
        sigaction(SIGNAL, &action, NULL);
    }
    if (!countdown_offset) countdown_offset = measure_countdown();
    main_thread = pthread_self();
    /* The thread blocks all signals, which are for the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    is_started = pthread_create(&thread, NULL, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_started) pthread_detach(thread);
    return is_started;
}

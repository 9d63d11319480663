/* The watchdog: VUs that do not come back because a built-in function of the engine takes long.
 *
 * Theory. QuickJS calls its interrupt handler (interpreter.c) after 10,000 branches and calls of JavaScript. That is
 * late where each of them is a slow built-in, such as indexOf of a long string, and never where a single
 * built-in does not end, such as indexOf of an array-like object whose length is 2^53. So a thread looks
 * every TICK which VU runs. It does three things, each when the one before was not enough:
 *
 *  1. A VU that has run since the last look without a pause: the engine's countdown to the next call of the
 *     interrupt handler is set to its end. The handler then lets other VUs run, or interrupts the VU.
 *  2. Its deadline has passed: JS_SetMaxStackSize(1), as in an interruption. Built-ins that check the stack
 *     (JSON.stringify of nested values, all that call a function of the script) end at the next check.
 *  3. It still runs STUCK seconds after its deadline: the thread sends the main thread a signal, whose handler
 *     switches back to the main stack. The fiber is begun anew, the interpreter is left as it is for ever, and
 *     its memory with it (vu_abandon). The handler does so only if the signal has met the engine's own code:
 *     then no lock of the C library is held, and nothing but the interpreter that is given up is half changed.
 *
 * Measured: the VU pays two stores for each resume of its fiber; the thread 20 wake-ups per second.
 *
 * Why the thread may write there. Both words are aligned and only ever read and written whole by the main
 * thread, which reads them anew at each check, so it sees the old value or the new. The countdown
 * is lost if the main thread writes in the same moment; the next look repeats it. The limit is written by the
 * main thread only while the VU is not watched.
 *
 * Invariants.
 *  - The thread touches a VU and its interpreter only while it holds `lock`, and only if the VU is watched. VUs
 *    are watched from the beginning to the end of a command, and are freed with the lock held.
 *  - `suspect` names a VU and its resume: the handler leaves a fiber only in the very run that was seen.
 *  - The thread never enters the engine, but for JS_SetMaxStackSize, which only stores. The main thread measures
 *    where the countdown is, before the thread is there (0.3 ms, once per process).
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

/* Seconds between two looks, and after a deadline until a fiber is left. */
static const double TICK = 0.05, STUCK = 1.0;
/* Ignored by default, and harmless if it meets another thread; Go's runtime uses it for the same. */
enum { SIGNAL = SIGURG };
/* JS_INTERRUPT_COUNTER_INIT of the engine: what its countdown begins with. */
enum { COUNTDOWN = 10000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never_signalled;
static pthread_t main_thread;
static bool is_started;
/* The run of a VU that is to be left, as the thread has seen it. */
static struct {
    struct vu *volatile vu;
    volatile uint64_t resume;
} suspect;
/* Where the engine's code is. */
static uintptr_t code_start, code_end;
/* Where in a context the countdown is; 0: not measured yet, -1: not there. */
static ptrdiff_t countdown_offset;

/* -- the countdown -------------------------------------------------------------------------------- */

struct probe {
    int32_t *words;
    size_t count;
    bool *may_be;
    int calls;
};

/* The engine has set the countdown just before it calls this. */
static int on_probe(JSRuntime *runtime, void *opaque)
{
    (void)runtime;
    struct probe *probe = opaque;
    for (size_t i = 0; i < probe->count; i++)
        probe->may_be[i] = (!probe->calls || probe->may_be[i]) && probe->words[i] == COUNTDOWN;
    return ++probe->calls == 3;
}

/* Find the one word of a context that is COUNTDOWN whenever the handler is called. */
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

/* With the lock held. Returns whether the VU has used up its patience too. */
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

/* On the main thread, on whatever stack it runs. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    struct vu *vu = suspect.vu;
    suspect.vu = NULL;
    if (!vu || vu != core.running || suspect.resume != core.resumes || !vu->is_watched) return;
    uintptr_t counter = program_counter(context);
    if (counter >= code_start && counter < code_end) fiber_suspend(&vu->fiber); /* for ever */
}

/* Look for the segment of code that holds JS_Call. */
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

/* A fork has left the thread behind. */
static void after_fork(void)
{
    is_started = false;
    pthread_mutex_unlock(&lock);
}

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork_parent(void) { pthread_mutex_unlock(&lock); }

/* Start the watchdog of this process, whose main thread calls, on the main stack. It is gone in processes that are forked
 * later. Returns false if the system has no thread to spare: slow built-ins then end late, or are killed with
 * the process. */
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
    /* Signals are for the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    is_started = pthread_create(&thread, NULL, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_started) pthread_detach(thread);
    return is_started;
}

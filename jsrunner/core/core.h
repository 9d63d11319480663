/* The core's own types: what its files share. Nothing here is for Python, which sees the functions
 * marked CORE_API only (listed in binding.py).
 *
 * The files, from the bottom up; each opens with its theory:
 *
 *   bytes, utf8, mask, frames   plain data: no engine, no system
 *   fiber, poller               the system: stacks, readiness
 *   quickjs, heap, codec        the engine's API and its memory; JavaScript values <-> MessagePack
 *   samples                     series and tag sets of the process
 *   vu                          one virtual user: parking and interruption
 *   interpreter, command        its JavaScript; what Python has it do
 *   schedule                    which VU runs next: ready queue, alarms, the turn
 *   request                     what JavaScript wants of Python
 *   modules                     how the engine gets its modules
 *   functions                   function objects that cost little memory
 *   timers, tasks               one VU's event loop
 *   iterations                  the loop over iterations
 *   metric_context              tags and metadata along asynchronous code
 *   dial, transmit, session, receive  WebSocket sessions
 *   http, http_*                HTTP exchanges
 *   watchdog                    VUs that do not come back: interrupted from another thread
 *   exports                     the module `jsrunner:core`, through which JavaScript reaches all this
 *
 * Threads: all of it runs on one thread, the one that holds Python's GIL; only watchdog.c has
 * another. Stacks: JavaScript runs on fibers, Python on the thread's own stack. So a function that is
 * marked "on a fiber" may park its VU; one that is marked "on the main stack" may resume VUs and must
 * not be called on a fiber; all others do neither.
 */
#ifndef JSRUNNER_CORE_H
#define JSRUNNER_CORE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "bytes.h"
#include "fiber.h"
#include "quickjs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_API __attribute__((visibility("default")))

/* -- time ------------------------------------------------------------------------------------- */

/* Seconds of CLOCK_MONOTONIC, which is Python's time.monotonic(). */
double clock_now(void);
/* Seconds since the epoch at a moment of clock_now(): the offset is read once per process, so that
 * times of samples never run backwards. */
double clock_epoch(double moment);
/* No moment at all. */
#define NEVER 0.0

/* -- virtual users ---------------------------------------------------------------------------- */

enum vu_state {
    VU_UNUSED,    /* no fiber */
    VU_IDLE,      /* waits for a command */
    VU_READY,     /* is in the ready queue */
    VU_RUNNING,   /* its fiber runs */
    VU_ASKING,    /* waits for Python's answer to its request */
    VU_WAITING,   /* its event loop has nothing to do: a timer, a task or a socket wakes it */
    VU_LISTENING, /* k6/ws: blocked by one session, which wakes it */
    VU_SLEEPING,  /* only time wakes it */
    VU_DRAINING,  /* waits until its session's output is written */
    VU_EXCHANGING, /* waits for an HTTP response */
};

enum metric {
    METRIC_DATA_SENT,
    METRIC_DATA_RECEIVED,
    METRIC_ITERATION_DURATION,
    METRIC_ITERATIONS,
    METRIC_CHECKS,
    METRIC_GROUP_DURATION,
    METRIC_BUILTIN_COUNT,
};

struct session;
struct http_connection;
struct timer;
struct task;
struct supply;

/* Timers by due time, then by registration: a binary heap of pointers. */
struct timers {
    struct timer **heap;
    size_t count, capacity;
    /* Open addressing from id to timer; `slots` is a power of two or 0. */
    struct timer **by_id;
    size_t slots, used;
    int32_t last_id, last_own_id;
    uint64_t last_order;
};

/* First in, first out. */
struct task_queue {
    struct task *first, *last;
};

struct listener {
    int32_t handle;
    JSValue receive;
    /* True if it still gets payloads after the iteration or stage has failed. */
    bool outlasts_failure;
};

struct rejection {
    void *promise;
    JSValue reason;
};

/* The metric context of a VU's samples: the numbers of a tag set and of metadata, -1 for none. */
struct metric_context {
    int32_t tag_set, metadata;
};

/* The contexts of async functions that wait: open addressing, `size` is a power of two or 0. */
struct contexts {
    struct context_row *rows;
    size_t size, count;
};

/* Python's answer. */
struct answer {
    int status;
    const uint8_t *data;
    size_t size;
};

enum { ANSWER_OK = 0, ANSWER_ERROR = 1 };

struct vu {
    int32_t index;
    enum vu_state state;
    struct fiber fiber;
    JSRuntime *runtime;
    JSContext *context;

    /* The command under way (see command.c). */
    const char *command;
    struct bytes command_arguments;
    struct bytes result;

    /* Interruption. `deadline`: when what runs is interrupted. */
    bool is_aborting;
    double deadline;
    /* Count of jsrunner's modules that are being loaded in the middle of a script's code. */
    int loads;
    /* By how much they have raised the limit of memory. */
    size_t loaded_bytes;
    /* The watchdog's (see watchdog.c): a command runs in the interpreter; it has stopped its calls. */
    bool is_watched, is_overdue;

    /* The ready queue, and the alarm at which the VU is woken (see schedule.c). */
    struct vu *next_ready;
    bool is_queued;
    double alarm;
    size_t alarm_slot;
    double slice_end;

    /* The request to Python. */
    uint32_t serial;
    int32_t operation;
    struct bytes request;
    struct answer answer;

    /* JavaScript's functions that C calls: entries by name; (kind, text, fields) -> Error. */
    JSValue entries;
    JSValue make_error;

    /* The event loop; `turn` counts its tasks. */
    uint64_t turn;
    struct timers timers;
    struct task_queue tasks;
    struct listener *listeners;
    size_t listener_count, listener_capacity;
    struct rejection *rejections;
    size_t rejection_count, rejection_capacity;

    /* Sessions, the newest first; the innermost that blocks (k6/ws). */
    struct session *sessions;
    struct session *blocking;
    /* Event sessions whose script may hear of them: they keep the event loop alive. */
    int32_t event_sessions;

    /* HTTP: kept connections that the core may use; the VU's requests may have cookies of its jar's. */
    struct http_connection *connections;
    bool has_cookies;

    /* What is measured. */
    int32_t tag_set;
    int32_t metadata;
    /* True if they are kept along asynchronous code (see metric_context.c), and the engine's own `then`. */
    bool tracks_contexts;
    struct contexts contexts;
    JSValue promise_then;
    uint64_t bytes_sent, bytes_received;
    /* Bytes that wait in its sessions: to be written, and as events to be delivered. */
    size_t unsent_bytes, undelivered_bytes;

    /* The iteration. */
    struct supply *supply;
    double stop_at;
    double iteration_started;
    double pause_until;
    int64_t iteration, iteration_in_scenario, iteration_in_test, iterations_left, iteration_reserved;
    bool has_iteration_hook;
    /* Dialings may go by recipes: the VU has no cookies, and Python's half of sessions. */
    bool repeats_dials;
    /* An interruption measures how long the sessions were. */
    bool measures_sessions;
};

struct core {
    struct vu **vus;
    int32_t vu_count, vu_capacity;
    /* The VU whose fiber runs, or NULL, and how many fibers were resumed so far. The watchdog's thread reads
     * them. */
    struct vu *volatile running;
    volatile uint64_t resumes;
    size_t stack_bytes, memory_bytes;
    double epoch_offset;
    bool is_polling;
};
extern struct core core;

/* The VU that an interpreter belongs to. */
static inline struct vu *vu_of(JSContext *context) { return JS_GetContextOpaque(context); }
struct vu *vu_at(int32_t index);

/* vu.c -------------------------------------------------------------------------------------------- */

/* Park the running VU in a state until something resumes it; `alarm` is the moment at which it is
 * resumed at the latest, or NEVER. On a fiber. Returns false if the VU is to stop. */
bool vu_park(struct vu *, enum vu_state, double alarm);

/* Throw what no script can catch: the VU is to stop. */
JSValue vu_throw_interrupted(struct vu *);

/* Interrupt the VU: what it runs ends uncatchably. Wakes it. On the main stack. */
void vu_abort(struct vu *);

/* Let no JavaScript function be entered any more, and every primitive refuse. */
void vu_stop_calls(struct vu *);

/* interpreter.c ----------------------------------------------------------------------------------- */

/* Make the interpreter. On the VU's fiber. Returns NULL or what is wrong. */
const char *vu_open_interpreter(struct vu *);

/* Let the interpreter look for cycles only when it has grown again; QuickJS lowers its threshold to half as much
 * again as was left. */
void vu_allow_garbage(struct vu *);

/* A module of ours is being loaded in the middle of a script's code, perhaps because stack or memory run out:
 * if that failed, it would fail for ever, as the engine remembers it. So there is more room meanwhile, and
 * nothing interrupts. */
void vu_begin_loading(struct vu *);
void vu_end_loading(struct vu *);

/* Free what the interpreter holds, and the interpreter. On the VU's fiber or while it is suspended. */
void vu_close_interpreter(struct vu *);

/* Stop the VU without touching its interpreter, which is never freed. */
void vu_leave_interpreter(struct vu *);

/* After an interruption: make the interpreter fit for the next command. False: it is of no more use. */
bool vu_recover_interpreter(struct vu *);

/* command.c --------------------------------------------------------------------------------------- */

/* The endless function of a fiber: it runs the commands of the VU `argument`. */
void vu_main(void *argument);

/* The VU was left in the middle of a built-in function: end its command without its interpreter, which is
 * never freed. On the main stack. */
void vu_abandon(struct vu *);

/* watchdog.c -------------------------------------------------------------------------------------- */

/* A command begins to run in the VU's interpreter. */
void watchdog_watch(struct vu *);
/* The command has ended. Returns whether the watchdog has stopped its calls. */
bool watchdog_release(struct vu *);
/* Free a VU's own memory. */
void watchdog_free(struct vu *);

/* schedule.c -------------------------------------------------------------------------------------- */
/* See schedule.c. */
void core_leave(void);


void schedule_ready(struct vu *);
void schedule_alarm(struct vu *, double moment);
/* Take a VU out of the ready queue and its alarm out of the heap. */
void schedule_forget(struct vu *);
/* Something was sent. */
void schedule_note_write(void);
/* Run a VU's fiber until it parks. On the main stack. */
void schedule_resume(struct vu *);
/* Return whether the running VU has used up its time slice. */
bool schedule_is_slice_over(struct vu *, double now);
/* Let other VUs run, then return. On a fiber. False if the VU is to stop. */
bool schedule_yield(struct vu *);

/* request.c --------------------------------------------------------------------------------------- */

/* Operations that the core itself asks Python for. Their names are in request.c. */
enum core_operation {
    OPERATION_DONE,      /* a command has ended */
    OPERATION_NORMALIZE, /* the name of the module that an import means */
    OPERATION_LOAD,      /* a module's source */
    OPERATION_TAGS,      /* the VU's current tags: a tag set's number */
    OPERATION_SERIES,    /* (tag set, metric): a series' number */
    OPERATION_MERGE,     /* (metric, tags): the number of the VU's tags with these over them */
    OPERATION_ITERATION, /* an iteration begins, and Python has something to do for it */
    OPERATION_ARRIVAL,   /* wait for an iteration of an arrival rate */
    OPERATION_INFLATE,   /* (session, bytes): a message's payload */
    OPERATION_DEFLATE,   /* (session, bytes): a message's payload */
    OPERATION_HEAD,      /* on the main stack: bytes of a handshake's answer, or the end of a dialing */
    OPERATION_TLS,       /* on the main stack: a TLS session's socket is ready */
    OPERATION_DRAIN,     /* on the main stack: the ring of samples is half full */
    CORE_OPERATION_COUNT,
};

/* Details of OPERATION_TLS: Python's task for a session. */
enum { POLLED_INPUT = 1, POLLED_OUTPUT = 2, POLLED_CLOSE = 3 };

/* Ask Python for an operation whose arguments are in vu->request; parks. The answer is valid until
 * the VU parks again. On a fiber. Returns false if the VU is to stop. */
bool request_ask(struct vu *, int32_t operation);

/* The same, decoded: a value, or JS_EXCEPTION for the error that Python answered with. */
JSValue request_value(struct vu *, int32_t operation);

/* JavaScript's host(name, ...arguments). */
JSValue request_host(JSContext *, JSValue self, int argc, JSValue *argv);

/* Tell Python something that concerns no fiber, of a session by its slot and generation (or of nothing): it is
 * served like a request, nobody waits. The data stays valid until Python has taken the list. */
void request_post(int32_t subject, uint32_t serial, int32_t operation, int32_t detail, const uint8_t *data,
                  size_t size);

/* Tell Python how the VU's command has ended; the result is vu->result. */
void request_done(struct vu *, int32_t status);

/* The VU's pending request is of no more interest. */
void request_withdraw(struct vu *);
bool core_define_own_operations(void);
int32_t core_define_operation(const char *name);
bool request_is_pending(void);

/* modules.c --------------------------------------------------------------------------------------- */

void modules_install(struct vu *);

/* The namespace of one of our own modules, whose name is below 100 bytes; it is loaded if it is not yet. */
JSValue modules_load(JSContext *, const char *name);

/* timers.c ---------------------------------------------------------------------------------------- */

/* The log names the first two when an iteration is interrupted; the last are ours. */
enum timer_kind { TIMER_TIMEOUT, TIMER_INTERVAL, TIMER_OWN };

struct timer {
    double due, queued, every;
    uint64_t order;
    JSValue call;
    int32_t id;
    /* Where it is in the heap; SIZE_MAX while it runs. */
    size_t place;
    enum timer_kind kind;
};

/* Have `call` called (the reference is taken over) after `delay` seconds, then after every `every`
 * seconds if that is not negative. Returns its id, 0 without memory. */
int32_t timers_add(JSRuntime *, struct timers *, JSValue call, double delay, double every,
                   enum timer_kind);
void timers_remove(JSRuntime *, struct timers *, int32_t id);
/* Call the first timer's function. An interval counts from the end of its call, or, if it is a
 * `ticker`, from its due time, missed ticks left out. Returns the function's result. On a fiber. */
JSValue timers_run_first(JSContext *, struct timers *, bool is_ticker);
static inline struct timer *timers_first(const struct timers *timers)
{
    return timers->count ? timers->heap[0] : NULL;
}
/* Append a MessagePack array of the timers' names in the log (`setTimeout 3`), by due time. */
bool timers_names(const struct timers *, struct bytes *to);
void timers_free(JSRuntime *, struct timers *);
/* Forget all timers without touching the interpreter, to which their memory belongs. */
void timers_abandon(struct timers *);

/* tasks.c ----------------------------------------------------------------------------------------- */

struct task {
    struct task *next;
    double time;
    /* One of: a session to be read; a function to be called; a payload for a listener's handle. */
    struct session *session;
    JSValue call;
    int32_t handle;
    struct bytes payload;
};

/* Put a session behind the other tasks, unless it is there already. Wakes the VU if it waits. */
void tasks_add_session(struct vu *, struct session *, double time);
/* Move the first task, a session's, behind the tasks that came before `time`. */
void tasks_postpone_session(struct vu *, double time);
void tasks_remove_session(struct vu *, struct session *);
void tasks_free(struct vu *);
/* The same without touching the interpreter. */
void tasks_leave(struct vu *);
/* Run promise jobs until none is left. On a fiber. False if the VU is to stop. */
bool tasks_drain_jobs(struct vu *);

/* samples.c --------------------------------------------------------------------------------------- */

/* Record a sample of a series at a moment of clock_epoch. */
void samples_add(int32_t series, double value, double time, int32_t metadata);
/* Return whether outputs want each sample with its own time. */
bool samples_keep_records(void);
/* `count` samples of value 1 at one time. */
void samples_add_many(int32_t series, int64_t count, double time, int32_t metadata);
/* The series of a metric in a tag set, -1 if Python has to be asked for it. */
int32_t samples_series(int32_t tag_set, int32_t metric);
/* The tag set that was derived from `base` by tags with this key, -1 if Python has to be asked. */
int32_t samples_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size);
void samples_keep_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size, int32_t tag_set);

/* The VU's tag set, asking Python where needed. On a fiber. -1 if the VU is to stop. */
int32_t vu_tag_set(struct vu *);
/* Record a sample with a tag set, asking Python for the series where needed. On a fiber. */
bool vu_record(struct vu *, int32_t tag_set, int32_t metric, double value, double time);

/* http_connection.c ------------------------------------------------------------------------------- */

/* The bit that keys of HTTP connections have in the poller. */
#define HTTP_KEY ((uint64_t)1 << 63)
/* The poller says that an HTTP connection is ready. On the main stack. */
void http_ready(uint64_t key);
/* Forget all connections of a VU: Python closes them. */
void http_forget(struct vu *);

/* session.c --------------------------------------------------------------------------------------- */

/* The poller says that a session's socket is ready. On the main stack. */
void session_ready(uint32_t slot, uint32_t generation, unsigned events);
/* Look after the sessions whose VU waits with bytes behind the message that it handles. On the main stack. */
void receive_undecoded(void);
bool receive_is_undecoded(void);
/* End all sessions of a VU: with a close frame where one may be sent. */
void session_end_all(struct vu *);
/* The same without touching the interpreter, whose objects will never free the sessions. */
void session_abandon_all(struct vu *);
/* The VU's tasks were dropped: those of its event sessions are there again. */
void session_resume_tasks(struct vu *);
/* The running VU is about to park: write what it has sent, keep what it has not decoded. */
void session_leave(struct vu *);
/* Read and dispatch one event of a session that is the first task. On a fiber. */
bool session_run_task(struct vu *, struct session *);
/* Define the class of sessions in a new interpreter. */
void session_install(struct vu *);

/* functions.c ------------------------------------------------------------------------------------- */

void functions_install(struct vu *);

/* dial.c ------------------------------------------------------------------------------------------ */

/* When the first dialing that waits is too late, NEVER if none waits. */
double dial_deadline(void);
/* End the dialings that are too late. */
void dial_expire(double now);

/* metric_context.c -------------------------------------------------------------------------------- */

/* Prepare a new interpreter for metric contexts, if the VU tracks them. Returns NULL or what is wrong. */
const char *context_install(struct vu *);
/* A function as one that is called under the metric context of now; anything else, and everything in a VU
 * that does not track contexts, as it is. The reference is the caller's; JS_EXCEPTION without memory. */
JSValue context_bind(struct vu *, JSValue function);
void contexts_free(struct vu *);
/* The same without touching the interpreter, to which the memory belongs. */
void contexts_abandon(struct vu *);

/* exports.c --------------------------------------------------------------------------------------- */

/* Make the module `jsrunner:core` known to a new interpreter. */
void exports_install(struct vu *);

#endif

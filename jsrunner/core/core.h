/* The types and functions that the core's files share. Python sees none of them: it calls only the functions
 * marked CORE_API (listed in binding.py).
 *
 * The files, from the bottom up. Each file opens with its theory.
 *
 *   bytes, utf8, mask, frames   plain data: no engine, no system
 *   fiber, poller               the system: stacks, readiness
 *   quickjs, heap, codec        the engine's API and its memory; JavaScript values <-> MessagePack
 *   samples                     series and tag sets of the process
 *   vu                          one virtual user: parking and interruption
 *   template, template_*        the interpreter as whose copies the VUs' interpreters begin
 *   interpreter, command        a VU's JavaScript interpreter; the commands of Python
 *   schedule                    the next VU to run: ready queue, alarms, turns
 *   request                     requests of JavaScript to Python
 *   modules                     loading of the engine's modules
 *   functions                   function objects that cost little memory
 *   timers, tasks               one VU's event loop
 *   leases, iterations          numbers that a machine has on loan; the loop over iterations
 *   metric_context              tags and metadata along asynchronous code
 *   dial, transmit, session, receive  WebSocket sessions
 *   http, http_*                HTTP exchanges
 *   watchdog                    interruption, from another thread, of VUs inside slow built-in functions
 *   exports                     the module `jsrunner:core`: these functions for JavaScript
 *
 * Threads: the core runs on the thread that holds Python's GIL. Only watchdog.c has another thread.
 *
 * Stacks: JavaScript runs on fibers, Python on the thread's own stack. A function marked "on a fiber" may park its VU.
 * A function marked "on the main stack" may resume VUs and must not be called on a fiber. Others do neither.
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
/* Convert a moment of clock_now() to seconds since the epoch. The offset is read once per process, so that
 * times of samples never run backwards. */
double clock_epoch(double moment);
/* The absence of a moment. */
#define NEVER 0.0

/* -- virtual users ---------------------------------------------------------------------------- */

enum vu_state {
    VU_UNUSED,    /* no fiber */
    VU_IDLE,      /* waits for a command */
    VU_READY,     /* is in the ready queue */
    VU_RUNNING,   /* its fiber runs */
    VU_ASKING,    /* waits for Python's answer to its request */
    VU_WAITING,   /* its event loop is idle; a timer, a task or a socket wakes it */
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

/* Tasks of an event loop, first in, first out. */
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

/* Python's answer to a request. Python owns `data`. */
struct answer {
    int status;
    const uint8_t *data;
    size_t size;
};

enum { ANSWER_OK = 0, ANSWER_ERROR = 1 };

enum { EVENT_PROPERTY_COUNT = 5 };

struct vu {
    int32_t index;
    enum vu_state state;
    struct fiber fiber;
    /* While the VU is parked: core_trim_parked has not seen it yet, has seen it, has trimmed its stack. */
    enum { REST_NONE, REST_SEEN, REST_TRIMMED } rest;
    JSRuntime *runtime;
    JSContext *context;
    /* The copy of the template in which the interpreter lies, or NULL. */
    char *copy;

    /* The command under way (see command.c). */
    const char *command;
    struct bytes command_arguments;
    struct bytes result;
    /* Where the script's code was interrupted, see vu_note_place. */
    struct bytes place;

    /* Interruption. `deadline`: the moment at which the command is interrupted. */
    bool is_aborting;
    double deadline;
    /* The command was ended because the interpreter has more memory than its limit. */
    bool is_exhausted;
    /* Number of jsrunner's modules that are being loaded in the middle of a script's code. */
    int loads;
    /* Bytes that those modules have added to the limit of memory. */
    size_t loaded_bytes;
    /* Number of modules that are being read from bytecode. */
    int reads;
    /* For the watchdog (watchdog.c). is_watched: a command runs in the interpreter. is_overdue: the watchdog has
     * stopped the command's calls. */
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

    /* JavaScript functions for C: the object of entries by name, and (kind, text, fields) -> Error. */
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

    /* Sessions, the newest first; the innermost session that blocks (k6/ws). */
    struct session *sessions;
    struct session *blocking;
    /* Number of event sessions that may still deliver events. They keep the event loop alive. */
    int32_t event_sessions;
    /* Sessions that Python dials. */
    int32_t dialed_by_python;
    /* The names of a message event's properties, then its type (see session_object.c). */
    JSAtom event_properties[EVENT_PROPERTY_COUNT + 1];

    /* HTTP: kept connections that the core may use. has_cookies: the VU's jar may have cookies. */
    struct http_connection *connections;
    bool has_cookies;

    /* Samples: the numbers of the current tag set and metadata. */
    int32_t tag_set;
    int32_t metadata;
    /* True if tag set and metadata follow asynchronous code (see metric_context.c). */
    bool tracks_contexts;
    struct contexts contexts;
    /* The engine's own Promise.prototype.then. */
    JSValue promise_then;
    uint64_t bytes_sent, bytes_received;
    /* Bytes in the VU's sessions: output to be written, and events to be delivered. */
    size_t unsent_bytes, undelivered_bytes;

    /* The iteration. */
    struct supply *supply;
    double stop_at;
    double iteration_started;
    double pause_until;
    int64_t iteration, iteration_in_scenario, iteration_in_test, iterations_left, iteration_reserved;
    bool has_iteration_hook;
    /* True if the VU may dial by recipes (recipe.h): it has no cookies. */
    bool repeats_dials;
    /* True if an interruption adds samples of ws_session_duration. */
    bool measures_sessions;
    /* A failed iteration's or stage's sessions are not over. As in k6, nothing is recorded then, and no sleep() waits. */
    bool is_winding_down;
};

struct core {
    struct vu **vus;
    int32_t vu_count, vu_capacity;
    /* The VU whose fiber runs, or NULL; the number of resumes so far. The watchdog's thread reads both. */
    struct vu *volatile running;
    volatile uint64_t resumes;
    size_t stack_bytes, memory_bytes;
    double epoch_offset;
    bool is_polling;
    /* Number of parked VUs for which Python works. */
    int32_t awaiting_python;
};
extern struct core core;

/* The VU that an interpreter belongs to. */
static inline struct vu *vu_of(JSContext *context) { return JS_GetContextOpaque(context); }
struct vu *vu_at(int32_t index);

/* vu.c -------------------------------------------------------------------------------------------- */

/* Park the running VU in a state until something resumes it. `alarm` is the latest moment of the resume, or
 * NEVER. Returns false if the VU must stop. On a fiber. */
bool vu_park(struct vu *, enum vu_state, double alarm);

/* Keep the place in the script's code where the VU was interrupted, if `entries.place` is a function: its result. On a
 * fiber, with no exception pending. */
void vu_note_place(struct vu *);

/* Throw an error that no script can catch, because the VU must stop. */
JSValue vu_throw_interrupted(struct vu *);

/* Interrupt the VU: its command ends with an error that no script can catch. Wakes the VU. On the main stack. */
void vu_abort(struct vu *);

/* Make every call of a JavaScript function, and every function of `jsrunner:core`, fail from now on. */
void vu_stop_calls(struct vu *);

/* interpreter.c ----------------------------------------------------------------------------------- */

/* Make the interpreter. Returns NULL, or a static text of the error. On the VU's fiber. */
const char *vu_open_interpreter(struct vu *);
/* Make the VU's interpreter a copy of the template. Returns false if that cannot be. The caller sets the pointers to
 * the VU. See template.c. */
bool template_open(struct vu *);

/* Raise the threshold at which the interpreter searches for cycles. After a search QuickJS lowers the threshold to
 * one and a half times the memory that is left, which makes small interpreters search too often. */
void vu_allow_garbage(struct vu *);

/* Begin and end to read a module from bytecode. Meanwhile memory has no limit: if it is exhausted, QuickJS-NG 0.11 frees
 * parts of the module that it has not initialised. */
void vu_begin_reading(struct vu *);
void vu_end_reading(struct vu *);

/* Begin and end the loading of a module of jsrunner's in the middle of a script's code. The script may have used
 * up its stack or memory. The engine remembers a failed module for ever, so meanwhile the VU has more stack and
 * memory, and is not interrupted. */
void vu_begin_loading(struct vu *);
void vu_end_loading(struct vu *);

/* Free the interpreter and all that it holds. On the VU's fiber or while it is suspended. */
void vu_close_interpreter(struct vu *);

/* Stop the VU without touching its interpreter, which is never freed. */
void vu_leave_interpreter(struct vu *);

/* Prepare the interpreter, after an interruption, for the next command. Returns false if it cannot be used again. */
bool vu_recover_interpreter(struct vu *);

/* command.c --------------------------------------------------------------------------------------- */

/* Run the commands of the VU `argument`. The function of each fiber; it never returns. */
void vu_main(void *argument);

/* End the command of a VU that the watchdog has left in the middle of a built-in function. The interpreter is
 * not touched and never freed. On the main stack. */
void vu_abandon(struct vu *);

/* watchdog.c -------------------------------------------------------------------------------------- */

/* Watch the VU from now on: a command begins to run in its interpreter. */
void watchdog_watch(struct vu *);
/* Stop watching: the command has ended. Returns true if the watchdog has stopped the command's calls. */
bool watchdog_release(struct vu *);
/* Free the memory of a VU, with the watchdog's lock held. */
void watchdog_free(struct vu *);

/* schedule.c -------------------------------------------------------------------------------------- */
/* See schedule.c. */
void core_leave(void);

/* Put a VU at the end of the ready queue, unless it is there. */
void schedule_ready(struct vu *);
/* Set the moment at which a parked VU is resumed at the latest. */
void schedule_alarm(struct vu *, double moment);
/* Take a VU out of the ready queue and its alarm out of the heap. */
void schedule_forget(struct vu *);
/* Note that a session has sent something, for await_more. */
void schedule_note_write(void);
/* Run a VU's fiber until it parks. On the main stack. */
void schedule_resume(struct vu *);
/* Return true if the running VU has used up its time slice. */
bool schedule_is_slice_over(struct vu *, double now);
/* Let other VUs run, then return. Returns false if the VU must stop. On a fiber. */
bool schedule_yield(struct vu *);

/* request.c --------------------------------------------------------------------------------------- */

/* Operations that the core itself requests of Python. Their names are in request.c. */
enum core_operation {
    OPERATION_DONE,      /* a command has ended */
    OPERATION_NORMALIZE, /* (base, specifier): the name of the module */
    OPERATION_LOAD,      /* a module's source */
    OPERATION_TAGS,      /* the VU's current tags: a tag set's number */
    OPERATION_SERIES,    /* (tag set, metric): a series' number */
    OPERATION_MERGE,     /* (metric, tags): the number of the tag set of the VU's tags and these */
    OPERATION_ITERATION, /* an iteration begins for which Python has a hook */
    OPERATION_ARRIVAL,   /* wait for an iteration of an arrival rate */
    OPERATION_INFLATE,   /* (session, bytes): the inflated payload of a message */
    OPERATION_DEFLATE,   /* (session, bytes): the deflated payload of a message */
    OPERATION_HEAD,      /* on the main stack: bytes of the response to a handshake, or the end of a dialing */
    OPERATION_CLOSED,    /* on the main stack: a session with permessage-deflate is over */
    OPERATION_DRAIN,     /* on the main stack: the ring of samples is half full */
    CORE_OPERATION_COUNT,
};

/* Request an operation of Python whose arguments are in vu->request, and park until its answer. vu->answer is
 * valid until the VU parks again. Returns false if the VU must stop. On a fiber. */
bool request_ask(struct vu *, int32_t operation);

/* Call request_ask and decode the answer. Returns JS_EXCEPTION if it is an error or the VU must stop. */
JSValue request_value(struct vu *, int32_t operation);

/* JavaScript's host(name, ...arguments). */
JSValue request_host(JSContext *, JSValue self, int argc, JSValue *argv);

/* Add a request to the list for which no fiber waits. `subject` and `serial` are the slot and generation of a
 * session, if the request concerns a session. `data` must stay valid until Python has taken the list. */
void request_post(int32_t subject, uint32_t serial, int32_t operation, int32_t detail, const uint8_t *data,
                  size_t size);

/* Post OPERATION_DONE with the status of the VU's command; the result is vu->result. */
void request_done(struct vu *, int32_t status);

/* Withdraw the VU's pending request: its answer will be dropped. */
void request_withdraw(struct vu *);
bool core_define_own_operations(void);
int32_t core_define_operation(const char *name);
bool request_is_pending(void);

/* modules.c --------------------------------------------------------------------------------------- */

void modules_install(struct vu *);

/* Return the namespace of a module of jsrunner's, and load the module at the first call. `name` has fewer than
 * 100 bytes. */
JSValue modules_load(JSContext *, const char *name);

/* tasks.c ----------------------------------------------------------------------------------------- */

struct task {
    struct task *next;
    double time;
    /* One of three: a session to be read; a function to be called; a payload for a listener's handle. */
    struct session *session;
    JSValue call;
    int32_t handle;
    struct bytes payload;
};

/* Append the task of a session, unless the queue has it already. Wakes the VU if it waits. */
void tasks_add_session(struct vu *, struct session *, double time);
/* Move the first task, a session's, behind the tasks that were added before `time`. */
void tasks_postpone_session(struct vu *, double time);
void tasks_remove_session(struct vu *, struct session *);
void tasks_free(struct vu *);
/* Forget all tasks as tasks_free does, without touching the interpreter. */
void tasks_leave(struct vu *);
/* Run promise jobs until none is left. Returns false if the VU must stop. On a fiber. */
bool tasks_drain_jobs(struct vu *);

/* samples.c --------------------------------------------------------------------------------------- */

/* Record a sample of a series. `time`: seconds since the epoch (clock_epoch). */
void samples_add(int32_t series, double value, double time, int32_t metadata);
/* Return true if an output wants each sample with its own time. */
bool samples_keep_records(void);
/* Record `count` samples of value 1 with the same time. */
void samples_add_many(int32_t series, int64_t count, double time, int32_t metadata);
/* Return the series of a metric in a tag set, -1 if the core does not know it and Python must be asked. */
int32_t samples_series(int32_t tag_set, int32_t metric);
/* Return the tag set that was derived from `base` by tags with this key, -1 if Python must be asked. */
int32_t samples_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size);
void samples_keep_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size, int32_t tag_set);

/* Return the VU's tag set; ask Python if the core does not know it. Returns -1 if the VU must stop. On a fiber. */
int32_t vu_tag_set(struct vu *);
/* Record a sample with a tag set; ask Python for the series if the core does not know it. On a fiber. */
bool vu_record(struct vu *, int32_t tag_set, int32_t metric, double value, double time);

/* http_connection.c ------------------------------------------------------------------------------- */

/* The bit that marks keys of HTTP connections in the poller. */
#define HTTP_KEY ((uint64_t)1 << 63)
/* Handle the readiness of an HTTP connection. On the main stack. */
void http_ready(uint64_t key);
/* Forget all connections of a VU. Python closes them. */
void http_forget(struct vu *);

/* session.c --------------------------------------------------------------------------------------- */

/* Handle the readiness of a session's socket. On the main stack. */
void session_ready(uint32_t slot, uint32_t generation, unsigned events);
/* Decode the bytes that arrived behind a message whose handler still waits (receive.c). On the main stack. */
void receive_undecoded(void);
/* Return true if some session has such bytes. */
bool receive_is_undecoded(void);
/* Send close frames on a VU's sessions, and wait, for a bounded time, until the output of all sessions is written. On a
 * fiber. See transmit.c. */
void transmit_finish(struct vu *);
/* End all sessions of a VU, each with a close frame if it may send a close frame. */
void session_end_all(struct vu *);
/* End all sessions of a VU without touching the interpreter, whose objects will never free the sessions. */
void session_abandon_all(struct vu *);
/* Add the tasks of a VU's event sessions again, after all tasks of the VU were dropped. */
void session_resume_tasks(struct vu *);
/* Prepare the sessions of the running VU for its parking: write the send buffer, keep the undecoded bytes. */
void session_leave(struct vu *);
/* Read and dispatch one event of a session that is the first task. On a fiber. */
bool session_run_task(struct vu *, struct session *);
/* Define the class of sessions in a new interpreter. */
void session_install(struct vu *);
/* Release the references to the interpreter that session_install has taken. */
void session_uninstall(struct vu *);

/* functions.c ------------------------------------------------------------------------------------- */

void functions_install(struct vu *);

/* dial.c ------------------------------------------------------------------------------------------ */

/* Return the earliest deadline of all dialings, NEVER if there are none. */
double dial_deadline(void);
/* End the dialings whose deadline has passed. */
void dial_expire(double now);

/* metric_context.c -------------------------------------------------------------------------------- */

/* Prepare a new interpreter for metric contexts, if the VU tracks them. Returns NULL or a text of the error. */
const char *context_install(struct vu *);
/* Bind a function to the current metric context. Returns the bound function, or `function` itself if it is no
 * function or the VU does not track contexts. The caller owns the result; JS_EXCEPTION if memory is exhausted. */
JSValue context_bind(struct vu *, JSValue function);
void contexts_free(struct vu *);
/* Forget all contexts without touching the interpreter, which owns the memory. */
void contexts_abandon(struct vu *);

/* exports.c --------------------------------------------------------------------------------------- */

/* Make the module `jsrunner:core` known to a new interpreter. */
void exports_install(struct vu *);

#endif

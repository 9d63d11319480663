/* The life of WebSocket sessions (see session.h). */
#include "session.h"

#include "poller.h"
#include "timers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct session **table;
static uint32_t table_count, table_capacity;
/* The free slots below table_count. The array has room for all slots of the table. */
static uint32_t *free_slots;
static uint32_t free_count;
static uint32_t next_generation = 1;
static struct frame_limits limits;
static bool is_strict;

/* -- the table ------------------------------------------------------------------------------------ */

struct session *session_at(uint32_t slot, uint32_t generation)
{
    struct session *session = slot < table_count ? table[slot] : NULL;
    return session && session->generation == generation ? session : NULL;
}

static bool grow_table(void)
{
    uint32_t capacity = table_capacity ? 2 * table_capacity : 256;
    struct session **sessions = realloc(table, capacity * sizeof *sessions);
    if (!sessions) return false;
    table = sessions;
    uint32_t *slots = realloc(free_slots, capacity * sizeof *slots);
    if (!slots) return false;
    free_slots = slots;
    table_capacity = capacity;
    return true;
}

static bool enter_table(struct session *session)
{
    if (!free_count && table_count == table_capacity && !grow_table()) return false;
    session->slot = free_count ? free_slots[--free_count] : table_count++;
    session->generation = next_generation++ & 0x7FFFFFFF;
    table[session->slot] = session;
    return true;
}

static void leave_table(struct session *session)
{
    table[session->slot] = NULL;
    free_slots[free_count++] = session->slot;
}

/* -- queued events -------------------------------------------------------------------------------- */

void session_queue(struct session *session, enum session_event kind, uint16_t code, bool is_matched,
                   const uint8_t *payload, size_t size)
{
    struct queued_event *event = calloc(1, sizeof *event);
    if (!event || !bytes_append(&event->payload, payload, size)) {
        free(event); /* no memory: the session ends as if the connection had broken */
        session->is_drained = true;
        return;
    }
    event->time = clock_now();
    event->kind = kind;
    event->code = code;
    event->is_matched = is_matched;
    if (session->queue_last) session->queue_last->next = event;
    else session->queue = event;
    session->queue_last = event;
    session->queued_count++;
    session->queued_bytes += size;
    session->vu->undelivered_bytes += size;
    if (!session->is_blocking) tasks_add_session(session->vu, session, event->time);
}

void session_drop_queue(struct session *session)
{
    while (session->queue) {
        struct queued_event *event = session->queue;
        session->queue = event->next;
        bytes_free(&event->payload);
        free(event);
    }
    session->queue_last = NULL;
    session->vu->undelivered_bytes -= session->queued_bytes;
    session->queued_count = session->queued_bytes = 0;
}

/* -- the socket ----------------------------------------------------------------------------------- */

void session_watch(struct session *session)
{
    if (session->descriptor < 0) return;
    unsigned events = (session->is_drained || session->is_paused ? 0u : (unsigned)POLL_IN) |
                      (session->wants_output ? (unsigned)POLL_OUT : 0u);
    /* A socket without flags leaves the poller, which would report a broken connection even without flags. */
    if (events == session->watched) return;
    if (!events) poller_remove(session->descriptor);
    else if (session->watched) poller_change(session->descriptor, session_key(session), events);
    else poller_add(session->descriptor, session_key(session), events);
    session->watched = events;
}

void session_pause(struct session *session, bool is_paused)
{
    if (session->is_paused == is_paused) return;
    session->is_paused = is_paused;
    session_watch(session);
}

void session_count(struct session *session, double time)
{
    time = clock_epoch(time);
    if (session->is_counted) session->sent = session->received = 0;
    if (session->sent) samples_add_many(session->series_sent, session->sent, time, session->metadata);
    if (session->received) samples_add_many(session->series_received, session->received, time, session->metadata);
    session->sent = session->received = 0;
}

/* Note that Python no longer dials the session. */
static void note_dialed(struct session *session)
{
    session->vu->dialed_by_python -= session->is_dialed_by_python;
    session->is_dialed_by_python = false;
}

/* Numbers of sessions closed with each code since the last call of Python. The last entry is for all other codes. */
static struct {
    uint32_t code, count;
} closes[MAX_CLOSE_CODES];
static size_t close_codes;

static void count_close(uint32_t code)
{
    static const uint32_t ABNORMAL = 1006; /* no close frame (RFC 6455, 7.4.1) */
    if (!code) code = ABNORMAL;
    size_t place = 0;
    while (place < close_codes && closes[place].code != code) place++;
    if (place == MAX_CLOSE_CODES) place--;
    if (place == close_codes) {
        closes[place].code = place == MAX_CLOSE_CODES - 1 ? 0 : code;
        close_codes++;
    }
    closes[place].count++;
}

/* Discard bytes that nobody has read, such as messages or TLS tickets. With unread bytes the kernel would reset the
 * connection, and drop output that the peer has not got yet. */
static void discard_input(struct session *session)
{
    enum { MOST = 1 << 20 };
    ssize_t count = recv(session->descriptor, NULL, MOST, MSG_DONTWAIT | MSG_TRUNC); /* copies nothing, see tcp(7) */
    if (count > 0) session->vu->bytes_received += (uint64_t)count;
}

void session_shut(struct session *session)
{
    if (session->state == SESSION_OVER) return;
    if (session->state == SESSION_OPEN) count_close(session->close_code);
    note_dialed(session);
    transmit_flush(session);
    session->state = SESSION_OVER;
    session->is_drained = true;
    if (session->descriptor >= 0) {
        secure_close(session);
        discard_input(session);
        if (session->is_deflated)
            request_post((int32_t)session->slot, session->generation, OPERATION_CLOSED, 0, NULL, 0);
        close(session->descriptor); /* which takes it from the poller too */
    }
    session->descriptor = -1;
    session->watched = 0;
    dial_forget(session);
    transmit_forget(session);
    receive_forget(session);
}

/* Resume the VU, if it waits, to deliver the queued outcome of the dialing. */
static void wake(struct session *session)
{
    struct vu *vu = session->vu;
    bool waits = session->is_blocking ? vu->state == VU_LISTENING && vu->blocking == session : vu->state == VU_WAITING;
    if (waits) schedule_resume(vu);
}

void session_open(struct session *session, bool is_deflated, const int32_t series[6], double started,
                  const uint8_t *payload, size_t payload_size, const uint8_t *rest, size_t rest_size)
{
    note_dialed(session);
    dial_forget(session);
    frame_decoder_start(&session->decoder, is_strict, is_deflated, limits);
    session->is_deflated = is_deflated;
    double time = clock_epoch(started);
    if (!session->is_counted) {
        samples_add(series[0], 1, time, session->metadata);
        samples_add(series[1], (clock_now() - started) * 1000, time, session->metadata);
    }
    session->series_sent = series[2];
    session->series_received = series[3];
    session->series_ping = series[4];
    if (!session->is_counted) session->series_duration = series[5];
    session->started = started;
    session->state = SESSION_OPEN;
    session_queue(session, EVENT_OPEN, 0, false, payload, payload_size);
    bytes_append(&session->rx, rest, rest_size);
    session_watch(session);
    wake(session);
}

/* -- functions for the scheduler ------------------------------------------------------------------- */

void session_ready(uint32_t slot, uint32_t generation, unsigned events)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->descriptor < 0) return;
    struct vu *vu = session->vu;
    if (session->state == SESSION_DIALING) {
        if (session->dialing) dial_ready(session, events);
        return;
    }
    if (events & POLL_OUT) {
        transmit_flush(session);
        bool is_awaited = vu->state == VU_DRAINING && (vu->blocking == session || !vu->blocking);
        if (is_awaited && !transmit_unsent(session)) {
            schedule_resume(vu); /* which may free the session; the poller reports further events again */
            return;
        }
    }
    if (!(events & (POLL_IN | POLL_FAILED)) || session->is_drained || session->state != SESSION_OPEN) return;
    session->is_readable = true;
    if (session->is_blocking) {
        if (vu->state == VU_LISTENING && vu->blocking == session) {
            schedule_resume(vu);
        } else {
            session_pause(session, true);
        }
    } else if (vu->state == VU_WAITING) {
        tasks_add_session(vu, session, clock_now());
        schedule_resume(vu);
    } else if (vu->state != VU_IDLE) {
        receive_aside(session);
        tasks_add_session(vu, session, clock_now());
    }
}

void session_leave(struct vu *vu)
{
    (void)vu;
    transmit_flush_shared();
    receive_release();
}

bool session_run_task(struct vu *vu, struct session *session)
{
    struct task *task = vu->tasks.first;
    if (!session->queue && !receive_is_ready(session)) session->is_readable = true;
    /* A session that was paused at a high-water mark is read again when its queue is empty. */
    if (!session->queue) session_pause(session, false);
    int delivered = receive_next(session);
    if (delivered < 0) return false;
    if (vu->tasks.first == task && task->session == session && (!delivered || !receive_is_ready(session)))
        tasks_remove_session(vu, session);
    else if (vu->tasks.first == task && session->queue) tasks_postpone_session(vu, session->queue->time);
    return true;
}

/* -- beginning and end --------------------------------------------------------------------------- */

struct session *session_new(struct vu *vu, bool is_blocking, JSValue receive)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session || !enter_table(session)) {
        free(session);
        return NULL;
    }
    session->vu = vu;
    session->descriptor = -1;
    session->series_sent = session->series_received = session->series_ping = session->series_duration = -1;
    session->is_blocking = is_blocking;
    session->receive = receive;
    session->text_handler = session->binary_handler = JS_UNDEFINED;
    session->metadata = vu->metadata;
    vu->event_sessions += !is_blocking;
    session->next = vu->sessions;
    session->link = &vu->sessions;
    if (session->next) session->next->link = &session->next;
    vu->sessions = session;
    return session;
}

static void leave_list(struct session *session)
{
    if (!session->link) return;
    *session->link = session->next;
    if (session->next) session->next->link = session->link;
    session->next = NULL;
    session->link = NULL;
}

void session_free(struct session *session)
{
    struct vu *vu = session->vu;
    JSRuntime *runtime = vu->runtime;
    leave_list(session);
    if (!session->is_stopped && !session->is_blocking) vu->event_sessions--;
    session_shut(session);
    tasks_remove_session(vu, session);
    session_drop_queue(session);
    frame_decoder_free(&session->decoder);
    timers_free(runtime, &session->timers);
    JS_FreeValueRT(runtime, session->receive);
    JS_FreeValueRT(runtime, session->text_handler);
    JS_FreeValueRT(runtime, session->binary_handler);
    free(session->pings);
    leave_table(session);
    free(session);
}

void session_measure(struct session *session)
{
    double now = clock_now();
    session_count(session, clock_now());
    if (session->series_duration < 0 || session->started == NEVER) return;
    double time = session->is_blocking ? session->started : now;
    samples_add(session->series_duration, (now - session->started) * 1000, clock_epoch(time), session->metadata);
    session->started = NEVER;
}

/* Forget the script's functions without freeing them. */
static void abandon_functions(struct session *session)
{
    session->receive = session->text_handler = session->binary_handler = JS_UNDEFINED;
    timers_abandon(&session->timers);
}

void session_stop_events(struct session *session)
{
    if (!session->is_stopped && !session->is_blocking) session->vu->event_sessions--;
    session->is_stopped = session->is_drained = true;
    session_watch(session);
    JSRuntime *runtime = session->vu->runtime;
    JSValue functions[] = {session->receive, session->text_handler, session->binary_handler};
    struct timers timers = session->timers;
    abandon_functions(session);
    /* The last of these references may free the session. */
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) JS_FreeValueRT(runtime, functions[i]);
    timers_free(runtime, &timers);
}

void session_resume_tasks(struct vu *vu)
{
    for (struct session *session = vu->sessions; session; session = session->next)
        if (!session->is_blocking && receive_is_ready(session))
            tasks_add_session(vu, session, session->queue ? session->queue->time : clock_now());
}

/* End a session at the end of the VU's command. */
static void end_session(struct session *session)
{
    if (session->state == SESSION_OPEN) {
        if (!session->is_closing) transmit_close(session, session->is_blocking ? 1001 : 1000, NULL, 0, false);
        session_count(session, clock_now());
    }
    /* Also if the script has closed the session and was interrupted in a handler of that. */
    if (session->vu->measures_sessions && session->is_blocking) session_measure(session);
    session_shut(session);
    session_drop_queue(session);
}

void session_abandon_all(struct vu *vu)
{
    while (vu->sessions) {
        struct session *session = vu->sessions;
        end_session(session);
        abandon_functions(session);
        session_free(session);
    }
    vu->blocking = NULL;
}

void session_end_all(struct vu *vu)
{
    while (vu->sessions) {
        struct session *session = vu->sessions;
        end_session(session);
        leave_list(session);
        session_stop_events(session); /* which may free it */
    }
    vu->blocking = NULL;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Set the rules of all sessions: the RFC's if `strict`, else k6's. A limit of 0 is no limit. */
CORE_API void core_session_rules(bool strict, size_t frame_bytes, size_t message_bytes, size_t fragments)
{
    is_strict = strict;
    limits = (struct frame_limits){frame_bytes, message_bytes, fragments};
}

/* Open a session. `payload` (MessagePack) goes to its `receive`; `rest` are the bytes received behind the handshake;
 * `series` are the numbers of the series of ws_sessions, ws_connecting, ws_msgs_sent, ws_msgs_received, ws_ping and
 * ws_session_duration. The session has its connection already (dial.c, secure.c). Resumes the VU if it waits. Returns
 * false if the session is gone. On the main stack. */
CORE_API bool core_session_open(uint32_t slot, uint32_t generation, bool is_deflated,
                                const int32_t series[6], double started, const uint8_t *payload,
                                size_t payload_size, const uint8_t *rest, size_t rest_size)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_DIALING || session->descriptor < 0) return false;
    session_open(session, is_deflated, series, started, payload, payload_size, rest, rest_size);
    core_leave();
    return true;
}

/* Fail a session that could not connect. `payload` (MessagePack) goes to its `receive`. Resumes the VU if it waits.
 * Returns false if the session is gone. On the main stack. */
CORE_API bool core_session_fail(uint32_t slot, uint32_t generation, const uint8_t *payload, size_t size)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_DIALING) return false;
    session_shut(session);
    session_queue(session, EVENT_FAILED, 0, false, payload, size);
    wake(session);
    core_leave();
    return true;
}

/* Add the counts of all open sessions to their series. */
CORE_API void core_sessions_count(void)
{
    for (uint32_t i = 0; i < table_count; i++)
        if (table[i]) session_count(table[i], clock_now());
}

/* Write the codes and counts of the sessions closed since the last call, as pairs, into `pairs`, which has room for
 * MAX_CLOSE_CODES pairs; code 0 stands for all further codes. Returns the number of pairs. */
CORE_API size_t core_session_closes(uint32_t *pairs)
{
    size_t count = close_codes;
    memcpy(pairs, closes, count * sizeof *closes);
    memset(closes, 0, sizeof closes);
    close_codes = 0;
    return count;
}

CORE_API uint32_t core_sessions_open(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table_count; i++) count += table[i] && table[i]->state == SESSION_OPEN;
    return count;
}

/* The life of WebSocket sessions, and what JavaScript can do with one (see session.h). */
#include "session.h"

#include "codec.h"
#include "pack.h"
#include "poller.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct session **table;
static uint32_t table_count, table_capacity;
/* Slots below table_count that are free; as many as the table has room for. */
static uint32_t *free_slots;
static uint32_t free_count;
static uint32_t next_generation = 1;
static struct frame_limits limits;
static bool is_strict;
/* What k6/websockets scripts may have waiting to be sent. */
static struct {
    size_t session_bytes, vu_bytes;
    double patience;
} queues = {SIZE_MAX / 2, SIZE_MAX / 2, 0};

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

static uint64_t poll_key(const struct session *session)
{
    return (uint64_t)session->generation << 32 | session->slot;
}

/* -- events that wait ----------------------------------------------------------------------------- */

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

static void drop_queue(struct session *session)
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
    /* The poller would tell of a connection that has broken even if nothing is asked for. */
    if (!events && session->is_watched) poller_remove(session->descriptor);
    else if (events && session->is_watched) poller_change(session->descriptor, poll_key(session), events);
    else if (events) poller_add(session->descriptor, poll_key(session), events);
    session->is_watched = events;
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
    if (session->sent) samples_add_many(session->series_sent, session->sent, time, session->metadata);
    if (session->received) samples_add_many(session->series_received, session->received, time, session->metadata);
    session->sent = session->received = 0;
}

void session_shut(struct session *session)
{
    if (session->state == SESSION_OVER) return;
    transmit_flush(session);
    session->state = SESSION_OVER;
    session->is_drained = true;
    if (session->descriptor >= 0) {
        if (session->is_watched) poller_remove(session->descriptor);
        if (session->is_secure) secure_part(session);
        if (session->is_secure || session->is_deflated)
            request_post((int32_t)session->slot, session->generation, OPERATION_TLS, NULL, POLLED_CLOSE);
        if (!session->is_secure) close(session->descriptor);
    }
    session->descriptor = -1;
    transmit_forget(session);
    receive_forget(session);
}

/* -- what the scheduler calls --------------------------------------------------------------------- */

void session_ready(uint32_t slot, uint32_t generation, unsigned events)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->descriptor < 0) return;
    struct vu *vu = session->vu;
    if (session->is_secure) {
        secure_ready(session, events);
        return;
    }
    if (events & POLL_OUT) {
        transmit_flush(session);
        if (vu->state == VU_DRAINING && vu->blocking == session && !transmit_pending(session)) schedule_resume(vu);
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
    /* One that is paused because too much waits is read on when all of that was delivered. */
    if (!session->queue) session_pause(session, false);
    int delivered = receive_next(session);
    if (delivered < 0) return false;
    if (vu->tasks.first == task && task->session == session && (!delivered || !receive_is_ready(session)))
        tasks_remove_session(vu, session);
    else if (vu->tasks.first == task && session->queue) tasks_postpone_session(vu, session->queue->time);
    return true;
}

/* -- the object ----------------------------------------------------------------------------------- */

static uint32_t session_class;

static struct session *session_of(JSValue self) { return JS_GetOpaque(self, session_class); }

static void free_session(struct session *session)
{
    struct vu *vu = session->vu;
    JSRuntime *runtime = vu->runtime;
    for (struct session **link = &vu->sessions; *link; link = &(*link)->next) {
        if (*link != session) continue;
        *link = session->next;
        break;
    }
    if (!session->is_stopped && !session->is_blocking) vu->event_sessions--;
    session_shut(session);
    tasks_remove_session(vu, session);
    drop_queue(session);
    frame_decoder_free(&session->decoder);
    timers_free(runtime, &session->timers);
    JS_FreeValueRT(runtime, session->receive);
    free(session->write_prefix);
    free(session->pings);
    leave_table(session);
    free(session);
}

static void finalize(JSRuntime *runtime, JSValue self)
{
    (void)runtime;
    struct session *session = session_of(self);
    if (session) free_session(session);
}

/* The session is over: record what was counted and how long it was. */
static void measure(struct session *session)
{
    double now = clock_now();
    session_count(session, clock_now());
    if (session->series_duration < 0 || session->started == NEVER) return;
    double time = session->is_blocking ? session->started : now;
    samples_add(session->series_duration, (now - session->started) * 1000, clock_epoch(time), session->metadata);
    session->started = NEVER;
}

/* No event reaches the script any more: let go of its function, which holds the session's object. */
static void stop_events(struct session *session)
{
    if (!session->is_stopped && !session->is_blocking) session->vu->event_sessions--;
    session->is_stopped = true;
    JSValue receive = session->receive;
    session->receive = JS_UNDEFINED;
    JS_FreeValueRT(session->vu->runtime, receive);
}

/* The VU's command is over. */
static void end_session(struct session *session)
{
    if (session->state == SESSION_OPEN) {
        if (!session->is_closing) transmit_close(session, session->is_blocking ? 1001 : 1000, NULL, 0, false);
        if (session->vu->measures_sessions && session->is_blocking) measure(session);
        session_count(session, clock_now());
    }
    session_shut(session);
    drop_queue(session);
}

void session_abandon_all(struct vu *vu)
{
    while (vu->sessions) {
        struct session *session = vu->sessions;
        end_session(session);
        session->receive = JS_UNDEFINED;
        timers_abandon(&session->timers);
        free_session(session);
    }
    vu->blocking = NULL;
}

void session_end_all(struct vu *vu)
{
    while (vu->sessions) {
        struct session *session = vu->sessions;
        end_session(session);
        vu->sessions = session->next;
        session->next = NULL;
        stop_events(session); /* which may free it */
    }
    vu->blocking = NULL;
}

/* createSession(receive, isBlocking): a session that waits for Python to dial. */
JSValue session_create(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    JSValue object = JS_NewObjectClass(context, session_class);
    struct session *session = js_is_exception(object) ? NULL : calloc(1, sizeof *session);
    if (!session || !enter_table(session)) {
        free(session);
        JS_FreeValue(context, object);
        return JS_ThrowOutOfMemory(context);
    }
    session->vu = vu;
    session->descriptor = -1;
    session->series_sent = session->series_received = session->series_ping = session->series_duration = -1;
    session->is_blocking = JS_ToBool(context, argv[1]) > 0;
    session->receive = JS_DupValue(context, argv[0]);
    session->metadata = vu->metadata;
    vu->event_sessions += !session->is_blocking;
    session->next = vu->sessions;
    vu->sessions = session;
    JS_SetOpaque(object, session);
    return object;
}

/* -- methods -------------------------------------------------------------------------------------- */

#define METHOD(name)                                                                     \
    static JSValue name(JSContext *context, JSValue self, int argc, JSValue *argv)
#define SESSION_OR_RETURN                                                                \
    struct session *session = session_of(self);                                          \
    (void)context, (void)argc, (void)argv;                                               \
    if (!session) return JS_UNDEFINED

/* Have Python deflate a message into vu->answer. */
static bool deflate(struct session *session, const uint8_t *payload, size_t size)
{
    struct vu *vu = session->vu;
    vu->request.size = 0;
    return pack_array(&vu->request, 3) && pack_integer(&vu->request, session->slot) &&
           pack_integer(&vu->request, session->generation) &&
           pack_binary(&vu->request, payload, size) && request_ask(vu, OPERATION_DEFLATE);
}

/* Wait until all is written, at the longest until a moment. False if the VU is to stop. */
static bool drain(struct session *session, double end)
{
    struct vu *vu = session->vu;
    struct session *outer = vu->blocking;
    vu->blocking = session;
    bool goes_on = true;
    while (goes_on && transmit_pending(session) && !session->write_error && (end == NEVER || clock_now() < end))
        goes_on = vu_park(vu, VU_DRAINING, end);
    vu->blocking = outer;
    return goes_on;
}

/* Make sure that `size` bytes more may wait to be sent (see core_session_queues). False with an exception pending
 * if they may not, or if the VU is to stop. */
static bool await_room(struct session *session, size_t size)
{
    struct vu *vu = session->vu;
    if (session->is_blocking || session->state != SESSION_OPEN) return true;
    while (transmit_pending(session) && transmit_pending(session) + size > queues.session_bytes && !session->write_error) {
        uint64_t written = session->tx_written;
        transmit_flush(session);
        if (!drain(session, clock_now() + queues.patience)) {
            vu_throw_interrupted(vu);
            return false;
        }
        if (session->tx_written != written) continue;
        JS_ThrowRangeError(vu->context, "the peer does not read, and %u MiB wait to be sent to it",
                           (unsigned)(queues.session_bytes >> 20));
        return false;
    }
    if (vu->unsent_bytes + size <= queues.vu_bytes) return true;
    JS_ThrowRangeError(vu->context, "%u MiB wait to be sent by the sockets of this VU",
                       (unsigned)(queues.vu_bytes >> 20));
    return false;
}

/* A k6/ws script that sends to a peer that does not read waits for it, as with k6. */
static bool await_peer(struct session *session)
{
    enum { PATIENCE_BYTES = 1 << 20 };
    return !session->is_blocking || transmit_pending(session) < PATIENCE_BYTES || drain(session, NEVER);
}

static JSValue send_message(JSContext *context, struct session *session, uint8_t opcode, const uint8_t *payload,
                            size_t size)
{
    bool is_sent;
    if (!await_room(session, size)) return JS_EXCEPTION;
    if (session->is_blocking && session->series_sent >= 0) {
        session->sent++;
        if (samples_keep_records() || session->state == SESSION_OVER) session_count(session, clock_now());
    }
    if (session->is_deflated) {
        if (!deflate(session, payload, size)) return vu_throw_interrupted(session->vu);
        is_sent = pack_read_binary(session->vu->answer.data, session->vu->answer.size, &payload, &size) &&
                  transmit_frame(session, FRAME_FIN | FRAME_RSV1 | opcode, payload, size, true);
    } else {
        is_sent = transmit_frame(session, FRAME_FIN | opcode, payload, size, true);
    }
    if (!await_peer(session)) return vu_throw_interrupted(session->vu);
    (void)context;
    return js_bool(is_sent);
}

/* Half a surrogate pair, three bytes that begin with ED A0..BF, becomes U+FFFD, as in Go. */
static const uint8_t *find_surrogate(const uint8_t *text, size_t size)
{
    const uint8_t *end = text + size;
    for (const uint8_t *at = text; (at = memchr(at, 0xED, (size_t)(end - at))); at++)
        if (end - at >= 3 && at[1] >= 0xA0) return at;
    return NULL;
}

/* sendText(text): whether it could be sent. */
METHOD(send_text)
{
    SESSION_OR_RETURN;
    size_t size;
    const char *text = JS_ToCStringLen2(context, &size, argv[0], false);
    if (!text) return JS_EXCEPTION;
    JSValue result;
    if (find_surrogate((const uint8_t *)text, size)) {
        struct bytes mended = {0};
        bool is_copied = bytes_append(&mended, text, size);
        for (const uint8_t *at; is_copied && (at = find_surrogate(mended.data, mended.size));)
            memcpy(mended.data + (at - mended.data), "\xEF\xBF\xBD", 3);
        result = is_copied ? send_message(context, session, OPCODE_TEXT, mended.data, mended.size)
                           : JS_ThrowOutOfMemory(context);
        bytes_free(&mended);
    } else {
        result = send_message(context, session, OPCODE_TEXT, (const uint8_t *)text, size);
    }
    JS_FreeCString(context, text);
    return result;
}

/* sendBinary(buffer, offset, length): whether it could be sent. */
METHOD(send_binary)
{
    SESSION_OR_RETURN;
    size_t size;
    double offset = 0, length = -1;
    const uint8_t *data = JS_GetArrayBuffer(context, &size, argv[0]);
    if (!data && JS_HasException(context)) return JS_EXCEPTION;
    if (argc > 2 && (JS_ToFloat64(context, &offset, argv[1]) < 0 || JS_ToFloat64(context, &length, argv[2]) < 0))
        return JS_EXCEPTION;
    size_t start = offset > 0 && offset <= (double)size ? (size_t)offset : 0;
    size_t count = length >= 0 && length <= (double)(size - start) ? (size_t)length : size - start;
    return send_message(context, session, OPCODE_BINARY, data ? data + start : NULL, count);
}

/* ping(): whether it could be sent. Its payload is the number of pings before it. */
METHOD(ping)
{
    SESSION_OR_RETURN;
    if (session->ping_count == session->ping_capacity) {
        size_t capacity = session->ping_capacity ? 2 * session->ping_capacity : 8;
        double *grown = realloc(session->pings, capacity * sizeof *grown);
        if (!grown) return JS_ThrowOutOfMemory(context);
        session->pings = grown;
        session->ping_capacity = capacity;
    }
    char payload[24];
    size_t size = 0;
    for (size_t rest = session->ping_count; rest || !size; rest /= 10) payload[sizeof payload - ++size] = (char)('0' + rest % 10);
    bool is_sent = transmit_frame(session, FRAME_FIN | OPCODE_PING, (uint8_t *)payload + sizeof payload - size, size,
                                  true);
    if (is_sent) session->pings[session->ping_count++] = clock_now();
    return js_bool(is_sent);
}

/* sendClose(code, reason): whether the close frame could be sent; nothing follows it. */
METHOD(send_close)
{
    SESSION_OR_RETURN;
    int32_t code;
    if (JS_ToInt32(context, &code, argv[0]) < 0) return JS_EXCEPTION;
    size_t size = 0;
    const char *reason = argc > 1 && !js_is_nullish(argv[1]) ? JS_ToCStringLen2(context, &size, argv[1], false) : NULL;
    bool is_sent = transmit_close(session, (uint16_t)code, (const uint8_t *)reason, size, true);
    if (reason) JS_FreeCString(context, reason);
    session->drops_messages = !session->is_blocking;
    return js_bool(is_sent);
}

/* shut(): close the TCP connection; a k6/ws script waits until what it has sent is written, but as with k6 no
 * longer than 10 s. Returns Go's text if writing has failed before. */
METHOD(shut)
{
    SESSION_OR_RETURN;
    static const double PATIENCE = 10;
    transmit_flush(session);
    if (session->is_blocking && !drain(session, clock_now() + PATIENCE)) return vu_throw_interrupted(session->vu);
    session_count(session, clock_now());
    JSValue result = JS_UNDEFINED;
    if (session->write_error) {
        char text[256];
        size_t size = transmit_error_text(session, text, sizeof text);
        result = JS_NewStringLen(context, text, size);
    }
    session_shut(session);
    return result;
}

/* stop(): no event is delivered any more; run() returns. */
METHOD(stop)
{
    SESSION_OR_RETURN;
    stop_events(session);
    drop_queue(session);
    tasks_remove_session(session->vu, session);
    return JS_UNDEFINED;
}

/* finish(): the session is over: measure its duration. */
METHOD(finish)
{
    SESSION_OR_RETURN;
    measure(session);
    return JS_UNDEFINED;
}

/* setTimer(call, delay in ms, repeats): have it called while run() runs. */
METHOD(set_timer)
{
    SESSION_OR_RETURN;
    double delay;
    if (JS_ToFloat64(context, &delay, argv[1]) < 0) return JS_EXCEPTION;
    bool repeats = JS_ToBool(context, argv[2]) > 0;
    if (!timers_add(JS_GetRuntime(context), &session->timers, JS_DupValue(context, argv[0]), delay / 1000,
                    repeats ? delay / 1000 : -1, TIMER_OWN))
        return JS_ThrowOutOfMemory(context);
    return JS_UNDEFINED;
}

METHOD(get_id)
{
    SESSION_OR_RETURN;
    return js_number((double)poll_key(session));
}

METHOD(get_buffered)
{
    SESSION_OR_RETURN;
    bool is_same_turn = session->turn == session->vu->turn;
    return js_number((double)(is_same_turn ? session->buffered_in_turn : session->buffered));
}

/* Deliver what is due now: 1: something was, 0: nothing is due, -1: JavaScript has thrown. */
static int run_blocking_once(struct session *session)
{
    struct timer *timer = timers_first(&session->timers);
    if (timer && timer->due <= clock_now()) {
        JSValue result = timers_run_first(session->vu->context, &session->timers, true);
        JS_FreeValue(session->vu->context, result);
        return js_is_exception(result) ? -1 : 1;
    }
    return receive_next(session);
}

/* run(): deliver events, blocking the VU, until stop(), or, if the outcome of the handshake was not
 * known yet, until it is. On a fiber. */
METHOD(run)
{
    SESSION_OR_RETURN;
    struct vu *vu = session->vu;
    struct session *outer = vu->blocking;
    vu->blocking = session;
    JSValue guard = JS_DupValue(context, self);
    bool goes_on = true, was_thrown = false;
    bool is_dialing = !session->has_outcome;
    while (goes_on && !session->is_stopped && !(is_dialing && session->has_outcome)) {
        int delivered = run_blocking_once(session);
        was_thrown = delivered < 0;
        if (was_thrown) break;
        if (delivered || session->is_stopped) continue;
        session_pause(session, false);
        struct timer *timer = timers_first(&session->timers);
        goes_on = vu_park(vu, VU_LISTENING, timer ? timer->due : NEVER);
    }
    vu->blocking = outer;
    JS_FreeValue(context, guard);
    if (!goes_on || (was_thrown && vu->is_aborting && !JS_HasException(context))) return vu_throw_interrupted(vu);
    return was_thrown ? JS_EXCEPTION : JS_UNDEFINED;
}

void session_install(struct vu *vu)
{
    static const struct {
        const char *name;
        JSCFunction *function;
        int length;
    } methods[] = {
        {"sendText", send_text, 1}, {"sendBinary", send_binary, 1}, {"ping", ping, 0},
        {"sendClose", send_close, 2}, {"shut", shut, 0},            {"stop", stop, 0},
        {"finish", finish, 0},       {"setTimer", set_timer, 3},    {"run", run, 0},
        {"id", get_id, 0},           {"buffered", get_buffered, 0},
    };
    static const JSClassDef definition = {.class_name = "Session", .finalizer = finalize};
    JSContext *context = vu->context;
    JS_NewClassID(vu->runtime, &session_class);
    JS_NewClass(vu->runtime, session_class, &definition);
    JSValue prototype = JS_NewObject(context);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        JS_SetPropertyStr(context, prototype, methods[i].name,
                          JS_NewCFunction2(context, methods[i].function, methods[i].name, methods[i].length,
                                           JS_CFUNC_GENERIC, 0));
    JS_SetClassProto(context, session_class, prototype);
}

/* -- what Python calls ---------------------------------------------------------------------------- */

/* Rules of all sessions: strict ones are the RFC's, else k6's. Limits of 0 are none. */
CORE_API void core_session_rules(bool strict, size_t frame_bytes, size_t message_bytes, size_t fragments)
{
    is_strict = strict;
    limits = (struct frame_limits){frame_bytes, message_bytes, fragments};
}

/* Bound the bytes that wait to be sent by one k6/websockets session and by all of a VU. A script that sends more by
 * the session waits for the peer, but for no more than `patience` seconds without progress: then, or if the VU's
 * bound is reached, it gets a RangeError. */
CORE_API void core_session_queues(size_t session_bytes, size_t vu_bytes, double patience)
{
    queues.session_bytes = session_bytes;
    queues.vu_bytes = vu_bytes;
    queues.patience = patience;
}

/* What Python says of a session that it has dialed. */
struct opening {
    int32_t descriptor, is_secure, is_deflated;
    int32_t series_sent, series_received, series_ping, series_duration;
    int32_t padding;
    double started;
};

static void wake(struct session *session)
{
    struct vu *vu = session->vu;
    if (session->is_blocking && vu->state == VU_LISTENING && vu->blocking == session) schedule_ready(vu);
    core_leave();
}

/* The session is open: `payload` (MessagePack) goes to its `receive`, `rest` is what came behind the
 * handshake, `write_prefix` begins the text of write errors. The descriptor is the core's from now on
 * (Python's with TLS). Returns false if there is no such session any more. */
CORE_API bool core_session_open(uint32_t slot, uint32_t generation, const struct opening *opening,
                                const uint8_t *payload, size_t payload_size, const uint8_t *rest, size_t rest_size,
                                const char *write_prefix)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_DIALING) return false;
    frame_decoder_start(&session->decoder, is_strict, opening->is_deflated, limits);
    session->descriptor = opening->descriptor;
    session->is_secure = opening->is_secure;
    session->is_deflated = opening->is_deflated;
    session->series_sent = opening->series_sent;
    session->series_received = opening->series_received;
    session->series_ping = opening->series_ping;
    session->series_duration = opening->series_duration;
    session->started = opening->started;
    session->write_prefix = strdup(write_prefix);
    session->state = SESSION_OPEN;
    session_queue(session, EVENT_OPEN, 0, false, payload, payload_size);
    bytes_append(&session->rx, rest, rest_size);
    session_watch(session);
    wake(session);
    return true;
}

/* There is no connection: `payload` (MessagePack) goes to the session's `receive`. */
CORE_API bool core_session_fail(uint32_t slot, uint32_t generation, const uint8_t *payload, size_t size)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_DIALING) return false;
    session->state = SESSION_OVER;
    session_queue(session, EVENT_FAILED, 0, false, payload, size);
    wake(session);
    return true;
}

/* Bring the series of all open sessions up to date. */
CORE_API void core_sessions_count(void)
{
    for (uint32_t i = 0; i < table_count; i++)
        if (table[i]) session_count(table[i], clock_now());
}

CORE_API uint32_t core_sessions_open(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table_count; i++) count += table[i] && table[i]->state == SESSION_OPEN;
    return count;
}

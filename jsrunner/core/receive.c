/* The receiving half of a WebSocket session: from its socket to JavaScript.
 *
 * Theory. A fiber that its socket has woken reads, decodes and dispatches by itself. It reads into one buffer of
 * the process, from which JavaScript's strings are made without another copy. Bytes that are undecoded when the
 * VU parks (an incomplete frame, or messages behind a message whose handler waits) are copied to the session's own
 * buffer. A session that has had a frame larger than LARGE reads directly into its own buffer.
 *
 * The main stack reads an event session whose VU is busy elsewhere: it answers pings and queues messages. It does
 * the same with bytes that arrived in one packet with a message whose handler waits. Above a high-water mark the
 * session is not read until the VU is back.
 */
#include "session.h"

#include "codec.h"
#include "pack.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    RECEIVE_BUFFER = 256 << 10,
    /* Bytes of a frame from which on a session reads into its own buffer. */
    LARGE = 16 << 10,
    /* Maximum bytes that a buffer grows at once. A peer may announce a large frame and never send it. */
    GROWTH = 1 << 20,
    HIGH_WATER_EVENTS = 4096,
    PONG_BYTES = 1 << 20,
    HIGH_WATER_BYTES = 16 << 20,
    /* High-water mark of all sessions of a VU together. */
    HIGH_WATER_BYTES_OF_VU = 128 << 20,
};

static uint8_t receive_buffer[RECEIVE_BUFFER];
static struct session *receive_owner;
/* The undecoded part of the buffer. */
static size_t receive_at, receive_end;
/* The list of sessions that had undecoded bytes behind a message when the message was delivered. */
static struct session *undecoded;

/* -- bytes ---------------------------------------------------------------------------------------- */

void receive_release(void)
{
    struct session *session = receive_owner;
    receive_owner = NULL;
    if (!session || receive_at == receive_end) return;
    if (!bytes_append(&session->rx, receive_buffer + receive_at, receive_end - receive_at))
        session->is_readable = false; /* bytes are lost, so no frame can be decoded any more */
    receive_at = receive_end = 0;
}

static bool has_bytes(const struct session *session)
{
    return session->rx_at < session->rx.size || (receive_owner == session && receive_at < receive_end);
}

/* Enter the session into the list `undecoded`: it has bytes behind the event that is delivered next. */
static void note_undecoded(struct session *session)
{
    session->looks = 0;
    if (session->is_undecoded || session->is_blocking || session->is_deflated || !has_bytes(session)) return;
    session->is_undecoded = true;
    session->next_undecoded = undecoded;
    undecoded = session;
}

bool receive_is_undecoded(void) { return undecoded; }

void receive_forget(struct session *session)
{
    struct session **link = &undecoded;
    while (*link && *link != session) link = &(*link)->next_undecoded;
    if (*link) *link = session->next_undecoded;
    session->is_undecoded = false;
    if (receive_owner == session) receive_owner = NULL;
    bytes_free(&session->rx);
    session->rx_at = 0;
}

bool receive_is_ready(const struct session *session)
{
    return session->queue || session->is_readable || has_bytes(session);
}

/* Note that the stream has ended. */
static void end_input(struct session *session, enum session_event kind)
{
    session->is_readable = false;
    session->is_drained = true;
    session_queue(session, kind, 0, false, NULL, 0);
    session_watch(session);
}

/* Receive bytes. Returns true if there are some, and their number. Notes the end of the stream. */
static bool receive_bytes(struct session *session, uint8_t *to, size_t room, size_t *size)
{
    bool is_all = true;
    ssize_t count;
    if (session->secure) {
        count = secure_receive(session, to, room, &is_all);
    } else {
        count = recv(session->descriptor, to, room, MSG_DONTWAIT);
        if (count > 0) session->vu->bytes_received += (uint64_t)count;
        /* Fewer bytes than there was room for: the socket is empty. The poller reports further bytes. */
        is_all = count < (ssize_t)room;
    }
    if (is_all || count <= 0) session->is_readable = false;
    *size = count > 0 ? (size_t)count : 0;
    if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))) return count > 0;
    end_input(session, count == 0 ? EVENT_END : EVENT_RESET);
    return false;
}

/* Receive into the session's own buffer, behind its contents. */
static bool receive_own(struct session *session, size_t wanted)
{
    if (session->rx_at) {
        memmove(session->rx.data, session->rx.data + session->rx_at, session->rx.size - session->rx_at);
        session->rx.size -= session->rx_at;
        session->rx_at = 0;
    }
    size_t room = wanted > session->rx.size ? wanted - session->rx.size : 0;
    if (room < 2 * LARGE) room = 2 * LARGE;
    if (room > GROWTH) room = GROWTH;
    if (!bytes_reserve(&session->rx, room)) {
        end_input(session, EVENT_RESET);
        return false;
    }
    size_t size;
    bool has_bytes =
        receive_bytes(session, session->rx.data + session->rx.size, session->rx.capacity - session->rx.size, &size);
    session->rx.size += size;
    return has_bytes;
}

/* Receive the bytes that have arrived. `wanted`: bytes that the next frame needs in all. Returns false if no bytes
 * have arrived. */
static bool receive_some(struct session *session, size_t wanted)
{
    if (session->is_large || session->rx.size > session->rx_at || receive_owner)
        return receive_own(session, wanted);
    size_t size;
    if (!receive_bytes(session, receive_buffer, RECEIVE_BUFFER, &size)) return false;
    receive_owner = session;
    receive_at = 0;
    receive_end = size;
    return true;
}

/* Decode one event from the received bytes; FRAME_NONE if they hold no complete event. */
static struct frame_event decode(struct session *session)
{
    struct frame_event event = {.kind = FRAME_NONE};
    for (;;) {
        bool is_own = session->rx_at < session->rx.size;
        if (!is_own && !(receive_owner == session && receive_at < receive_end)) return event;
        const uint8_t *bytes = is_own ? session->rx.data + session->rx_at : receive_buffer + receive_at;
        size_t size = is_own ? session->rx.size - session->rx_at : receive_end - receive_at;
        size_t used = frame_decode(&session->decoder, bytes, size, &event);
        if (is_own) session->rx_at += used;
        else receive_at += used;
        if (event.kind != FRAME_NONE) return event;
        if (event.wanted > LARGE) session->is_large = true;
        if (used < size || !is_own) break;
    }
    /* An incomplete frame moves to the session's buffer, where further bytes are received behind it. */
    if (receive_owner == session) receive_release();
    if (session->rx_at == session->rx.size) session->rx_at = session->rx.size = 0;
    return event;
}

/* -- events --------------------------------------------------------------------------------------- */

/* Return true if no event follows an event of this kind. */
static bool is_last(enum session_event kind)
{
    return kind == EVENT_FAILED || (kind >= EVENT_CLOSE && kind <= EVENT_VIOLATION);
}

static JSValue handler_of(const struct session *session, enum session_event kind)
{
    return kind == EVENT_TEXT ? session->text_handler : kind == EVENT_BINARY ? session->binary_handler : JS_UNDEFINED;
}

/* Call the handler, or receive(kind, a, b, time). Frees the arguments. */
static bool deliver(struct session *session, enum session_event kind, JSValue a, JSValue b, double time)
{
    JSContext *context = session->vu->context;
    JSValue arguments[4] = {js_int((int)kind), a, b, js_float(time)};
    bool is_direct = !js_is_undefined(handler_of(session, kind));
    JSValue function = JS_DupValue(context, is_direct ? handler_of(session, kind) : session->receive);
    JSValue result = JS_EXCEPTION;
    if (!js_is_exception(a) && !js_is_exception(b))
        result = is_direct ? JS_Call(context, function, JS_UNDEFINED, 1, &a)
                           : JS_Call(context, function, JS_UNDEFINED, 4, arguments);
    JS_FreeValue(context, function);
    JS_FreeValue(context, a);
    JS_FreeValue(context, b);
    bool goes_on = !js_is_exception(result);
    JS_FreeValue(context, result);
    /* A session whose last event failed, because memory is exhausted, would keep its VU waiting for ever. */
    if (!goes_on && is_last(kind) && !session->is_blocking) {
        session_shut(session);
        session_stop_events(session); /* the session may be gone */
    }
    return goes_on;
}

static double event_time(const struct session *session)
{
    /* Only k6/websockets passes the time to the script. */
    if (session->is_blocking) return 0;
    const struct task *task = session->vu->tasks.first;
    return clock_epoch(task ? task->time : clock_now()) * 1000;
}

static JSValue text_value(struct session *session, const uint8_t *text, size_t size)
{
    return JS_NewStringLen(session->vu->context, (const char *)text, size);
}

static void count_received(struct session *session, bool is_message)
{
    session->received += is_message;
    const struct task *task = session->vu->tasks.first;
    if (samples_keep_records()) session_count(session, task && !session->is_blocking ? task->time : clock_now());
}

/* Deliver the first event of the queue. */
static bool deliver_queued(struct session *session)
{
    struct queued_event *event = session->queue;
    session->queue = event->next;
    if (!session->queue) session->queue_last = NULL;
    session->queued_count--;
    session->queued_bytes -= event->payload.size;
    session->vu->undelivered_bytes -= event->payload.size;
    if (!session->queue) session_pause(session, false);
    JSContext *context = session->vu->context;
    JSValue a = JS_UNDEFINED, b = JS_UNDEFINED;
    switch (event->kind) {
    case EVENT_OPEN:
    case EVENT_FAILED:
        session->has_outcome = true;
        a = codec_read(context, event->payload.data, event->payload.size);
        break;
    case EVENT_TEXT:
    case EVENT_WRITE_FAILED:
        a = text_value(session, event->payload.data, event->payload.size);
        break;
    case EVENT_BINARY:
        a = JS_NewArrayBufferCopy(context, event->payload.data, event->payload.size);
        break;
    case EVENT_PONG:
        a = js_bool(event->is_matched);
        b = text_value(session, event->payload.data, event->payload.size);
        break;
    case EVENT_CLOSE:
    case EVENT_VIOLATION:
        a = js_int(event->code);
        b = text_value(session, event->payload.data, event->payload.size);
        break;
    default:
        break;
    }
    bool is_message = event->kind == EVENT_TEXT || event->kind == EVENT_BINARY;
    bool is_dropped = is_message && session->drops_messages;
    bool goes_on = true;
    if (is_dropped) {
        JS_FreeValue(context, a);
    } else {
        count_received(session, is_message);
        goes_on = deliver(session, event->kind, a, b, event_time(session));
    }
    bytes_free(&event->payload);
    free(event);
    return goes_on;
}

/* Match a pong with the session's pings. Returns true if it answers a ping, whose round trip is then recorded. */
static bool match_pong(struct session *session, const uint8_t *payload, size_t size)
{
    size_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (payload[i] < '0' || payload[i] > '9' || number > session->ping_count) return false;
        number = 10 * number + (size_t)(payload[i] - '0');
    }
    if (!size || number >= session->ping_count) return false;
    double now = clock_now();
    if (!session->is_counted)
        samples_add(session->series_ping, (now - session->pings[number]) * 1000, clock_epoch(now), session->metadata);
    return true;
}

/* Stop reading: the socket brings no further event. */
static void stop_reading(struct session *session)
{
    session->is_drained = true;
    session->is_readable = false;
    session_watch(session);
}

/* Answer pings and close frames at once, as the protocol demands. Returns true for a pong that answers a ping of the
 * session's. */
static bool answer(struct session *session, const struct frame_event *event)
{
    if ((event->kind == FRAME_CLOSE || event->kind == FRAME_VIOLATION) && !session->close_code)
        session->close_code = event->code;
    switch (event->kind) {
    case FRAME_PING:
        /* A peer that does not read gets a bounded number of pongs (RFC 6455, 5.5.3: not each ping needs a pong). */
        if (transmit_pending(session) < PONG_BYTES) transmit_frame(session, FRAME_FIN | OPCODE_PONG, event->payload, event->size, false);
        return false;
    case FRAME_PONG:
        return match_pong(session, event->payload, event->size);
    case FRAME_CLOSE:
        /* k6/ws answers a close frame in its JavaScript. */
        if (!session->is_blocking && !session->is_closing) transmit_close(session, event->code, NULL, 0, false);
        stop_reading(session);
        return false;
    case FRAME_VIOLATION:
        if (!session->is_closing && event->code != CLOSE_TOO_BIG && event->code != CLOSE_NOTHING)
            transmit_close(session, event->code, NULL, 0, false);
        stop_reading(session);
        return false;
    default:
        return false;
    }
}

static const enum session_event KINDS[] = {
    [FRAME_TEXT] = EVENT_TEXT, [FRAME_BINARY] = EVENT_BINARY, [FRAME_PING] = EVENT_PING,
    [FRAME_PONG] = EVENT_PONG, [FRAME_CLOSE] = EVENT_CLOSE,   [FRAME_VIOLATION] = EVENT_VIOLATION,
};

/* Ask Python to inflate a message. The answer becomes the event's payload; nil means that it is too big. */
static bool inflate(struct session *session, struct frame_event *event)
{
    struct vu *vu = session->vu;
    vu->request.size = 0;
    if (!pack_array(&vu->request, 3) || !pack_integer(&vu->request, session->slot) ||
        !pack_integer(&vu->request, session->generation) ||
        !pack_binary(&vu->request, event->payload, event->size) || !request_ask(vu, OPERATION_INFLATE))
        return false;
    const uint8_t *payload;
    size_t size;
    if (vu->answer.status == ANSWER_OK && pack_read_binary(vu->answer.data, vu->answer.size, &payload, &size))
        frame_inflated(&session->decoder, payload, size, event);
    else if (vu->answer.status == ANSWER_OK)
        frame_violation(&session->decoder, CLOSE_TOO_BIG, "a message is too big", event);
    else
        frame_violation(&session->decoder, CLOSE_PROTOCOL_ERROR, "invalid compressed data", event);
    return true;
}

/* Deliver an event that was decoded just now. */
static bool dispatch(struct session *session, struct frame_event *event)
{
    JSContext *context = session->vu->context;
    if (event->is_compressed && !inflate(session, event)) return false;
    if (event->kind == FRAME_TEXT || event->kind == FRAME_BINARY) {
        if (session->drops_messages) return true;
        count_received(session, true);
        JSValue value = event->kind == FRAME_BINARY ? JS_NewArrayBufferCopy(context, event->payload, event->size)
                        : event->is_ascii           ? text_from_ascii(context, event->payload, event->size)
                                                    : text_value(session, event->payload, event->size);
        return deliver(session, KINDS[event->kind], value, JS_UNDEFINED, event_time(session));
    }
    JSValue a = JS_UNDEFINED, b = JS_UNDEFINED;
    if (event->kind == FRAME_CLOSE) b = text_value(session, event->payload, event->size);
    if (event->kind == FRAME_PONG) b = text_value(session, event->payload, event->size);
    if (event->kind == FRAME_VIOLATION)
        b = text_value(session, (const uint8_t *)event->violation, strlen(event->violation));
    bool is_matched = answer(session, event);
    if (event->kind == FRAME_PONG) a = js_bool(is_matched);
    if (event->kind == FRAME_CLOSE || event->kind == FRAME_VIOLATION) a = js_int(event->code);
    return deliver(session, KINDS[event->kind], a, b, event_time(session));
}

int receive_next(struct session *session)
{
    size_t wanted = 0;
    for (;;) {
        if (session->queue) return deliver_queued(session) ? 1 : -1;
        if (session->is_drained || session->state != SESSION_OPEN) return 0;
        struct frame_event event = decode(session);
        if (event.kind != FRAME_NONE) {
            note_undecoded(session);
            return dispatch(session, &event) ? 1 : -1;
        }
        wanted = event.wanted;
        if (!session->is_readable || !receive_some(session, wanted)) {
            if (session->queue) continue; /* the end has come */
            return 0;
        }
    }
}

/* -- while the VU is busy elsewhere --------------------------------------------------------------- */

static void queue_event(struct session *session, const struct frame_event *event)
{
    if (event->is_compressed) return; /* cannot be: deflated sessions are not read aside */
    const uint8_t *payload = event->payload;
    size_t size = event->size;
    bool is_message = event->kind == FRAME_TEXT || event->kind == FRAME_BINARY;
    if (is_message && session->drops_messages) return;
    if (event->kind == FRAME_VIOLATION) {
        payload = (const uint8_t *)event->violation;
        size = strlen(event->violation);
    }
    bool is_matched = answer(session, event);
    session_queue(session, KINDS[event->kind], event->code, is_matched, payload, size);
}

static void decode_aside(struct session *session)
{
    for (;;) {
        struct frame_event event = decode(session);
        if (event.kind == FRAME_NONE) break;
        queue_event(session, &event);
    }
    transmit_flush(session);
    bool is_full = session->queued_count > HIGH_WATER_EVENTS || session->queued_bytes > HIGH_WATER_BYTES;
    if (is_full || (session->queue && session->vu->undelivered_bytes > HIGH_WATER_BYTES_OF_VU))
        session_pause(session, true);
}

/* Decode the session's remaining bytes into its queue. The events get the time of the task, at which their bytes
 * arrived. */
static void decode_rest(struct session *session)
{
    const struct task *task = session->vu->tasks.first;
    struct queued_event *last = session->queue_last;
    decode_aside(session);
    if (!task || task->session != session) return;
    for (struct queued_event *event = last ? last->next : session->queue; event; event = event->next) event->time = task->time;
}

/* Sessions whose VU is about to resume are skipped, because the VU decodes by itself; but a session is skipped only a
 * few times, because its VU may go on in the same handler for long. */
void receive_undecoded(void)
{
    enum { LOOKS = 10 };
    struct session **link = &undecoded;
    while (*link) {
        struct session *session = *link;
        enum vu_state state = session->vu->state;
        if (state == VU_READY && ++session->looks < LOOKS) {
            link = &session->next_undecoded;
            continue;
        }
        *link = session->next_undecoded;
        session->is_undecoded = false;
        if (state != VU_IDLE && session->state == SESSION_OPEN && !session->is_drained) decode_rest(session);
    }
}

void receive_aside(struct session *session)
{
    if (session->is_deflated) { /* inflating needs the VU's fiber */
        session_pause(session, true);
        return;
    }
    if (receive_some(session, 0)) decode_aside(session);
    if (receive_owner == session) receive_release();
}

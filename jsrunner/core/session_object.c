/* The class `Session` of `jsrunner:core`: a session's methods in JavaScript (see session.h). */
#include "recipe.h"

#include "codec.h"
#include "pack.h"
#include "text.h"
#include "timers.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- the object ----------------------------------------------------------------------------------- */

static uint32_t session_class;

static struct session *session_of(JSValue self) { return JS_GetOpaque(self, session_class); }

static void finalize(JSRuntime *runtime, JSValue self)
{
    (void)runtime;
    struct session *session = session_of(self);
    if (session) session_free(session);
}

/* createSession(receive, isBlocking): make a session that is not dialed yet. */
JSValue session_create(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    JSValue object = JS_NewObjectClass(context, session_class);
    if (js_is_exception(object)) return object;
    JSValue receive = JS_DupValue(context, argv[0]);
    struct session *session = session_new(vu_of(context), JS_ToBool(context, argv[1]) > 0, receive);
    if (!session) {
        JS_FreeValue(context, receive);
        JS_FreeValue(context, object);
        return JS_ThrowOutOfMemory(context);
    }
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

/* Pack a recipe's question: the VU's tag set and the arguments of `dial`. */
static bool pack_question(JSContext *context, const struct session *session, int32_t tag_set, int argc, JSValue *argv,
                          struct bytes *to)
{
    bool is_packed = pack_integer(to, tag_set) && pack_integer(to, session->is_blocking);
    for (int i = 0; i < argc && is_packed; i++) is_packed = codec_write(context, argv[i], to);
    return is_packed;
}

/* dial(address, headers, tags, jar, compression, protocols): begin to connect. `receive` gets the outcome. */
METHOD(dial)
{
    SESSION_OR_RETURN;
    session->dial_turn = session->vu->turn;
    struct vu *vu = session->vu;
    /* A VU that dials one session after another must not delay the other VUs. */
    if (vu->is_aborting || (schedule_is_slice_over(vu, clock_now()) && !schedule_yield(vu)))
        return vu_throw_interrupted(vu);
    int32_t tag_set = vu_tag_set(vu);
    if (tag_set < 0) return vu_throw_interrupted(vu);
    struct bytes question = {0};
    if (!pack_question(context, session, tag_set, argc, argv, &question)) {
        bytes_free(&question);
        return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
    }
    struct recipe *recipe = vu->repeats_dials ? recipe_of(question.data, question.size) : NULL;
    JSValue result = JS_UNDEFINED;
    if (!recipe || !dial_again(session, recipe)) {
        vu->request.size = 0;
        bool is_packed = pack_array(&vu->request, 4 + (uint32_t)argc) &&
                         pack_integer(&vu->request, (int64_t)session_key(session)) &&
                         pack_integer(&vu->request, recipe ? recipe->number : -1) &&
                         bytes_append(&vu->request, question.data, question.size);
        session->is_dialed_by_python = true;
        vu->dialed_by_python++;
        result = is_packed ? request_value(vu, core_define_operation("session.dial")) : JS_ThrowOutOfMemory(context);
    }
    bytes_free(&question);
    return result;
}

/* Ask Python to deflate a message. The result is in vu->answer. */
static bool deflate(struct session *session, const uint8_t *payload, size_t size)
{
    struct vu *vu = session->vu;
    vu->request.size = 0;
    return pack_array(&vu->request, 3) && pack_integer(&vu->request, session->slot) &&
           pack_integer(&vu->request, session->generation) &&
           pack_binary(&vu->request, payload, size) && request_ask(vu, OPERATION_DEFLATE);
}

/* Wait until there is room for `size` more bytes of unsent output (see core_session_queues). Returns false, with an
 * exception pending, if there is no room or the VU must stop. */
static bool await_room(struct session *session, size_t size)
{
    struct vu *vu = session->vu;
    if (session->is_blocking || session->state != SESSION_OPEN) return true;
    if (transmit_pending(session) && transmit_pending(session) + size > queues.session_bytes) {
        transmit_flush(session);
        if (!transmit_drain(session, queues.patience)) {
            vu_throw_interrupted(vu);
            return false;
        }
    }
    if (transmit_pending(session) && transmit_pending(session) + size > queues.session_bytes) {
        JS_ThrowRangeError(vu->context, "the peer does not read, and %u MiB wait to be sent to it",
                           (unsigned)(queues.session_bytes >> 20));
        return false;
    }
    if (vu->unsent_bytes + size <= queues.vu_bytes) return true;
    JS_ThrowRangeError(vu->context, "%u MiB wait to be sent by the sockets of this VU",
                       (unsigned)(queues.vu_bytes >> 20));
    return false;
}

/* Make a k6/ws script wait while its peer does not read, as k6 does. */
static bool await_peer(struct session *session)
{
    enum { PATIENCE_BYTES = 1 << 20 };
    return !session->is_blocking || transmit_pending(session) < PATIENCE_BYTES || transmit_drain(session, NEVER);
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

/* sendText(text): send a text. Returns true if it could be sent. */
METHOD(send_text)
{
    SESSION_OR_RETURN;
    size_t size;
    const uint8_t *ascii = text_ascii(argv[0], &size);
    if (ascii) return send_message(context, session, OPCODE_TEXT, ascii, size);
    const char *text = JS_ToCStringLen2(context, &size, argv[0], false);
    if (!text) return JS_EXCEPTION;
    /* In place: the engine's text is a copy, except for ASCII texts, which have no surrogates. */
    utf8_replace_surrogates((uint8_t *)(uintptr_t)text, size);
    JSValue result = send_message(context, session, OPCODE_TEXT, (const uint8_t *)text, size);
    JS_FreeCString(context, text);
    return result;
}


/* setHandler(isBinary, handler): call `handler` instead of `receive` with messages of the kind. undefined removes it. */
METHOD(set_handler)
{
    SESSION_OR_RETURN;
    if (session->is_stopped) return JS_UNDEFINED;
    JSValue *handler = JS_ToBool(context, argv[0]) > 0 ? &session->binary_handler : &session->text_handler;
    JSValue old = *handler;
    *handler = JS_DupValue(context, argv[1]);
    JS_FreeValue(context, old);
    return JS_UNDEFINED;
}

/* The properties of a message event, in their order. */
static const char *const EVENT_PROPERTIES[EVENT_PROPERTY_COUNT] = {"type", "target", "timestamp", "data", "origin"};

/* messageEvent(target, timestamp, data, origin): a message event of k6/websockets, whose properties are read-only.
 * Measured (`events-50`): 1 us less per message than with Object.defineProperties. */
METHOD(message_event)
{
    SESSION_OR_RETURN;
    const JSAtom *names = session->vu->event_properties;
    JSValue event = JS_NewObject(context);
    JSValue type = JS_AtomToString(context, names[EVENT_PROPERTY_COUNT]);
    bool is_made = !js_is_exception(event) && !js_is_exception(type);
    if (!is_made) JS_FreeValue(context, type);
    for (int i = 0; i < EVENT_PROPERTY_COUNT && is_made; i++) {
        JSValue value = i ? JS_DupValue(context, argv[i - 1]) : type;
        is_made = JS_DefinePropertyValue(context, event, names[i], value, JS_PROP_ENUMERABLE) >= 0;
    }
    if (is_made) return event;
    JS_FreeValue(context, event);
    return JS_EXCEPTION;
}

/* sendBinary(buffer, offset, length): send bytes. Returns true if they could be sent. */
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

/* The function that session.sender returns: send(message). `magic`: whether messages are binary. */
static JSValue send_by_sender(JSContext *context, JSValue self, int argc, JSValue *argv, int magic, JSValue *data)
{
    struct session *session = session_of(data[0]);
    bool is_sendable = argc && (magic ? JS_IsArrayBuffer(argv[0]) : js_is_string(argv[0]));
    if (!is_sendable || session->state != SESSION_OPEN || session->is_closing)
        return JS_Call(context, data[1], self, argc, argv);
    JSValue result = magic ? send_binary(context, data[0], 1, argv) : send_text(context, data[0], 1, argv);
    return js_is_exception(result) ? result : JS_UNDEFINED;
}

/* sender(isBinary, other): return a function that sends a text or an ArrayBuffer if the session is open, and otherwise
 * calls `other`. */
METHOD(sender)
{
    SESSION_OR_RETURN;
    JSValue data[2] = {self, argv[1]};
    return JS_NewCFunctionData(context, send_by_sender, 1, JS_ToBool(context, argv[0]) > 0, 2, data);
}

/* ping(): send a ping, whose payload is the number of pings before it. Returns true if it could be sent. */
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

/* sendClose(code, reason): send a close frame, the last frame. Returns true if it could be sent. */
METHOD(send_close)
{
    SESSION_OR_RETURN;
    int32_t code;
    if (JS_ToInt32(context, &code, argv[0]) < 0) return JS_EXCEPTION;
    size_t size = 0;
    const char *reason = argc > 1 && !js_is_nullish(argv[1]) ? JS_ToCStringLen2(context, &size, argv[1], false) : NULL;
    if (reason) utf8_replace_surrogates((uint8_t *)(uintptr_t)reason, size); /* in place, see send_text */
    bool is_sent = transmit_close(session, (uint16_t)code, (const uint8_t *)reason, size, true);
    if (reason) JS_FreeCString(context, reason);
    session->drops_messages = !session->is_blocking;
    return js_bool(is_sent);
}

/* shut(): close the TCP connection. A k6/ws script first waits until its output is written, but for no more than 10 s
 * in which the peer reads nothing: then k6, too, gives up a close frame. Returns k6's text of the write error, if writing has
 * failed. */
METHOD(shut)
{
    SESSION_OR_RETURN;
    transmit_flush(session);
    if (session->is_blocking && !transmit_drain(session, queues.patience)) return vu_throw_interrupted(session->vu);
    if (session->is_blocking && transmit_unsent(session)) transmit_fail(session, ETIME);
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

/* stop(): deliver no more events, and make run() return. */
METHOD(stop)
{
    SESSION_OR_RETURN;
    session_stop_events(session);
    session_drop_queue(session);
    tasks_remove_session(session->vu, session);
    return JS_UNDEFINED;
}

/* finish(): record the duration of the session, which is over. */
METHOD(finish)
{
    SESSION_OR_RETURN;
    session_measure(session);
    return JS_UNDEFINED;
}

/* stopSamples(): record what was sent and received so far, and nothing from now on. */
METHOD(stop_samples)
{
    SESSION_OR_RETURN;
    transmit_flush(session);
    session_count(session, clock_now());
    session->is_counted = true;
    session->series_duration = -1;
    return JS_UNDEFINED;
}

/* setTimer(call, delay in ms, repeats): add a timer whose function is called inside run(). */
METHOD(set_timer)
{
    SESSION_OR_RETURN;
    double delay;
    if (session->is_stopped) return JS_UNDEFINED;
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
    return js_number((double)session_key(session));
}

/* unsent(): return the number of bytes of output that the peer's kernel has not acknowledged. */
METHOD(get_unsent)
{
    SESSION_OR_RETURN;
    return js_number((double)transmit_unacknowledged(session));
}

METHOD(get_buffered)
{
    SESSION_OR_RETURN;
    bool is_same_turn = session->turn == session->vu->turn;
    return js_number((double)(is_same_turn ? session->buffered_in_turn : session->buffered));
}

/* isNew(): return true if the event loop has run no task since the dialing began. */
METHOD(is_new)
{
    SESSION_OR_RETURN;
    return js_bool(session->dial_turn == session->vu->turn);
}

/* Deliver a timer or an event that is due. Returns 1 if there was one, 0 if not, -1 if JavaScript has thrown. */
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

/* run(): block the VU and deliver events until stop(). If the handshake has no outcome yet, return after its outcome.
 * On a fiber. */
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
        {"dial", dial, 6},           {"sendText", send_text, 1}, {"sendBinary", send_binary, 1}, {"ping", ping, 0},
        {"sendClose", send_close, 2}, {"shut", shut, 0},            {"stop", stop, 0},
        {"finish", finish, 0},       {"setTimer", set_timer, 3},    {"run", run, 0},
        {"id", get_id, 0},           {"buffered", get_buffered, 0}, {"unsent", get_unsent, 0},
        {"messageEvent", message_event, 4}, {"isNew", is_new, 0},        {"sender", sender, 2},         {"setHandler", set_handler, 2},
        {"stopSamples", stop_samples, 0},
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
    for (size_t i = 0; i < EVENT_PROPERTY_COUNT; i++)
        vu->event_properties[i] = JS_NewAtom(context, EVENT_PROPERTIES[i]);
    vu->event_properties[EVENT_PROPERTY_COUNT] = JS_NewAtom(context, "message");
}

void session_uninstall(struct vu *vu)
{
    for (size_t i = 0; i <= EVENT_PROPERTY_COUNT; i++) JS_FreeAtom(vu->context, vu->event_properties[i]);
}

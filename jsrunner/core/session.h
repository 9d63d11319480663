/* A WebSocket session: one for both k6/ws and k6/websockets.
 *
 * Theory. JavaScript makes a session (createSession) and has Python dial for it (dial.c). Python says that
 * it is open, and what the handshake has said (core_session_open), or why there is none
 * (core_session_fail). From then on the core reads, decodes and writes, and calls the session's
 * `receive(kind, a, b, time)` for each event; kinds are those of enum session_event. Most k6/ws scripts have one
 * handler for messages, which is called without the way over `receive` (session.setHandler), and send texts
 * by a function of the core (session.sender): this saves five of six calls of JavaScript per round trip. Measured
 * with 500 VUs, whose functions the processor's caches do not hold (bench/bench.py, echo-500): 12 us CPU per
 * round trip instead of 20, on a busy machine.
 *
 * A blocking session (k6/ws) has its events only while its VU is inside session.run(), one of which
 * may be inside another. An event session (k6/websockets) is a task of the VU's event loop; while the
 * VU is busy elsewhere, its socket is read on the main stack, pings and close frames are answered at
 * once, and messages wait in `queue`.
 *
 * With TLS the socket is Python's: it reads and writes by ssl, and the core sees plain bytes
 * (core_session_feed, core_session_output).
 *
 * Invariants.
 *  - A session belongs to one VU, and to the JavaScript object through which its script sees it. It
 *    is freed by the VU's interpreter, never before; `descriptor` is -1 when it has no socket.
 *  - `slot` and `generation` name it for the poller and for Python; a stale name meets another
 *    generation and is ignored.
 *  - Bytes that were received and not decoded lie in `rx` from rx_at on, or, for the session that owns
 *    it, in the process's receive buffer. They are copied to `rx` whenever the VU parks.
 *  - Bytes that are to be written lie in `tx` from tx_at on, behind them those in the process's send
 *    buffer, if the session owns it. The send buffer is written whenever the VU parks.
 */
#ifndef JSRUNNER_SESSION_H
#define JSRUNNER_SESSION_H

#include "core.h"
#include "frames.h"

#include <netinet/in.h>

enum session_event {
    EVENT_OPEN,         /* what Python has said of the handshake */
    EVENT_FAILED,       /* what Python has said of the failure */
    EVENT_TEXT,         /* the text */
    EVENT_BINARY,       /* an ArrayBuffer */
    EVENT_PING,
    EVENT_PONG,         /* whether a ping of ours was answered, the payload as text */
    EVENT_CLOSE,        /* code, reason: a close frame; nothing follows */
    EVENT_END,          /* the stream has ended without a close frame; nothing follows */
    EVENT_RESET,        /* the connection was reset; nothing follows */
    EVENT_VIOLATION,    /* code, what: the peer broke the protocol, a close frame was sent; nothing follows */
    EVENT_WRITE_FAILED, /* Go's text of the error */
    EVENT_COUNT,
};

/* The address of a socket's peer. */
union peer {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

enum session_state { SESSION_DIALING, SESSION_OPEN, SESSION_OVER };

/* An event that waits for its VU. */
struct queued_event {
    struct queued_event *next;
    double time;
    enum session_event kind;
    uint16_t code;
    bool is_matched;
    struct bytes payload;
};

/* A frame that is not written yet; `end` counts from the session's first byte. */
struct outgoing {
    uint64_t end;
    uint32_t payload_size;
    bool is_message;
};

struct session {
    struct session *next;
    struct vu *vu;
    uint32_t slot, generation;
    int descriptor;
    enum session_state state;
    /* Which face it has: k6/ws or k6/websockets. */
    bool is_blocking;
    bool is_secure;
    /* permessage-deflate was agreed on. */
    bool is_deflated;
    /* EVENT_OPEN or EVENT_FAILED was delivered. */
    bool has_outcome;
    /* A close frame was sent: no message may follow. */
    bool is_closing;
    /* The script has closed it: messages that still come are dropped. */
    bool drops_messages;
    /* The script wants no more events. */
    bool is_stopped;
    /* No event comes from the socket any more. */
    bool is_drained;
    bool is_readable, is_paused, wants_output, is_tls_posted, is_input_posted;
    /* What the poller watches its socket for: POLL_ flags, 0 if it does not know it. */
    unsigned watched;
    /* With TLS: how the stream has ended behind the bytes in rx, 0 if it goes on. */
    enum stream_end { STREAM_GOES_ON, STREAM_ENDED, STREAM_RESET } end;
    /* Has had a large frame: it reads into a buffer of its own. */
    bool is_large;

    struct frame_decoder decoder;
    struct bytes rx;
    size_t rx_at;
    /* Noted as one that has more than what is being delivered (receive.c). */
    bool is_undecoded;
    uint8_t looks; /* at it since then */
    struct session *next_undecoded;
    struct queued_event *queue, *queue_last;
    size_t queued_count, queued_bytes;

    struct bytes tx;
    size_t tx_at;
    /* How many of them are in vu->unsent_bytes. */
    size_t unsent_bytes;
    uint64_t tx_end, tx_written;
    struct outgoing *outgoing;
    size_t outgoing_at, outgoing_count, outgoing_capacity;
    /* Payload bytes of messages that are not written; a close frame's are taken off though they were
     * never added, as in k6. */
    int64_t buffered;
    /* The same without what the kernel has taken during this turn of the event loop: scripts see no
     * decrease in between (https://websockets.spec.whatwg.org/#dom-websocket-bufferedamount). */
    int64_t buffered_in_turn;
    uint64_t turn;
    /* The turn of the VU in which it began to be dialed. */
    uint64_t dial_turn;
    int write_error;
    union peer peer;
    /* While the core dials (see dial.c). */
    struct dialing *dialing;

    JSValue receive;
    /* What is called with texts, and with ArrayBuffers, instead of `receive`; undefined if nothing is. */
    JSValue text_handler, binary_handler;
    struct timers timers;

    double started;
    int32_t series_sent, series_received, series_ping, series_duration;
    int32_t metadata;
    int64_t sent, received;
    double *pings;
    size_t ping_count, ping_capacity;
};

/* session.c */
void session_queue(struct session *, enum session_event, uint16_t code, bool is_matched, const uint8_t *payload,
                   size_t size);
void session_drop_queue(struct session *);
/* A session that waits for dialing; `receive` is its own from now on. NULL without memory. */
struct session *session_new(struct vu *, bool is_blocking, JSValue receive);
/* The session's object is gone. */
void session_free(struct session *);
/* The session is over: record what was counted and how long it was. */
void session_measure(struct session *);
/* No event reaches the script any more: let go of its functions, which hold the session's object. */
void session_stop_events(struct session *);
/* Its name for the poller and for JavaScript. */
static inline uint64_t session_key(const struct session *session)
{
    return (uint64_t)session->generation << 32 | session->slot;
}
/* The session of this name, NULL if there is none any more. */
struct session *session_at(uint32_t slot, uint32_t generation);
/* See core_session_open. The VU runs if it waits for this. On the main stack. */
void session_open(struct session *, int descriptor, bool is_deflated, const int32_t series[6], double started,
                  const uint8_t *payload, size_t payload_size, const uint8_t *rest, size_t rest_size);
/* Let the poller watch for what the session waits for now. */
void session_watch(struct session *);
/* Stop reading, or go on. */
void session_pause(struct session *, bool is_paused);
/* Close the socket. */
void session_shut(struct session *);
/* Put what was counted into the series. */
void session_count(struct session *, double time);

/* transmit.c: what is sent. */
/* Queue a frame; written when the VU parks at the latest. False: the session cannot send any more. */
bool transmit_frame(struct session *, uint8_t first, const uint8_t *payload, size_t size, bool is_message);
bool transmit_close(struct session *, uint16_t code, const uint8_t *reason, size_t size, bool is_message);
/* Write what waits. */
void transmit_flush(struct session *);
/* Write the send buffer, whoever owns it. */
void transmit_flush_shared(void);
/* Have Python write a TLS session's output, or the poller tell when the kernel takes more. */
void transmit_await(struct session *);
/* Bytes that are not written. */
static inline size_t transmit_pending(const struct session *session) { return session->tx.size - session->tx_at; }
/* `size` bytes of tx were written. */
void transmit_written(struct session *, size_t size);
/* Go's text of the session's write error. */
size_t transmit_error_text(const struct session *, char *to, size_t capacity);
void transmit_forget(struct session *);

/* receive.c: what is received. */
/* Deliver the next event, reading if need be: 1: one was delivered, 0: there is none now, -1:
 * JavaScript has thrown or the VU is to stop. On a fiber. */
int receive_next(struct session *);
/* Read and decode while the VU is busy elsewhere; events are queued. */
void receive_aside(struct session *);
/* Bytes that Python has read from a TLS session, and whether the stream has ended behind them. */
void receive_feed(struct session *, const uint8_t *data, size_t size, enum stream_end);
/* Return whether receive_next might deliver without waiting. */
bool receive_is_ready(const struct session *);
/* Copy what the receive buffer holds of a session to its own. */
void receive_release(void);
void receive_forget(struct session *);

/* dial.c: before it is open. */
/* The poller says that the socket of a session that dials is ready. On the main stack. */
void dial_ready(struct session *, unsigned events);
/* Read a literal address. Returns false if it is none. */
bool dial_address(const char *text, uint16_t port, union peer *to);
/* Dial by a recipe. Returns false if that cannot be done: Python tries then, and tells why. */
struct recipe;
bool dial_again(struct session *, struct recipe *);
/* Forget the dialing; the socket stays open. */
void dial_forget(struct session *);

/* secure.c: TLS. */
/* The poller says that the session's socket is ready. On the main stack. */
void secure_ready(struct session *, unsigned events);
/* The session is over: keep what it wanted to send until Python has closed the socket. */
void secure_part(struct session *);

#endif

/* A WebSocket session, for k6/ws and for k6/websockets.
 *
 * Theory. JavaScript makes a session (createSession) and asks Python to dial (dial.c). Python reports the open
 * connection with the outcome of the handshake (core_session_open), or the failure (core_session_fail). From then
 * on the core reads, decodes and writes, and calls the session's `receive(kind, a, b, time)` for each event; the
 * kinds are those of enum session_event. Most k6/ws scripts have one handler for messages. The core calls that
 * handler directly, without `receive` (session.setHandler), and scripts send texts by a function of the core
 * (session.sender). This saves five of six JavaScript calls per round trip. Measured with 500 VUs, whose
 * functions exceed the processor's caches (bench/bench.py, echo-500): 12 us CPU per round trip instead of 20, on
 * a busy machine.
 *
 * A blocking session (k6/ws) delivers events only while its VU is inside session.run(). One run() may be inside
 * another. An event session (k6/websockets) is a task of the VU's event loop. While the VU is busy elsewhere, the
 * main stack reads the socket of an event session: pings and close frames are answered at once, messages wait in
 * `queue`.
 *
 * With TLS (secure.c) OpenSSL is between the socket and the buffers that are described here: they have plain bytes.
 *
 * Invariants.
 *  - A session belongs to one VU, and to the JavaScript object through which the script sees the session. Only
 *    the VU's interpreter frees it. `descriptor` is -1 while the session has no socket.
 *  - `slot` and `generation` name a session for the poller and for Python. A stale name has another generation
 *    and is ignored.
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
#include <stddef.h>
#include <sys/types.h>

enum session_event {
    EVENT_OPEN,         /* Python's payload of core_session_open */
    EVENT_FAILED,       /* Python's payload of core_session_fail */
    EVENT_TEXT,         /* the text */
    EVENT_BINARY,       /* an ArrayBuffer */
    EVENT_PING,
    EVENT_PONG,         /* true if the pong answers a ping of this session; the payload as text */
    EVENT_CLOSE,        /* code, reason: a close frame; nothing follows */
    EVENT_END,          /* the stream has ended without a close frame; nothing follows */
    EVENT_RESET,        /* the connection was reset; nothing follows */
    EVENT_VIOLATION,    /* code, description: the peer broke the protocol, a close frame was sent; nothing follows */
    EVENT_WRITE_FAILED, /* the error's text as k6 has it */
    EVENT_COUNT,
};

/* The address of a socket's peer. */
union peer {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Close codes that are counted apart. */
#define MAX_CLOSE_CODES 64

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
    /* The list of the VU's sessions: the next one, and the pointer that points here. A script that connects again and
     * again has hundreds of dead sessions in it until the engine collects them. */
    struct session *next, **link;
    struct vu *vu;
    uint32_t slot, generation;
    int descriptor;
    enum session_state state;
    /* True for k6/ws, false for k6/websockets. */
    bool is_blocking;
    /* permessage-deflate was agreed on. */
    bool is_deflated;
    bool is_dialed_by_python;
    /* Messages, pings and the handshake are no longer recorded. */
    bool is_counted;
    /* EVENT_OPEN or EVENT_FAILED was delivered. */
    bool has_outcome;
    /* A close frame was sent: no message may follow. */
    bool is_closing;
    /* The code of the first close frame, sent or received, or of the violation; 0 without one. */
    uint16_t close_code;
    /* The script has closed the session: messages that still arrive are dropped. */
    bool drops_messages;
    /* session.stop() was called: no event is delivered. */
    bool is_stopped;
    /* The socket brings no further event. */
    bool is_drained;
    bool is_readable, is_paused, wants_output;
    /* POLL_ flags for which the poller watches the socket, 0 if the poller does not watch it. */
    unsigned watched;
    /* The TLS of the connection, NULL without TLS. */
    struct secure *secure;
    /* The session has had a large frame and reads into a buffer of its own. */
    bool is_large;

    struct frame_decoder decoder;
    struct bytes rx;
    size_t rx_at;
    /* In the list of sessions with undecoded bytes behind the message that is being delivered (receive.c). */
    bool is_undecoded;
    uint8_t looks; /* calls of receive_undecoded since it entered the list */
    struct session *next_undecoded;
    struct queued_event *queue, *queue_last;
    size_t queued_count, queued_bytes;

    struct bytes tx;
    size_t tx_at;
    /* The part of vu->unsent_bytes that is this session's. */
    size_t unsent_bytes;
    uint64_t tx_end, tx_written;
    struct outgoing *outgoing;
    size_t outgoing_at, outgoing_count, outgoing_capacity;
    /* Payload bytes of unwritten messages. As in k6, the payload of a written close frame is subtracted although
     * it was never added. */
    int64_t buffered;
    /* `buffered` for scripts: it does not decrease within one turn of the event loop
     * (https://websockets.spec.whatwg.org/#dom-websocket-bufferedamount). */
    int64_t buffered_in_turn;
    uint64_t turn;
    /* The VU's turn in which the dialing began. */
    uint64_t dial_turn;
    int write_error;
    union peer peer;
    /* Set while the core dials (see dial.c). */
    struct dialing *dialing;

    JSValue receive;
    /* Functions that get texts and ArrayBuffers instead of `receive`; undefined if there are none. */
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
/* Make a session in SESSION_DIALING. Takes over the reference `receive`. Returns NULL if memory is exhausted. */
struct session *session_new(struct vu *, bool is_blocking, JSValue receive);
/* Free a session. Called by the finalizer of the session's object. */
void session_free(struct session *);
/* Record the counts and the duration of a session that is over. */
void session_measure(struct session *);
/* Deliver no more events: release the script's functions, which hold references to the session's object. */
void session_stop_events(struct session *);
/* Return the session's name for the poller and for JavaScript. */
static inline uint64_t session_key(const struct session *session)
{
    return (uint64_t)session->generation << 32 | session->slot;
}
/* Return the session of this name, NULL if the session is gone. */
struct session *session_at(uint32_t slot, uint32_t generation);
/* Open a session, see core_session_open. Resumes the VU if it waits for the outcome. On the main stack. */
void session_open(struct session *, bool is_deflated, const int32_t series[6], double started,
                  const uint8_t *payload, size_t payload_size, const uint8_t *rest, size_t rest_size);
/* Update the poller's flags to those that the session waits for. */
void session_watch(struct session *);
/* Stop or resume reading. */
void session_pause(struct session *, bool is_paused);
/* Close the socket. */
void session_shut(struct session *);
/* Add the session's counts of messages since the last call to its series. */
void session_count(struct session *, double time);

/* secure.c: return the number of encrypted bytes that wait for the socket. 0 without TLS. */
size_t secure_waiting(const struct session *);

/* transmit.c: output. */
/* Limits of unsent output, see core_session_queues. */
struct queues {
    size_t session_bytes, vu_bytes;
    double patience, last_patience;
};
extern struct queues queues;
/* Queue a frame. It is written when the VU parks, or earlier. Returns false if the session cannot send any more. */
bool transmit_frame(struct session *, uint8_t first, const uint8_t *payload, size_t size, bool is_message);
bool transmit_close(struct session *, uint16_t code, const uint8_t *reason, size_t size, bool is_message);
/* Send bytes on the session's socket, as many as the kernel takes. Returns their number, or -1 with an errno. */
ptrdiff_t transmit_bytes(const struct session *, const uint8_t *data, size_t size);
/* Write the session's output. */
void transmit_flush(struct session *);
/* Write the process's send buffer, whichever session owns it. */
void transmit_flush_shared(void);
/* Watch the session's socket for room. */
void transmit_await(struct session *);
/* Return the number of unwritten bytes in tx. */
static inline size_t transmit_pending(const struct session *session) { return session->tx.size - session->tx_at; }
/* Return the number of bytes of output, with TLS in part encrypted, that the kernel has not taken. */
static inline size_t transmit_unsent(const struct session *session)
{
    return transmit_pending(session) + secure_waiting(session);
}
/* Wait until the kernel has taken all output. Give up after `patience` seconds without progress; NEVER: wait for ever.
 * Returns false if the VU must stop. On a fiber. */
bool transmit_drain(struct session *, double patience);
/* Return the number of bytes of output that the peer's kernel has not acknowledged. Flushes the output. */
size_t transmit_unacknowledged(struct session *);
/* End writing: the output that is left cannot be written because of this error. */
void transmit_fail(struct session *, int error);
/* Note that `size` bytes of tx were written. */
void transmit_written(struct session *, size_t size);
/* Write the text that k6 has for the session's write error to `to`. Returns its size. */
size_t transmit_error_text(const struct session *, char *to, size_t capacity);
void transmit_forget(struct session *);

/* receive.c: input. */
/* Deliver the next event; read the socket if no event is decoded yet. Returns 1 if an event was delivered, 0 if
 * there is none now, -1 if JavaScript has thrown or the VU must stop. On a fiber. */
int receive_next(struct session *);
/* Read and decode while the VU is busy elsewhere. Events are queued. */
void receive_aside(struct session *);
/* Return true if receive_next may deliver an event without waiting. */
bool receive_is_ready(const struct session *);
/* Copy the contents of the process's receive buffer to the rx of the session that owns it. */
void receive_release(void);
void receive_forget(struct session *);

/* dial.c: sessions that are not open yet. */
/* Handle the readiness of a dialing session's socket. On the main stack. */
void dial_ready(struct session *, unsigned events);
/* Parse a literal IP address. Returns false if the text is none. */
bool dial_address(const char *text, uint16_t port, union peer *to);
/* Dial by a recipe. Returns false if the core cannot; Python then dials and reports the error. */
struct recipe;
bool dial_again(struct session *, struct recipe *);
/* Forget the dialing. The socket stays open. */
void dial_forget(struct session *);

/* secure.c: TLS. The functions need a session with TLS unless their comment allows one without. */
struct ssl_ctx_st;
struct ssl_st;
/* The parameters of a TLS connection with a server (`TLSTarget` of binding.py). */
struct tls_target {
    const void *functions; /* addresses of OpenSSL's functions, in the order of struct tls_functions */
    struct ssl_ctx_st *context;
    /* The name that the certificate must have: a host name, or, if address_size is not 0, an address. */
    const char *name;
    size_t name_size;
    uint8_t address[16];
    size_t address_size;
};
/* The reason why a TLS handshake, or the connection afterwards, has failed (`failure_of` of transport/tls_socket.py). */
struct tls_failure {
    uint64_t first_error, last_error; /* codes in OpenSSL's queue, 0 for none */
    int64_t verify_result;            /* X509_V_ERR_* */
    int32_t kind;                     /* SSL_ERROR_*; 0 if the socket is broken */
    int32_t number;                   /* the errno of a broken socket, else 0 */
    uint32_t header_size;
    uint8_t header[8]; /* the first bytes that the server has sent */
};
/* Begin TLS on the session's socket. Returns false if memory is exhausted or the server's name is not valid. */
bool secure_begin(struct session *, const struct tls_target *);
/* Continue the handshake. Returns 0 if it is over, EAGAIN if the socket is not ready, EPROTO if it has failed. */
int secure_shake_hands(struct session *);
const struct tls_failure *secure_failure(const struct session *);
/* Return Go's text of the alert with which this end has ended the connection, which must not be written to any more; NULL
 * without. */
const char *secure_alert(const struct session *);
/* Return the SSL, which the caller owns from now on; NULL without TLS. The caller calls secure_free next. */
struct ssl_st *secure_take(struct session *);
/* Receive and decrypt. `room`: at least 32 KiB. Returns the same as recv; the errno is EPROTO if OpenSSL has ended the
 * connection, ENODATA if the stream has ended within a record. Sets `is_all` to true if the socket is empty. */
ssize_t secure_receive(struct session *, uint8_t *to, size_t room, bool *is_all);
/* Send the encrypted bytes that wait for the socket, then encrypt and send these. Returns the number of plain bytes that
 * were encrypted, some of which may wait for the socket (secure_waiting). Returns -1 with an errno if the connection
 * is broken, EPROTO if this end has ended the connection with an alert. */
ptrdiff_t secure_send(struct session *, const uint8_t *data, size_t size);
/* Return false if OpenSSL must receive before it can encrypt (a renegotiation). True without TLS. */
bool secure_can_write(const struct session *);
/* Send close_notify, and free the TLS. The socket stays open. Does nothing without TLS. */
void secure_close(struct session *);
/* Free the TLS without close_notify. Does nothing without TLS. */
void secure_free(struct session *);

#endif

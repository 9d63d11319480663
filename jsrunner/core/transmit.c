/* The sending half of a WebSocket session.
 *
 * Theory. Frames are masked directly into one send buffer of the process. The buffer belongs to the session that
 * wrote last. One system call sends it when the VU parks, when another session needs the buffer, or when it is full.
 * Bytes that the kernel does not take move to the session's own `tx`, and the poller watches for room.
 *
 * Measured (2 cores, loopback, 50 VUs, 64 B): joining frames of one dispatch into one send costs one
 * copy of 70 bytes and saves a system call of 2 us per further frame.
 */
#include "session.h"

#include "mask.h"
#include "poller.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SEND_BUFFER = 256 << 10 };

static uint8_t send_buffer[SEND_BUFFER];
static size_t send_size;
static struct session *send_owner;
struct queues queues = {SIZE_MAX / 2, SIZE_MAX / 2, 10, 8};

/* -- accounting ----------------------------------------------------------------------------------- */

/* Record the end of a frame, so that `advance` notices when the frame is written. */
static bool remember(struct session *session, uint8_t first, size_t frame_size, size_t payload_size, bool is_message)
{
    session->tx_end += frame_size;
    if (session->is_blocking) return true; /* counted when it is sent */
    if (session->outgoing_count == session->outgoing_capacity) {
        size_t capacity = session->outgoing_capacity ? 2 * session->outgoing_capacity : 4;
        struct outgoing *grown = realloc(session->outgoing, capacity * sizeof *grown);
        if (!grown) return false;
        session->outgoing = grown;
        session->outgoing_capacity = capacity;
    }
    bool is_control = first & 0x8;
    /* As in k6, of control frames only a close frame of the script's is subtracted when it is written. */
    if (is_control && ((first & 0xF) != OPCODE_CLOSE || !is_message)) payload_size = 0;
    session->outgoing[session->outgoing_count++] =
        (struct outgoing){session->tx_end, (uint32_t)payload_size, is_message};
    if (is_control) return true;
    if (session->turn != session->vu->turn) {
        session->turn = session->vu->turn;
        session->buffered_in_turn = session->buffered;
    }
    session->buffered += (int64_t)payload_size;
    session->buffered_in_turn += (int64_t)payload_size;
    return true;
}

/* Note that the kernel has taken `size` more bytes. */
static void advance(struct session *session, size_t size)
{
    session->tx_written += size;
    if (!session->secure) session->vu->bytes_sent += size;
    while (session->outgoing_at < session->outgoing_count) {
        const struct outgoing *first = &session->outgoing[session->outgoing_at];
        if (first->end > session->tx_written) return;
        session->buffered -= first->payload_size;
        session->sent += first->is_message;
        session->outgoing_at++;
    }
    session->outgoing_at = session->outgoing_count = 0;
    if (samples_keep_records()) session_count(session, clock_now());
}

/* Update the VU's sum of unsent bytes after a change of `tx`. */
static void count_unsent(struct session *session)
{
    size_t pending = transmit_pending(session);
    session->vu->unsent_bytes += pending - session->unsent_bytes;
    session->unsent_bytes = pending;
}

void transmit_fail(struct session *session, int error)
{
    session->write_error = error;
    session->is_closing = true;
    session->tx.size = session->tx_at = 0;
    count_unsent(session);
    session->outgoing_at = session->outgoing_count = 0;
    session->buffered = 0;
    if (session->state != SESSION_OPEN) return;
    char text[256];
    size_t size = transmit_error_text(session, text, sizeof text);
    session_queue(session, EVENT_WRITE_FAILED, 0, false, (uint8_t *)text, size);
}

/* Write an end of a connection as k6 shows it, e.g. `127.0.0.1:80`. */
static void end_text(const union peer *end, char *to, size_t capacity)
{
    char address[INET6_ADDRSTRLEN] = "";
    bool is_six = end->any.sa_family == AF_INET6;
    if (is_six) inet_ntop(AF_INET6, &end->six.sin6_addr, address, sizeof address);
    else inet_ntop(AF_INET, &end->four.sin_addr, address, sizeof address);
    snprintf(to, capacity, is_six ? "[%s]:%d" : "%s:%d", address,
             ntohs(is_six ? end->six.sin6_port : end->four.sin_port));
}

size_t transmit_error_text(const struct session *session, char *to, size_t capacity)
{
    const char *alert = session->write_error == EPROTO ? secure_alert(session) : NULL;
    if (alert) {
        snprintf(to, capacity, "local error: tls: %s", alert);
        return strlen(to);
    }
    /* Go's texts are those of the C library in lower case. ETIME is the end of transmit_drain's patience. */
    bool is_late = session->write_error == ETIME;
    char reason[96];
    snprintf(reason, sizeof reason, "%s", is_late ? "i/o timeout" : strerror(session->write_error));
    reason[0] = (char)tolower((unsigned char)reason[0]);
    union peer local = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t local_size = sizeof local;
    getsockname(session->descriptor, &local.any, &local_size);
    char ends[2][INET6_ADDRSTRLEN + 8];
    end_text(&local, ends[0], sizeof ends[0]);
    end_text(&session->peer, ends[1], sizeof ends[1]);
    int size = snprintf(to, capacity, "write tcp %s->%s: %s%s", ends[0], ends[1], is_late ? "" : "write: ", reason);
    return size < 0 ? 0 : (size_t)size < capacity ? (size_t)size : capacity - 1;
}

/* -- writing -------------------------------------------------------------------------------------- */

ptrdiff_t transmit_bytes(const struct session *session, const uint8_t *data, size_t size)
{
    size_t sent = 0;
    while (sent < size) {
        ssize_t count = send(session->descriptor, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        if (count < 0) break;
        sent += (size_t)count;
    }
    return (ptrdiff_t)sent;
}

static void stop_awaiting(struct session *session)
{
    if (!session->wants_output) return;
    session->wants_output = false;
    session_watch(session);
}

/* Write as many bytes as the kernel takes, with TLS as many as OpenSSL encrypts now. Returns their number. */
static size_t write_some(struct session *session, const uint8_t *data, size_t size)
{
    schedule_note_write();
    if (session->secure) {
        ptrdiff_t count = secure_send(session, data, size);
        if (count < 0) transmit_fail(session, errno);
        else if (secure_waiting(session)) transmit_await(session);
        if (!secure_can_write(session)) stop_awaiting(session);
        return count < 0 ? 0 : (size_t)count;
    }
    ptrdiff_t written = transmit_bytes(session, data, size);
    if (written < 0) transmit_fail(session, errno);
    return written < 0 ? 0 : (size_t)written;
}

void transmit_await(struct session *session)
{
    if (session->wants_output || !secure_can_write(session)) return;
    session->wants_output = true;
    session_watch(session);
}

/* Remove the written bytes from the session's buffer if they are most of it. */
static void compact(struct session *session)
{
    struct bytes *tx = &session->tx;
    if (session->tx_at < tx->size / 2) return;
    if (session->tx_at < tx->size) memmove(tx->data, tx->data + session->tx_at, tx->size - session->tx_at);
    tx->size -= session->tx_at;
    session->tx_at = 0;
}

static void keep(struct session *session, const uint8_t *data, size_t size)
{
    compact(session);
    if (!bytes_append(&session->tx, data, size)) transmit_fail(session, ENOMEM);
    else transmit_await(session);
    count_unsent(session);
}

void transmit_flush_shared(void)
{
    struct session *session = send_owner;
    size_t size = send_size;
    send_owner = NULL;
    send_size = 0;
    if (!session || !size || session->state != SESSION_OPEN || session->write_error) return;
    size_t written = 0;
    if (!transmit_pending(session)) {
        written = write_some(session, send_buffer, size);
        if (session->write_error) return;
        advance(session, written);
    }
    if (written < size) keep(session, send_buffer + written, size - written);
}

void transmit_flush(struct session *session)
{
    if (send_owner == session) transmit_flush_shared();
    if (!transmit_unsent(session)) return;
    if (session->state != SESSION_OPEN) return;
    size_t written = write_some(session, session->tx.data + session->tx_at, transmit_pending(session));
    if (!session->write_error) transmit_written(session, written);
}

void transmit_written(struct session *session, size_t size)
{
    session->tx_at += size;
    count_unsent(session);
    advance(session, size);
    if (transmit_pending(session)) return;
    bytes_free(&session->tx);
    session->tx_at = 0;
    if (!secure_waiting(session)) stop_awaiting(session);
}

bool transmit_frame(struct session *session, uint8_t first, const uint8_t *payload, size_t size, bool is_message)
{
    if (session->state != SESSION_OPEN || session->is_closing) return false;
    uint32_t key = frame_mask_key();
    if (send_owner != session || send_size + FRAME_HEADER_MAX + size > SEND_BUFFER) transmit_flush_shared();
    if (session->write_error) return false;
    if (FRAME_HEADER_MAX + size <= SEND_BUFFER) {
        send_owner = session;
        uint8_t *to = send_buffer + send_size;
        size_t head = frame_header(to, first, size, key);
        frame_mask(to + head, payload, size, key, 0);
        send_size += head + size;
        return remember(session, first, head + size, size, is_message);
    }
    /* The frame is too large for the send buffer and goes behind the session's unsent bytes. */
    compact(session);
    if (!bytes_reserve(&session->tx, FRAME_HEADER_MAX + size)) return false;
    uint8_t *to = session->tx.data + session->tx.size;
    size_t head = frame_header(to, first, size, key);
    frame_mask(to + head, payload, size, key, 0);
    session->tx.size += head + size;
    count_unsent(session);
    remember(session, first, head + size, size, is_message);
    transmit_flush(session);
    if (transmit_pending(session)) transmit_await(session);
    return true;
}

bool transmit_close(struct session *session, uint16_t code, const uint8_t *reason, size_t size, bool is_message)
{
    uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (size > sizeof payload - 2) size = sizeof payload - 2;
    if (size) memcpy(payload + 2, reason, size);
    /* 1005 stands for a close frame without a status, which is empty (RFC 6455, 7.4.1). */
    bool is_sent = transmit_frame(session, FRAME_FIN | OPCODE_CLOSE, payload, code == CLOSE_NO_STATUS ? 0 : 2 + size,
                                  is_message);
    session->is_closing = true;
    if (!session->close_code) session->close_code = code;
    return is_sent;
}

/* -- the end of output ----------------------------------------------------------------------------- */

size_t transmit_unacknowledged(struct session *session)
{
    transmit_flush(session);
    return transmit_unsent(session) + (session->descriptor >= 0 ? poller_unacknowledged(session->descriptor) : 0);
}

bool transmit_drain(struct session *session, double patience)
{
    struct vu *vu = session->vu;
    struct session *outer = vu->blocking;
    vu->blocking = session;
    bool goes_on = true;
    for (size_t unsent; goes_on && (unsent = transmit_unsent(session)) && !session->write_error;) {
        double end = patience == NEVER ? NEVER : clock_now() + patience;
        while (goes_on && transmit_unsent(session) == unsent && (end == NEVER || clock_now() < end))
            goes_on = vu_park(vu, VU_DRAINING, end);
        if (transmit_unsent(session) == unsent) break;
    }
    vu->blocking = outer;
    return goes_on;
}

static bool is_any_unsent(const struct vu *vu)
{
    for (const struct session *session = vu->sessions; session; session = session->next)
        if (session->state == SESSION_OPEN && !session->write_error && transmit_unsent(session)) return true;
    return false;
}

void transmit_finish(struct vu *vu)
{
    double end = clock_now() + queues.last_patience, deadline = vu->deadline;
    bool is_aborting = vu->is_aborting;
    for (struct session *session = vu->sessions; session; session = session->next) {
        if (session->state != SESSION_OPEN) continue;
        transmit_flush(session);
        session_count(session, clock_now());
        session->is_counted = true; /* as in k6, messages that are written from now on are not counted */
        if (!session->is_closing) transmit_close(session, session->is_blocking ? 1001 : 1000, NULL, 0, false);
        transmit_flush(session);
    }
    /* An interruption, which may have come already, does not end the wait. */
    vu->blocking = NULL;
    vu->deadline = NEVER;
    while (is_any_unsent(vu) && clock_now() < end) {
        vu->is_aborting = false;
        if (!vu_park(vu, VU_DRAINING, end)) is_aborting = true;
    }
    vu->deadline = deadline;
    vu->is_aborting = is_aborting;
}

void transmit_forget(struct session *session)
{
    if (send_owner == session) {
        send_owner = NULL;
        send_size = 0;
    }
    bytes_free(&session->tx);
    session->tx_at = 0;
    count_unsent(session);
    free(session->outgoing);
    session->outgoing = NULL;
    session->outgoing_at = session->outgoing_count = session->outgoing_capacity = 0;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Limit the bytes of unsent output of a k6/websockets session, and of all sessions of a VU. A script that exceeds the
 * session's limit waits for the peer. It gets a RangeError after `patience` seconds without progress, or at once if
 * it exceeds the VU's limit. `last_patience`: seconds that the peers of a VU get to read its output when its iteration
 * has failed or was interrupted. */
CORE_API void core_session_queues(size_t session_bytes, size_t vu_bytes, double patience, double last_patience)
{
    queues = (struct queues){session_bytes, vu_bytes, patience, last_patience};
}

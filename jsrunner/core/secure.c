/* TLS of sessions, by OpenSSL.
 *
 * Theory. Python shakes hands (transport/tls.py) with the OpenSSL that the package cryptography brings along, and
 * gives the core the connection: the socket, OpenSSL's SSL, and the addresses of OpenSSL's functions. So the core needs
 * neither headers of OpenSSL nor a link to it, and there is one TLS stack in the process. From then on OpenSSL reads
 * from a memory BIO and writes to another. One system call receives many records into a buffer of the process, and one
 * sends those of a whole write. OpenSSL answers by itself whatever the peer asks for between messages (KeyUpdate,
 * renegotiation); such output goes out after each receive.
 *
 * Measured (2 cores, loopback, 50 VUs, 64 B): the memory BIOs cost two copies, and save a system call per message,
 * because OpenSSL reads a record's header and its body apart from a socket.
 *
 * Invariants.
 *  - The session owns SSL and socket from secure_adopt on; secure_close frees the SSL, which frees the BIOs.
 *  - After secure_receive OpenSSL holds no whole record, so the poller, which knows the socket only, reports all that
 *    is to come. Plain bytes are never more than the encrypted ones, so they have room.
 *  - Nothing is encrypted while encrypted bytes wait for the socket, so no more than OUTPUT_BYTES wait, and the answers
 *    to what the peer sends meanwhile: at most MAX_WAITING bytes.
 *  - OpenSSL's queue of errors, which the thread shares with Python, is empty when the core returns.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct ssl_st;
struct bio_st;
struct bio_method_st;

/* OpenSSL's functions, in the order of transport/openssl.py. */
struct tls_functions {
    int (*read)(struct ssl_st *, void *, int);
    int (*write)(struct ssl_st *, const void *, int);
    int (*wants_read)(const struct ssl_st *);
    int (*shutdown)(struct ssl_st *);
    int (*error)(const struct ssl_st *, int);
    void (*free)(struct ssl_st *);
    void (*set_bio)(struct ssl_st *, struct bio_st *, struct bio_st *);
    struct bio_st *(*bio_new)(const struct bio_method_st *);
    int (*bio_free)(struct bio_st *);
    const struct bio_method_st *(*bio_memory)(void);
    long (*bio_contents)(struct bio_st *, char **);
    int (*bio_read)(struct bio_st *, void *, int);
    int (*bio_write)(struct bio_st *, const void *, int);
    void (*clear_errors)(void);
};

struct secure {
    struct ssl_st *ssl;
    /* Encrypted bytes from the peer, and for the peer. */
    struct bio_st *input, *output;
    /* Encrypted bytes that the kernel has not taken, from waiting_at on. */
    struct bytes waiting;
    size_t waiting_at;
    /* The end of the stream behind the plain bytes that were received. */
    enum stream_end { STREAM_GOES_ON, STREAM_ENDED, STREAM_BROKEN } end;
    /* OpenSSL must read before it writes: the peer renegotiates. */
    bool is_renegotiating;
};

enum {
    /* Plain bytes of a record (RFC 8446, section 5.1), and room for an encrypted record. */
    RECORD_BYTES = 16 << 10,
    RECORD_ROOM = RECORD_BYTES + 2048,
    INPUT_BYTES = 128 << 10,
    OUTPUT_BYTES = 128 << 10,
    MAX_WAITING = 1 << 20,
    ZERO_RETURN = 6, /* SSL_ERROR_ZERO_RETURN: the peer has sent close_notify */
};

static struct tls_functions tls;
static uint8_t input[INPUT_BYTES], output[OUTPUT_BYTES];

/* -- output ---------------------------------------------------------------------------------------- */

bool secure_has_waiting(const struct session *session)
{
    return session->secure && session->secure->waiting.size > session->secure->waiting_at;
}

bool secure_can_write(const struct session *session)
{
    return !session->secure || !session->secure->is_renegotiating;
}

/* Send as much as the kernel takes. Returns the number of bytes, or -1 with an errno. */
static ptrdiff_t send_some(struct session *session, const uint8_t *data, size_t size)
{
    size_t sent = 0;
    while (sent < size) {
        ssize_t count = send(session->descriptor, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        if (count < 0) break;
        sent += (size_t)count;
    }
    session->vu->bytes_sent += sent;
    return (ptrdiff_t)sent;
}

/* Send the waiting bytes. Returns false, with an errno, if the connection is broken. */
static bool send_waiting(struct session *session)
{
    struct secure *secure = session->secure;
    if (!secure_has_waiting(session)) return true;
    ptrdiff_t sent = send_some(session, secure->waiting.data + secure->waiting_at,
                               secure->waiting.size - secure->waiting_at);
    if (sent > 0) secure->waiting_at += (size_t)sent;
    if (sent < 0 || !secure_has_waiting(session)) {
        bytes_free(&secure->waiting);
        secure->waiting_at = 0;
    }
    return sent >= 0;
}

/* Send encrypted bytes behind the waiting ones. Returns false, with an errno, if the connection is broken. */
static bool send_encrypted(struct session *session, const uint8_t *data, size_t size)
{
    struct secure *secure = session->secure;
    ptrdiff_t sent = secure_has_waiting(session) ? 0 : send_some(session, data, size);
    if (sent < 0) return false;
    if ((size_t)sent == size) return true;
    bool has_room = secure->waiting.size - secure->waiting_at + size <= MAX_WAITING;
    if (has_room && bytes_append(&secure->waiting, data + sent, size - (size_t)sent)) return true;
    errno = has_room ? ENOMEM : ECONNRESET;
    return false;
}

/* Encrypt plain bytes, as many as `output` has room for. Returns the number of bytes in `output`, and adds that of the
 * plain bytes to `taken`. */
static size_t encrypt(struct secure *secure, const uint8_t *data, size_t size, size_t *taken)
{
    size_t used = 0;
    while (used + RECORD_ROOM <= OUTPUT_BYTES) {
        if (*taken < size && tls.bio_contents(secure->output, NULL) == 0) {
            size_t room = size - *taken < RECORD_BYTES ? size - *taken : RECORD_BYTES;
            int count = tls.write(secure->ssl, data + *taken, (int)room);
            if (count > 0) {
                *taken += (size_t)count;
            } else if (tls.wants_read(secure->ssl)) {
                secure->is_renegotiating = true;
            } else { /* OpenSSL has ended the connection; the next receive reports it */
                tls.clear_errors();
                *taken = size;
            }
        }
        int count = tls.bio_read(secure->output, output + used, (int)(OUTPUT_BYTES - used));
        if (count <= 0) break;
        used += (size_t)count;
        if (secure->is_renegotiating) break;
    }
    return used;
}

ptrdiff_t secure_send(struct session *session, const uint8_t *data, size_t size)
{
    size_t taken = 0;
    if (!send_waiting(session)) return -1;
    while (!secure_has_waiting(session)) {
        size_t used = encrypt(session->secure, data, size, &taken);
        if (!used) break;
        if (!send_encrypted(session, output, used)) return -1;
        if (taken == size && tls.bio_contents(session->secure->output, NULL) == 0) break;
    }
    return (ptrdiff_t)taken;
}

/* -- input ----------------------------------------------------------------------------------------- */

/* Send what OpenSSL has written while it read. A broken connection shows in the next receive. */
static void send_answers(struct session *session)
{
    struct secure *secure = session->secure;
    while (tls.bio_contents(secure->output, NULL) > 0) {
        int count = tls.bio_read(secure->output, output, OUTPUT_BYTES);
        if (count <= 0) return;
        if (!send_encrypted(session, output, (size_t)count)) secure->end = STREAM_BROKEN;
    }
    if (secure_has_waiting(session)) transmit_await(session);
}

/* Decrypt bytes into `to`. Returns the number of plain bytes. */
static size_t decrypt(struct secure *secure, const uint8_t *data, size_t size, uint8_t *to, size_t room)
{
    size_t plain = 0;
    if (tls.bio_write(secure->input, data, (int)size) != (int)size) secure->end = STREAM_BROKEN;
    for (long left; !secure->end && (left = tls.bio_contents(secure->input, NULL)) > 0;) {
        int count = tls.read(secure->ssl, to + plain, (int)(room - plain));
        if (count > 0) {
            plain += (size_t)count;
        } else if (!tls.wants_read(secure->ssl) || tls.bio_contents(secure->input, NULL) == left) {
            secure->end = tls.error(secure->ssl, count) == ZERO_RETURN ? STREAM_ENDED : STREAM_BROKEN;
            tls.clear_errors();
        }
    }
    return plain;
}

ssize_t secure_receive(struct session *session, uint8_t *to, size_t room, bool *is_all)
{
    struct secure *secure = session->secure;
    *is_all = false;
    size_t most = room - RECORD_ROOM < INPUT_BYTES ? room - RECORD_ROOM : INPUT_BYTES;
    ssize_t count = secure->end ? 0 : recv(session->descriptor, input, most, MSG_DONTWAIT);
    if (count < 0) return -1;
    if (count == 0) {
        errno = ECONNRESET;
        return secure->end == STREAM_BROKEN ? -1 : 0;
    }
    session->vu->bytes_received += (uint64_t)count;
    size_t plain = 0;
    bool was_renegotiating = secure->is_renegotiating;
    secure->is_renegotiating = false;
    tls.clear_errors(); /* on which SSL_get_error depends */
    /* In pieces, because a memory BIO keeps its largest size. */
    for (size_t at = 0, piece; at < (size_t)count && !secure->end; at += piece) {
        piece = (size_t)count - at < RECORD_BYTES ? (size_t)count - at : RECORD_BYTES;
        plain += decrypt(secure, input + at, piece, to + plain, room - plain);
    }
    send_answers(session);
    if (was_renegotiating && transmit_pending(session)) transmit_await(session);
    *is_all = (size_t)count < most && !secure->end;
    if (plain) return (ssize_t)plain;
    errno = secure->end == STREAM_BROKEN ? ECONNRESET : EAGAIN;
    return secure->end == STREAM_ENDED ? 0 : -1;
}

/* -- beginning and end ----------------------------------------------------------------------------- */

void secure_close(struct session *session)
{
    struct secure *secure = session->secure;
    if (!secure) return;
    if (tls.shutdown(secure->ssl) >= 0) {
        int count = tls.bio_read(secure->output, output, OUTPUT_BYTES);
        /* The peer's close_notify is not awaited (RFC 8446, section 6.1). */
        if (count > 0 && send_waiting(session)) send_encrypted(session, output, (size_t)count);
    }
    /* Bytes that nobody has read, such as session tickets, would have the kernel reset the connection, and drop output
     * that the peer has not got yet. */
    ssize_t unread = recv(session->descriptor, input, INPUT_BYTES, MSG_DONTWAIT);
    if (unread > 0) session->vu->bytes_received += (uint64_t)unread;
    tls.clear_errors();
    tls.free(secure->ssl);
    bytes_free(&secure->waiting);
    free(secure);
    session->secure = NULL;
}

/* Count the handshake's bytes, as far as Python has read the socket. */
static void count_handshake(struct session *session, uint64_t sent, uint64_t received)
{
    int unread = 0;
    ioctl(session->descriptor, FIONREAD, &unread);
    session->vu->bytes_sent += sent;
    session->vu->bytes_received += received > (uint64_t)unread ? received - (uint64_t)unread : 0;
}

/* Give a dialing session a TLS connection whose handshake is over; core_session_open follows. `functions` are
 * addresses in the order of struct tls_functions. `sent` and `received`: bytes of the connection that the kernel has
 * counted and the VU has not. The session owns the SSL and the descriptor from now on, unless the function returns
 * false: the session is gone, or memory is exhausted. On the main stack. */
CORE_API bool core_session_secure(uint32_t slot, uint32_t generation, int descriptor, struct ssl_st *ssl,
                                  const void *functions, uint64_t sent, uint64_t received)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_DIALING || session->descriptor >= 0) return false;
    memcpy(&tls, functions, sizeof tls);
    struct secure *secure = calloc(1, sizeof *secure);
    struct bio_st *to_read = tls.bio_new(tls.bio_memory()), *to_write = tls.bio_new(tls.bio_memory());
    if (!secure || !to_read || !to_write) {
        free(secure);
        if (to_read) tls.bio_free(to_read);
        if (to_write) tls.bio_free(to_write);
        tls.clear_errors();
        return false;
    }
    *secure = (struct secure){.ssl = ssl, .input = to_read, .output = to_write};
    tls.set_bio(ssl, to_read, to_write);
    session->secure = secure;
    session->descriptor = descriptor;
    socklen_t size = sizeof session->peer;
    getpeername(descriptor, &session->peer.any, &size);
    count_handshake(session, sent, received);
    return true;
}

/* -- the log of keys ------------------------------------------------------------------------------- */

static int key_log = -1;

/* Set the file for core_tls_log_key. The core owns the descriptor, and closes an earlier one. */
CORE_API void core_tls_log_keys(int descriptor)
{
    if (key_log >= 0) close(key_log);
    key_log = descriptor;
}

/* Append a line to the log of keys (SSLKEYLOGFILE): OpenSSL's callback, which may come on a fiber. */
CORE_API void core_tls_log_key(const struct ssl_st *ssl, const char *line)
{
    (void)ssl;
    struct iovec parts[] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)"\n", 1}};
    if (writev(key_log, parts, 2) < 0) return; /* the log is a help, not a part of the test */
}

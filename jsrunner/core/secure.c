/* TLS of sessions, by OpenSSL.
 *
 * Theory. Python makes the contexts (transport/tls.py) with the OpenSSL inside the package cryptography. It passes the
 * core a context, the name of the server, and the addresses of OpenSSL's functions (struct tls_target). So the core
 * needs neither OpenSSL's headers nor a link to it, and the process has one TLS stack. OpenSSL reads from one memory BIO
 * and writes to another. One system call receives many records into a buffer of the process, and one sends all records
 * of a write. The peer may ask for an answer between messages (KeyUpdate, renegotiation). OpenSSL makes such answers
 * while it reads, and the core sends them after each receive. If a handshake fails, Python makes the error's text from
 * struct tls_failure (failure_of of transport/tls_socket.py).
 *
 * Measured (2 cores, loopback, 50 VUs, 64 B): the memory BIOs cost two copies, and save a system call per message,
 * because OpenSSL reads a record's header and its body apart from a socket.
 *
 * Invariants.
 *  - The session owns its SSL from secure_begin on, and the SSL owns the BIOs. secure_close and secure_free free them.
 *  - After secure_receive OpenSSL holds no whole record. So it is enough that the poller watches the socket.
 *  - Decryption does not add bytes. So a buffer that has room for the received bytes has room for the plain ones.
 *  - The core encrypts no message while encrypted bytes wait for the socket. So the waiting bytes are those of one write
 *    (OUTPUT_BYTES) and OpenSSL's answers, MAX_WAITING in all.
 *  - The core leaves OpenSSL's queue of errors, which belongs to the thread, empty for Python.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct ssl_st;
struct bio_st;
struct bio_method_st;
struct verify_param;

/* OpenSSL's functions, in the order of transport/openssl.py. */
struct tls_functions {
    struct ssl_st *(*new)(struct ssl_ctx_st *);
    void (*set_connect)(struct ssl_st *);
    void (*set_name)(struct ssl_st *, const char *);
    struct verify_param *(*param)(struct ssl_st *);
    int (*expect_name)(struct verify_param *, const char *, size_t);
    int (*expect_address)(struct verify_param *, const uint8_t *, size_t);
    int (*handshake)(struct ssl_st *);
    long (*verify_result)(const struct ssl_st *);
    int (*read)(struct ssl_st *, void *, int);
    int (*write)(struct ssl_st *, const void *, int);
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
    unsigned long (*take_error)(void);
};

enum { RECORD_HEAD = 5 };

struct secure {
    struct ssl_st *ssl;
    /* Encrypted bytes from the peer, and those for the peer. */
    struct bio_st *input, *output;
    /* Encrypted bytes that the kernel has not taken, from waiting_at on. */
    struct bytes waiting;
    size_t waiting_at;
    /* How the stream goes on behind the plain bytes that were received. */
    enum stream_end { STREAM_GOES_ON, STREAM_ENDED, STREAM_BROKEN } end;
    /* The received part of a record's header. */
    uint8_t head[RECORD_HEAD];
    size_t head_size;
    /* Bytes behind the last header that have not arrived. */
    size_t record_left;
    /* The version in the header of the first record. */
    uint16_t version;
    /* Go's text of the alert with which it would refuse the header of a record, or NULL. */
    const char *refusal;
    /* Go's text of the alert with which this end has ended the connection, or NULL. */
    const char *alert;
    /* OpenSSL must read before it writes: the peer renegotiates. */
    bool is_renegotiating;
    struct tls_failure failure;
};

enum {
    /* Plain bytes of a record (RFC 8446, section 5.1), and room for an encrypted record. */
    RECORD_BYTES = 16 << 10,
    RECORD_ROOM = RECORD_BYTES + 2048,
    INPUT_BYTES = 128 << 10,
    OUTPUT_BYTES = 128 << 10,
    MAX_WAITING = 1 << 20,
    WANT_READ = 2,   /* SSL_ERROR_WANT_READ */
    ZERO_RETURN = 6, /* SSL_ERROR_ZERO_RETURN: the peer has sent close_notify */
};

static struct tls_functions tls;
static uint8_t input[INPUT_BYTES], output[OUTPUT_BYTES];

/* Note why the connection has failed. `number`: the errno of a broken socket, else 0. Returns EPROTO. */
static int fail(struct secure *secure, int kind, int number)
{
    struct tls_failure *failure = &secure->failure;
    failure->kind = kind;
    failure->number = number;
    failure->verify_result = tls.verify_result(secure->ssl);
    for (unsigned long code; (code = tls.take_error());) {
        if (!failure->first_error) failure->first_error = code;
        failure->last_error = code;
    }
    return EPROTO;
}

/* Check the header of a record in Go's order. */
static void check_head(struct secure *secure)
{
    uint16_t version = (uint16_t)(secure->head[1] << 8 | secure->head[2]);
    if (!secure->version) secure->version = version;
    if (secure->refusal) return;
    if (version != secure->version) secure->refusal = "protocol version not supported";
    else if (secure->record_left > RECORD_ROOM) secure->refusal = "record overflow";
}

/* Note with which alert this end has ended the connection, if it has: k6 shows the alert's name at the next write.
 * `code`: of OpenSSL's error. */
static void note_alert(struct secure *secure, uint64_t code)
{
    /* SSL_R_ENCRYPTED_LENGTH_TOO_LONG, SSL_R_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_RECORD; from SSL_AD_REASON_OFFSET on
     * the reasons are alerts of the peer. */
    enum { REASON = 0x7FFFFF, TOO_LONG = 150, MESSAGE = 244, RECORD = 245, ALERTS = 1000 };
    uint64_t reason = code & REASON;
    if (reason > ALERTS) return;
    secure->alert = secure->refusal                           ? secure->refusal
                    : reason == TOO_LONG                      ? "record overflow"
                    : reason == MESSAGE || reason == RECORD ? "unexpected message"
                                                              : "bad record MAC";
}

/* Note how far the current record has arrived (RFC 8446, section 5.1). As in Go, an end of the stream within a record is
 * an error. */
static void follow_records(struct secure *secure, const uint8_t *data, size_t size)
{
    while (size) {
        size_t part;
        if (secure->record_left) {
            part = size < secure->record_left ? size : secure->record_left;
            secure->record_left -= part;
        } else {
            part = size < RECORD_HEAD - secure->head_size ? size : RECORD_HEAD - secure->head_size;
            memcpy(secure->head + secure->head_size, data, part);
            secure->head_size += part;
            if (secure->head_size == RECORD_HEAD) {
                secure->record_left = (size_t)secure->head[3] << 8 | secure->head[4];
                check_head(secure);
                secure->head_size = 0;
            }
        }
        data += part;
        size -= part;
    }
}

/* -- output ---------------------------------------------------------------------------------------- */

size_t secure_waiting(const struct session *session)
{
    return session->secure ? session->secure->waiting.size - session->secure->waiting_at : 0;
}

bool secure_can_write(const struct session *session)
{
    return !session->secure || !session->secure->is_renegotiating;
}

/* Send encrypted bytes, as many as the kernel takes, and count them. Returns their number, or -1 with an errno. */
static ptrdiff_t send_some(struct session *session, const uint8_t *data, size_t size)
{
    ptrdiff_t sent = transmit_bytes(session, data, size);
    if (sent > 0) session->vu->bytes_sent += (uint64_t)sent;
    return sent;
}

/* Send the waiting bytes. Returns false, with an errno, if the connection is broken. */
static bool send_waiting(struct session *session)
{
    struct secure *secure = session->secure;
    if (!secure_waiting(session)) return true;
    ptrdiff_t sent = send_some(session, secure->waiting.data + secure->waiting_at,
                               secure->waiting.size - secure->waiting_at);
    if (sent > 0) secure->waiting_at += (size_t)sent;
    if (sent < 0 || !secure_waiting(session)) {
        bytes_free(&secure->waiting);
        secure->waiting_at = 0;
    }
    return sent >= 0;
}

/* Send encrypted bytes behind the waiting ones. Returns false, with an errno, if the connection is broken. */
static bool send_encrypted(struct session *session, const uint8_t *data, size_t size)
{
    struct secure *secure = session->secure;
    ptrdiff_t sent = secure_waiting(session) ? 0 : send_some(session, data, size);
    if (sent < 0) return false;
    if ((size_t)sent == size) return true;
    bool has_room = secure->waiting.size - secure->waiting_at + size <= MAX_WAITING;
    if (has_room && bytes_append(&secure->waiting, data + sent, size - (size_t)sent)) return true;
    errno = has_room ? ENOMEM : ECONNRESET;
    return false;
}

/* Encrypt plain bytes from `taken` on, as many as `output` has room for. Adds their number to `taken`. Returns the number
 * of encrypted bytes in `output`. */
static size_t encrypt_bytes(struct secure *secure, const uint8_t *data, size_t size, size_t *taken)
{
    size_t used = 0;
    while (used + RECORD_ROOM <= OUTPUT_BYTES) {
        if (*taken < size && tls.bio_contents(secure->output, NULL) == 0) {
            size_t room = size - *taken < RECORD_BYTES ? size - *taken : RECORD_BYTES;
            int count = tls.write(secure->ssl, data + *taken, (int)room);
            if (count > 0) {
                *taken += (size_t)count;
            } else if (tls.error(secure->ssl, count) == WANT_READ) {
                secure->is_renegotiating = true;
            } else { /* OpenSSL has ended the connection. The next receive reports the end. */
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
    if (session->secure->alert) {
        errno = EPROTO;
        return -1;
    }
    if (!send_waiting(session)) return -1;
    tls.clear_errors(); /* SSL_get_error looks at the queue */
    while (!secure_waiting(session)) {
        size_t used = encrypt_bytes(session->secure, data, size, &taken);
        if (!used) break;
        if (!send_encrypted(session, output, used)) return -1;
        if (taken == size && tls.bio_contents(session->secure->output, NULL) == 0) break;
    }
    return (ptrdiff_t)taken;
}

/* -- input ----------------------------------------------------------------------------------------- */

/* Send the answers that OpenSSL has written while it read. The next receive reports a broken connection. */
static void send_answers(struct session *session)
{
    struct secure *secure = session->secure;
    while (tls.bio_contents(secure->output, NULL) > 0) {
        int count = tls.bio_read(secure->output, output, OUTPUT_BYTES);
        if (count <= 0) return;
        if (!send_encrypted(session, output, (size_t)count)) secure->end = STREAM_BROKEN;
    }
    if (secure_waiting(session)) transmit_await(session);
}

/* Decrypt bytes to `to`. Returns the number of plain bytes. Sets `end` if the stream has ended. */
static size_t decrypt_bytes(struct secure *secure, const uint8_t *data, size_t size, uint8_t *to, size_t room)
{
    size_t plain = 0;
    if (tls.bio_write(secure->input, data, (int)size) != (int)size) secure->end = STREAM_BROKEN;
    for (long left; !secure->end && (left = tls.bio_contents(secure->input, NULL)) > 0;) {
        int count = tls.read(secure->ssl, to + plain, (int)(room - plain));
        if (count > 0) {
            plain += (size_t)count;
            continue;
        }
        int kind = tls.error(secure->ssl, count);
        if (kind != WANT_READ || tls.bio_contents(secure->input, NULL) == left) {
            secure->end = kind == ZERO_RETURN ? STREAM_ENDED : STREAM_BROKEN;
            fail(secure, kind, 0);
            if (secure->failure.last_error) note_alert(secure, secure->failure.last_error);
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
        bool is_within = !secure->end && (secure->head_size || secure->record_left);
        errno = is_within ? ENODATA : EPROTO;
        return is_within || secure->end == STREAM_BROKEN ? -1 : 0;
    }
    session->vu->bytes_received += (uint64_t)count;
    follow_records(secure, input, (size_t)count);
    size_t plain = 0;
    bool was_renegotiating = secure->is_renegotiating;
    secure->is_renegotiating = false;
    tls.clear_errors(); /* SSL_get_error looks at the queue */
    /* In pieces, because a memory BIO does not shrink. */
    for (size_t at = 0, piece; at < (size_t)count && !secure->end; at += piece) {
        piece = (size_t)count - at < RECORD_BYTES ? (size_t)count - at : RECORD_BYTES;
        plain += decrypt_bytes(secure, input + at, piece, to + plain, room - plain);
    }
    send_answers(session);
    if (was_renegotiating && transmit_pending(session)) transmit_await(session);
    *is_all = (size_t)count < most && !secure->end;
    if (plain) return (ssize_t)plain;
    errno = secure->end == STREAM_BROKEN ? EPROTO : EAGAIN;
    return secure->end == STREAM_ENDED ? 0 : -1;
}

/* -- the handshake --------------------------------------------------------------------------------- */

bool secure_begin(struct session *session, const struct tls_target *target)
{
    memcpy(&tls, target->functions, sizeof tls);
    struct secure *secure = calloc(1, sizeof *secure);
    if (!secure) return false;
    session->secure = secure;
    secure->ssl = tls.new(target->context);
    secure->input = tls.bio_new(tls.bio_memory());
    secure->output = tls.bio_new(tls.bio_memory());
    bool is_made = secure->ssl && secure->input && secure->output;
    if (is_made) {
        tls.set_bio(secure->ssl, secure->input, secure->output);
        tls.set_connect(secure->ssl);
        struct verify_param *param = tls.param(secure->ssl);
        if (!target->address_size) tls.set_name(secure->ssl, target->name);
        is_made = target->address_size ? tls.expect_address(param, target->address, target->address_size)
                                       : tls.expect_name(param, target->name, target->name_size);
    } else {
        if (secure->input) tls.bio_free(secure->input);
        if (secure->output) tls.bio_free(secure->output);
    }
    tls.clear_errors();
    if (!is_made) secure_free(session);
    return is_made;
}

/* Receive a part of the handshake. Returns 0, EAGAIN, or EPROTO after a failure. */
static int receive_handshake(struct session *session)
{
    struct secure *secure = session->secure;
    struct tls_failure *failure = &secure->failure;
    ssize_t count = recv(session->descriptor, input, RECORD_BYTES, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return EAGAIN;
    if (count < 0) return fail(secure, 0, errno);
    if (count == 0) return fail(secure, ZERO_RETURN, 0);
    session->vu->bytes_received += (uint64_t)count;
    follow_records(secure, input, (size_t)count);
    for (ssize_t i = 0; i < count && failure->header_size < sizeof failure->header; i++)
        failure->header[failure->header_size++] = input[i];
    return tls.bio_write(secure->input, input, (int)count) == count ? 0 : fail(secure, 0, ENOMEM);
}

int secure_shake_hands(struct session *session)
{
    struct secure *secure = session->secure;
    for (;;) {
        tls.clear_errors();
        int result = tls.handshake(secure->ssl);
        if (result > 0) return 0; /* the end of the handshake goes out with the request */
        int kind = tls.error(secure->ssl, result);
        int error = kind == WANT_READ ? EAGAIN : fail(secure, kind, 0);
        /* OpenSSL's output may be an alert, which is sent before the handshake fails. */
        int count = tls.bio_read(secure->output, output, OUTPUT_BYTES);
        if (!send_waiting(session) || (count > 0 && !send_encrypted(session, output, (size_t)count)))
            return error == EPROTO ? error : fail(secure, 0, errno);
        if (error != EAGAIN || count > 0 || secure_waiting(session)) return error;
        error = receive_handshake(session);
        if (error) return error;
    }
}

const char *secure_alert(const struct session *session) { return session->secure ? session->secure->alert : NULL; }

const struct tls_failure *secure_failure(const struct session *session) { return &session->secure->failure; }

struct ssl_st *secure_take(struct session *session)
{
    struct ssl_st *ssl = session->secure ? session->secure->ssl : NULL;
    if (ssl) session->secure->ssl = NULL;
    return ssl;
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
    secure_free(session);
}

void secure_free(struct session *session)
{
    struct secure *secure = session->secure;
    if (!secure) return;
    tls.clear_errors();
    tls.free(secure->ssl); /* NULL is allowed */
    bytes_free(&secure->waiting);
    free(secure);
    session->secure = NULL;
}

/* -- the log of keys ------------------------------------------------------------------------------- */

static int key_log = -1;

/* Set the file for core_tls_log_key. The core owns the descriptor, and closes an earlier one. */
CORE_API void core_tls_log_keys(int descriptor)
{
    if (key_log >= 0) close(key_log);
    key_log = descriptor;
}

/* Append a line to the log of keys (SSLKEYLOGFILE). OpenSSL calls it, on a fiber or on the main stack. */
CORE_API void core_tls_log_key(const struct ssl_st *ssl, const char *line)
{
    (void)ssl;
    struct iovec parts[] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)"\n", 1}};
    if (writev(key_log, parts, 2) < 0) return; /* the log is a help, not a part of the test */
}

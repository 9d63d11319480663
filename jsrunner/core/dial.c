/* The connecting of a session: TCP, TLS, and the WebSocket handshake.
 *
 * Theory. Python chooses the address and the request, and judges the response. Between these two calls of Python only
 * the poller waits.
 * The core connects without blocking, sends the request and passes the received bytes to Python (OPERATION_HEAD),
 * until Python opens the session (core_session_open), fails it (core_session_fail) or takes over the socket
 * (core_dial_take).
 *
 * Measured (2 cores, loopback): a connection to this machine is established when `connect` returns. So the request
 * is sent at once, which saves a wait for the poller and two system calls per session.
 *
 * With TLS (secure.c) the TLS handshake comes before the request. The timeout of the whole dialing includes it.
 *
 * Invariants.
 *  - A session has a `dialing` while it is in SESSION_DIALING and its socket belongs to the core.
 *  - Dialings that wait are in a list, the earliest deadline first.
 */
#include "recipe.h"

#include "poller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dialing {
    struct dialing *before, *behind;
    struct session *session;
    /* The moment of the begin, and the moment at which the present phase times out. */
    double started, deadline;
    bool is_connected;
    /* True if the TLS handshake is over. */
    bool is_secured;
    /* The recipe of the dialing, with its key; NULL if Python dials. */
    struct recipe *recipe;
    char key[KEY_CHARACTERS];
    /* The request, and the number of its bytes that are sent. */
    struct bytes request;
    size_t sent;
    /* Received bytes. */
    struct bytes received;
    /* True if Python has them: the core reads no more until Python calls core_dial_more. */
    bool is_handed_over;
};

/* Events for Python. The lowest byte of a request's detail is the event, the others are an errno. */
enum dial_event {
    DIAL_RECEIVED,
    DIAL_ENDED,
    DIAL_NOT_CONNECTED,
    DIAL_BROKEN,
    DIAL_LATE,
    DIAL_CONNECT_LATE,
    DIAL_NOT_SECURE, /* a struct tls_failure instead of received bytes */
};
enum { ERRNO_SHIFT = 8, RECEIVE_ROOM = 4096, SECURE_ROOM = 32 << 10 };

/* See core_dial_timeouts. */
static double connect_seconds, handshake_seconds;

static struct dialing *first, *last;

/* -- the list of dialings ---------------------------------------------------------------------------- */

static void leave_list(struct dialing *dialing)
{
    if (dialing->before) dialing->before->behind = dialing->behind;
    else if (first == dialing) first = dialing->behind;
    if (dialing->behind) dialing->behind->before = dialing->before;
    else if (last == dialing) last = dialing->before;
    dialing->before = dialing->behind = NULL;
}

/* Insert a dialing by its deadline. Deadlines come nearly in order, so the search starts at the end. */
static void enter_list(struct dialing *dialing, double deadline)
{
    dialing->deadline = deadline;
    struct dialing *before = last;
    while (before && before->deadline > deadline) before = before->before;
    dialing->before = before;
    dialing->behind = before ? before->behind : first;
    *(before ? &before->behind : &first) = dialing;
    *(dialing->behind ? &dialing->behind->before : &last) = dialing;
}

double dial_deadline(void) { return first ? first->deadline : NEVER; }

/* -- progress ---------------------------------------------------------------------------------------- */

/* Post an event to Python, with the received bytes. */
static void post_event(const struct session *session, enum dial_event event, int error)
{
    const struct bytes *received = &session->dialing->received;
    request_post((int32_t)session->slot, session->generation, OPERATION_HEAD, (int32_t)event | error << ERRNO_SHIFT,
                 received->data, received->size);
}

/* End a dialing: post the event to Python, and stop watching the socket. */
static void stop(struct session *session, enum dial_event event, int error)
{
    leave_list(session->dialing);
    if (session->watched) poller_remove(session->descriptor);
    session->watched = 0;
    post_event(session, event, error);
}

static void watch(struct session *session, unsigned events)
{
    uint64_t key = session_key(session);
    if (session->watched) poller_change(session->descriptor, key, events);
    else poller_add(session->descriptor, key, events);
    session->watched = events;
}

/* Do the TLS handshake, then send the request. Returns 0, EAGAIN, or EPROTO if the handshake has failed. */
static int send_securely(struct session *session)
{
    struct dialing *dialing = session->dialing;
    int error = dialing->is_secured ? 0 : secure_shake_hands(session);
    if (error) return error;
    dialing->is_secured = true;
    ptrdiff_t count = secure_send(session, dialing->request.data + dialing->sent, dialing->request.size - dialing->sent);
    if (count > 0) dialing->sent += (size_t)count;
    return count >= 0 && (dialing->sent < dialing->request.size || secure_waiting(session)) ? EAGAIN : 0;
}

/* Send the request, as far as the kernel takes it. Returns 0 or an errno; EAGAIN if bytes are left. */
static int send_request(struct session *session)
{
    struct dialing *dialing = session->dialing;
    if (session->secure) return send_securely(session);
    while (dialing->sent < dialing->request.size) {
        ssize_t count = send(session->descriptor, dialing->request.data + dialing->sent,
                             dialing->request.size - dialing->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
        dialing->sent += (size_t)count;
        session->vu->bytes_sent += (uint64_t)count;
    }
    bytes_free(&dialing->request);
    dialing->sent = 0;
    return 0;
}

/* End a dialing whose TLS has failed. The event has the struct tls_failure instead of received bytes. */
static void stop_insecure(struct session *session)
{
    struct bytes *received = &session->dialing->received;
    received->size = 0;
    bytes_append(received, secure_failure(session), sizeof(struct tls_failure));
    stop(session, DIAL_NOT_SECURE, 0);
}

/* Send more of the request, or go on with the TLS handshake. */
static void continue_sending(struct session *session)
{
    int error = send_request(session);
    if (session->secure && error == EPROTO) {
        stop_insecure(session);
        return;
    }
    /* Other errors are ignored: reading the response reports them, and a server may respond before it has read
     * the whole request. */
    bool is_full = error == EAGAIN && (!session->secure || secure_waiting(session));
    watch(session, is_full ? (unsigned)POLL_IN | (unsigned)POLL_OUT : (unsigned)POLL_IN);
}

/* Note that TCP is connected: from now on the timeout of the whole dialing counts. */
static void note_connection(struct session *session)
{
    struct dialing *dialing = session->dialing;
    dialing->is_connected = true;
    leave_list(dialing);
    enter_list(dialing, dialing->started + handshake_seconds);
}

/* Open the session if its recipe knows the received response. */
static bool open_again(struct session *session, const uint8_t *data, size_t size)
{
    static struct bytes payload;
    struct dialing *dialing = session->dialing;
    char accept[ACCEPT_CHARACTERS];
    const struct known_answer *answer = recipe_answer(dialing->recipe, dialing->key, data, size, accept);
    if (!answer) return false;
    payload.size = 0;
    if (!bytes_append(&payload, answer->payload_before.data, answer->payload_before.size) ||
        !bytes_append(&payload, accept, sizeof accept) ||
        !bytes_append(&payload, answer->payload_behind.data, answer->payload_behind.size))
        return false;
    size_t head = answer->before.size + sizeof accept + answer->behind.size;
    struct bytes received = dialing->received; /* outlives the dialing */
    dialing->received = (struct bytes){0};
    session_open(session, false, answer->series, dialing->started, payload.data, payload.size, data + head,
                 size - head);
    bytes_free(&received);
    return true;
}

/* Receive a part of the response. Open the session if its recipe knows the response, else post it to Python. */
static void receive_head(struct session *session)
{
    struct dialing *dialing = session->dialing;
    if (dialing->is_handed_over) return;
    if (session->secure && !dialing->is_secured) {
        continue_sending(session);
        return;
    }
    ssize_t count = -1;
    bool is_all;
    if (!bytes_reserve(&dialing->received, session->secure ? SECURE_ROOM : RECEIVE_ROOM)) errno = ENOMEM;
    else if (session->secure) count = secure_receive(session, dialing->received.data, SECURE_ROOM, &is_all);
    else count = recv(session->descriptor, dialing->received.data, RECEIVE_ROOM, MSG_DONTWAIT);
    if (count > 0) {
        dialing->received.size = (size_t)count;
        if (!session->secure) session->vu->bytes_received += (uint64_t)count;
        if (dialing->recipe && open_again(session, dialing->received.data, (size_t)count)) return;
        dialing->is_handed_over = true;
        post_event(session, DIAL_RECEIVED, 0);
    } else if (count == 0 || (session->secure && errno == ENODATA)) {
        stop(session, DIAL_ENDED, 0);
    } else if (session->secure && errno == EPROTO) {
        stop_insecure(session);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        stop(session, DIAL_BROKEN, errno);
    }
}

void dial_ready(struct session *session, unsigned events)
{
    struct dialing *dialing = session->dialing;
    if (!dialing->is_connected) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(session->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            stop(session, DIAL_NOT_CONNECTED, error);
            return;
        }
        note_connection(session);
        continue_sending(session);
        return;
    }
    if (events & POLL_OUT) continue_sending(session);
    if (events & (POLL_IN | POLL_FAILED)) receive_head(session);
}

void dial_expire(double now)
{
    while (first && first->deadline <= now) {
        struct session *session = first->session;
        stop(session, first->is_connected ? DIAL_LATE : DIAL_CONNECT_LATE, 0);
    }
}

void dial_forget(struct session *session)
{
    struct dialing *dialing = session->dialing;
    if (!dialing) return;
    leave_list(dialing);
    if (dialing->recipe) dialing->recipe->users--;
    bytes_free(&dialing->request);
    bytes_free(&dialing->received);
    free(dialing);
    session->dialing = NULL;
}

/* -- start ------------------------------------------------------------------------------------------- */

bool dial_address(const char *text, uint16_t port, union peer *to)
{
    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, text, &to->four.sin_addr) == 1) {
        to->four.sin_family = AF_INET;
        to->four.sin_port = htons(port);
        return true;
    }
    to->six.sin6_family = AF_INET6;
    to->six.sin6_port = htons(port);
    return inet_pton(AF_INET6, text, &to->six.sin6_addr) == 1;
}

static socklen_t size_of(const union peer *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->four : sizeof address->six;
}

/* Give a session a dialing, without a request. Returns false if memory is exhausted. */
static bool add_dialing(struct session *session, double started)
{
    struct dialing *dialing = calloc(1, sizeof *dialing);
    if (!dialing) return false;
    dialing->session = session;
    dialing->started = started;
    session->dialing = dialing;
    return true;
}

/* Connect to session->peer, from the address `from` if it is not NULL. Returns 0 or an errno. */
static int open_socket(struct session *session, const union peer *from)
{
    int on = 1;
    session->descriptor = socket(session->peer.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->descriptor < 0) return errno;
    setsockopt(session->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (from && bind(session->descriptor, &from->any, size_of(from)) < 0) return errno;
    if (connect(session->descriptor, &session->peer.any, size_of(&session->peer)) < 0 && errno != EINPROGRESS)
        return errno;
    return 0;
}

/* Connect, and send the request if there is one. Returns 0, or an errno after the dialing was freed. */
static int start(struct session *session, const union peer *from, const struct tls_target *target)
{
    struct dialing *dialing = session->dialing;
    int error = open_socket(session, from);
    if (!error && target && !secure_begin(session, target)) error = ENOMEM;
    if (!error) {
        enter_list(dialing, dialing->started + connect_seconds);
        error = send_request(session);
        bool waits_for_peer = session->secure && error == EAGAIN && !secure_waiting(session);
        if (!error || waits_for_peer) note_connection(session);
        if (!error || error == EAGAIN) {
            watch(session, error && !waits_for_peer ? POLL_OUT : POLL_IN);
            return 0;
        }
        if (session->secure && error == EPROTO) error = secure_failure(session)->number;
        if (!error) error = ECONNRESET;
    }
    dial_forget(session);
    secure_free(session);
    if (session->descriptor >= 0) close(session->descriptor);
    session->descriptor = -1;
    return error;
}

bool dial_again(struct session *session, struct recipe *recipe)
{
    double now = clock_now();
    if (!recipe_is_ready(recipe, now) || !add_dialing(session, now)) return false;
    struct dialing *dialing = session->dialing;
    recipe_make_key(dialing->key);
    recipe->users++;
    dialing->recipe = recipe;
    session->peer = recipe->peer;
    if (bytes_append(&dialing->request, recipe->before.data, recipe->before.size) &&
        bytes_append(&dialing->request, dialing->key, sizeof dialing->key) &&
        bytes_append(&dialing->request, recipe->behind.data, recipe->behind.size))
        return !start(session, NULL, recipe->is_secure ? &recipe->target : NULL);
    dial_forget(session);
    return false;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Set the timeouts, in seconds, of a TCP connect and of a whole dialing up to the head of the response. */
CORE_API void core_dial_timeouts(double connect, double handshake)
{
    connect_seconds = connect;
    handshake_seconds = handshake;
}

static struct session *waiting_session(uint32_t slot, uint32_t generation)
{
    struct session *session = session_at(slot, generation);
    return session && session->state == SESSION_DIALING && !session->dialing ? session : NULL;
}

/* Dial for a session: connect to a literal address, from the address `local` if that is not NULL, send the request,
 * and post each event to Python (OPERATION_HEAD). `started`: the moment of clock_now() at which the attempt began.
 * `target`: the server to speak TLS with, or NULL. Returns 0 if events will follow, else an errno; EEXIST if no session
 * of this name waits for a dialing. */
CORE_API int core_dial(uint32_t slot, uint32_t generation, const char *address, uint16_t port, const char *local,
                       const uint8_t *request, size_t size, double started, const struct tls_target *target)
{
    struct session *session = waiting_session(slot, generation);
    union peer from;
    if (!session) return EEXIST;
    if (!dial_address(address, port, &session->peer) || (local && !dial_address(local, 0, &from))) return EINVAL;
    if (!add_dialing(session, started)) return ENOMEM;
    int error = ENOMEM;
    if (bytes_append(&session->dialing->request, request, size)) error = start(session, local ? &from : NULL, target);
    else dial_forget(session);
    core_leave();
    return error;
}

/* Send the request on a connected socket, e.g. behind a proxy, and go on as core_dial does. The core owns the
 * descriptor from now on, unless it returns an errno. */
CORE_API int core_dial_adopt(uint32_t slot, uint32_t generation, int descriptor, const uint8_t *request, size_t size,
                             double started, const struct tls_target *target)
{
    struct session *session = waiting_session(slot, generation);
    if (!session) return EEXIST;
    if (!add_dialing(session, started)) return ENOMEM;
    if (!bytes_append(&session->dialing->request, request, size)) {
        dial_forget(session);
        return ENOMEM;
    }
    session->descriptor = descriptor;
    if (target && !secure_begin(session, target)) {
        session->descriptor = -1;
        dial_forget(session);
        return ENOMEM;
    }
    socklen_t room = sizeof session->peer;
    getpeername(descriptor, &session->peer.any, &room);
    note_connection(session);
    continue_sending(session);
    core_leave();
    return 0;
}

/* Facts for Python about a dialing that the core has begun by a recipe. */
struct dial_facts {
    int64_t recipe;
    double started;
    int32_t vu, is_blocking;
    char key[KEY_CHARACTERS];
};

/* Set `facts` for a dialing that a recipe has begun, so that Python can take it over. Returns false if the session has
 * no such dialing. */
CORE_API bool core_dial_facts(uint32_t slot, uint32_t generation, struct dial_facts *facts)
{
    struct session *session = session_at(slot, generation);
    if (!session || !session->dialing || !session->dialing->recipe) return false;
    const struct dialing *dialing = session->dialing;
    *facts = (struct dial_facts){dialing->recipe->number, dialing->started, session->vu->index, session->is_blocking, {0}};
    memcpy(facts->key, dialing->key, sizeof facts->key);
    return true;
}

/* Receive more of the response, whose head is not complete yet. */
CORE_API void core_dial_more(uint32_t slot, uint32_t generation)
{
    struct session *session = session_at(slot, generation);
    if (!session || !session->dialing) return;
    session->dialing->is_handed_over = false;
    session->dialing->received.size = 0;
}

/* Return the socket of a dialing, which the caller owns and closes from now on; -1 if there is none. All received
 * bytes were already posted. If `ssl` is not NULL, it is set to the SSL of TLS, which the caller frees; NULL without
 * TLS. */
CORE_API int core_dial_take(uint32_t slot, uint32_t generation, struct ssl_st **ssl)
{
    struct session *session = session_at(slot, generation);
    if (ssl) *ssl = NULL;
    if (!session || !session->dialing) return -1;
    if (ssl) *ssl = secure_take(session);
    secure_free(session);
    int descriptor = session->descriptor;
    if (session->watched) poller_remove(descriptor);
    session->watched = 0;
    session->descriptor = -1;
    dial_forget(session);
    return descriptor;
}

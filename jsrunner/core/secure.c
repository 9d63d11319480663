/* Sessions with TLS. Their sockets belong to Python (transport/secure.py).
 *
 * Theory. Python's ssl reads and writes; the core sees plain bytes. When the socket is ready, the core posts
 * OPERATION_TLS and ignores the socket until Python has read or written. As without TLS, plain bytes are decoded by
 * the VU's fiber, or for an event session whose VU is busy, on the main stack. A blocking session is not read while
 * its VU is busy.
 *
 * Invariants.
 *  - Python is asked to read at most once at a time: is_input_posted is true until it has read.
 *  - The output of a session that has ended (its close frame) is its farewell: a copy that lasts until Python has
 *    written it, which Python does before it closes the socket.
 */
#include "session.h"

#include "poller.h"

#include <stdlib.h>

struct farewell {
    struct farewell *next;
    uint32_t slot, generation;
    struct bytes bytes;
    size_t at;
};

static struct farewell *farewells;

static void ask(struct session *session, int32_t what)
{
    request_post((int32_t)session->slot, session->generation, OPERATION_TLS, what, NULL, 0);
}

void secure_ready(struct session *session, unsigned events)
{
    if (events & POLL_OUT) {
        session->wants_output = false;
        session_watch(session);
        transmit_await(session);
    }
    if ((events & (POLL_IN | POLL_FAILED)) && !session->is_input_posted) {
        session->is_input_posted = true;
        ask(session, POLLED_INPUT);
    }
}

void secure_part(struct session *session)
{
    struct farewell *farewell = transmit_pending(session) ? malloc(sizeof *farewell) : NULL;
    if (!farewell) return;
    *farewell = (struct farewell){farewells, session->slot, session->generation, session->tx, session->tx_at};
    farewells = farewell;
    session->tx = (struct bytes){0};
    session->tx_at = 0;
}

static struct farewell **farewell_of(uint32_t slot, uint32_t generation)
{
    struct farewell **link = &farewells;
    while (*link && ((*link)->slot != slot || (*link)->generation != generation)) link = &(*link)->next;
    return link;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* The result of core_session_feed: plain bytes to be written at once; true if Python may read more. */
struct fed {
    const uint8_t *output;
    size_t size;
    int32_t reads_on;
};

/* Let the VU decode the fed bytes, or keep them while it is busy. */
static void dispatch(struct session *session)
{
    struct vu *vu = session->vu;
    if (session->is_blocking) {
        if (vu->state == VU_LISTENING && vu->blocking == session) schedule_resume(vu);
        else session_pause(session, true);
    } else if (vu->state == VU_WAITING) {
        tasks_add_session(vu, session, clock_now());
        schedule_resume(vu);
    } else {
        receive_aside(session);
        tasks_add_session(vu, session, clock_now());
    }
}

/* Feed bytes that Python has read from a TLS session. `end`: 0, or 1 for the end of the stream, 2 for a reset.
 * Resumes the VU if it waits for the bytes. Output that results from this is returned in `fed`, is valid until the
 * core is called again, and must be confirmed by core_session_written. On the main stack. */
CORE_API void core_session_feed(uint32_t slot, uint32_t generation, const uint8_t *data, size_t size, int end,
                                struct fed *fed)
{
    *fed = (struct fed){NULL, 0, false};
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_OPEN) return;
    session->is_input_posted = false;
    receive_feed(session, data, size, (enum stream_end)end);
    bool was_posted = session->is_tls_posted;
    session->is_tls_posted = true; /* Python writes after each read */
    dispatch(session);
    core_leave();
    session = session_at(slot, generation);
    if (!session || session->state != SESSION_OPEN) return;
    session->is_tls_posted = was_posted;
    fed->reads_on = !session->is_paused;
    if (session->wants_output || was_posted) return;
    fed->size = transmit_pending(session);
    fed->output = fed->size ? session->tx.data + session->tx_at : NULL;
}

/* Return the plain output of a TLS session and set its size. */
CORE_API const uint8_t *core_session_output(uint32_t slot, uint32_t generation, size_t *size)
{
    struct session *session = session_at(slot, generation);
    if (session && session->state == SESSION_OPEN) {
        session->is_tls_posted = false;
        *size = transmit_pending(session);
        return *size ? session->tx.data + session->tx_at : NULL;
    }
    const struct farewell *farewell = *farewell_of(slot, generation);
    *size = farewell ? farewell->bytes.size - farewell->at : 0;
    return farewell ? farewell->bytes.data + farewell->at : NULL;
}

/* Confirm that Python has written `size` bytes of the output. `is_full`: the kernel takes no more now. On the main
 * stack. */
CORE_API void core_session_written(uint32_t slot, uint32_t generation, size_t size, bool is_full)
{
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_OPEN) {
        struct farewell **link = farewell_of(slot, generation), *farewell = *link;
        if (!farewell) return;
        *link = farewell->next;
        bytes_free(&farewell->bytes);
        free(farewell);
        return;
    }
    session->wants_output = is_full;
    transmit_written(session, size);
    session_watch(session);
    struct vu *vu = session->vu;
    if (transmit_pending(session)) transmit_await(session);
    else if (vu->state == VU_DRAINING && vu->blocking == session) schedule_resume(vu);
    core_leave();
}

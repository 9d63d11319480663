/* Sessions with TLS, whose socket is Python's (transport/secure.py).
 *
 * Theory. Python's ssl reads and writes; the core sees plain bytes. When the socket is ready the core asks
 * Python for that (OPERATION_TLS) and looks away until Python has read or written. Plain bytes are decoded
 * as others are: by the VU's fiber, or aside while the VU is busy. One whose VU does not come back is not
 * read, as without TLS.
 *
 * Invariants.
 *  - Python is asked to read once; what the poller says until it has read (is_input_posted) is known already.
 *  - What a session wanted to send when it ended (its close frame) is its farewell: bytes of their own, which
 *    last until Python has written them, as it does before it closes the socket.
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

/* -- what Python calls ---------------------------------------------------------------------------- */

/* What comes of bytes that were read: plain bytes to be written at once, and whether more may be read. */
struct fed {
    const uint8_t *output;
    size_t size;
    int32_t reads_on;
};

/* Have the VU take what has come, or keep it. */
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

/* Bytes that Python has read from a TLS session; `end`: 0, or 1 for the end of the stream, 2 for a reset. The VU
 * runs if it waits for them. Output that this brings is handed over in `fed`, valid until the core is called again;
 * core_session_written is to be called for it. On the main stack. */
CORE_API void core_session_feed(uint32_t slot, uint32_t generation, const uint8_t *data, size_t size, int end,
                                struct fed *fed)
{
    *fed = (struct fed){NULL, 0, false};
    struct session *session = session_at(slot, generation);
    if (!session || session->state != SESSION_OPEN) return;
    session->is_input_posted = false;
    receive_feed(session, data, size, (enum stream_end)end);
    bool was_posted = session->is_tls_posted;
    session->is_tls_posted = true; /* whoever reads also writes */
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

/* The plain bytes that a TLS session wants written, and how many. */
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

/* Python has written `size` bytes of them. `is_full`: the kernel takes no more now. On the main stack. */
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

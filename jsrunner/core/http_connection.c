/* Connections that Python has lent to VUs. See http.h.
 *
 * Invariants. The poller watches a connection from its loan to its return. At most one exchange uses it.
 * The core never closes a socket.
 */
#include "http.h"

#include "poller.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Results of core_http_reclaim. STILL_LENT: the core uses the connection for an exchange. Otherwise the connection
 * belongs to Python, and the core has used it or not. */
enum reclaimed { STILL_LENT, RECLAIMED_UNUSED, RECLAIMED_USED };

static uint32_t last_number;

/* Return the connection's key for the poller. Keys of sessions have a zero in the bit HTTP_KEY. */
static uint64_t poll_key(const struct http_connection *connection)
{
    return HTTP_KEY | (uint64_t)connection->number << 32 | (uint32_t)connection->vu->index;
}

struct http_connection *http_connection_take(struct vu *vu, int32_t host)
{
    struct http_connection *connection = vu->connections;
    while (connection && (connection->host != host || connection->is_busy || connection->has_ended))
        connection = connection->next;
    if (connection) connection->is_busy = connection->is_used = true;
    return connection;
}

bool http_connection_has_ended(const struct http_connection *connection)
{
    uint8_t byte;
    return recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void http_connection_return(struct http_connection *connection)
{
    struct http_connection **link = &connection->vu->connections;
    while (*link != connection) link = &(*link)->next;
    *link = connection->next;
    if (!connection->has_ended) poller_remove(connection->descriptor);
    free(connection);
}

void http_ready(uint64_t key)
{
    struct vu *vu = vu_at((int32_t)(uint32_t)key);
    struct http_connection *connection = vu ? vu->connections : NULL;
    while (connection && poll_key(connection) != key) connection = connection->next;
    if (!connection) return;
    if (connection->is_busy) {
        if (vu->state == VU_EXCHANGING) schedule_resume(vu);
        return;
    }
    /* No request is under way: the peer has closed the connection or sent unexpected bytes. Python closes the
     * connection later. */
    poller_remove(connection->descriptor);
    connection->has_ended = true;
    shutdown(connection->descriptor, SHUT_RDWR);
}

void http_forget(struct vu *vu)
{
    while (vu->connections) http_connection_return(vu->connections);
}

/* Lend a VU a connection without TLS to the host with this number. `ip` and `port` are the peer's address. Returns
 * the connection's number, 0 if the core does not take the connection. */
CORE_API uint32_t core_http_lend(int32_t index, int32_t descriptor, int32_t host, const char *ip, int32_t port)
{
    struct vu *vu = vu_at(index);
    struct http_connection *connection = vu && core.is_polling ? calloc(1, sizeof *connection) : NULL;
    if (!connection) return 0;
    connection->vu = vu;
    do last_number = (last_number + 1) & 0x7FFFFFFF;
    while (!last_number);
    connection->number = last_number;
    connection->descriptor = descriptor;
    connection->host = host;
    connection->ip_size = strnlen(ip, sizeof connection->ip);
    memcpy(connection->ip, ip, connection->ip_size);
    connection->port = port;
    if (poller_add(descriptor, poll_key(connection), POLL_IN) != 0) {
        free(connection);
        return 0;
    }
    connection->next = vu->connections;
    vu->connections = connection;
    return connection->number;
}

/* Take a connection back. Returns one of `enum reclaimed`. */
CORE_API int core_http_reclaim(int32_t index, uint32_t number)
{
    struct vu *vu = vu_at(index);
    struct http_connection *connection = vu ? vu->connections : NULL;
    while (connection && connection->number != number) connection = connection->next;
    if (!connection) return RECLAIMED_USED;
    if (connection->is_busy) return STILL_LENT;
    bool is_used = connection->is_used;
    http_connection_return(connection);
    return is_used ? RECLAIMED_USED : RECLAIMED_UNUSED;
}

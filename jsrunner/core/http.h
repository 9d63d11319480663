/* HTTP exchanges: frequent, plain requests that the core makes without Python.
 *
 * Theory. Python implements all rules of requests (modules/k6/http/flow.py, transport/http.py). Equal arguments
 * of a script mostly give the same request bytes and the same series of samples. So Python stores both in the core
 * as a recipe, under the arguments, and lends the core a kept connection. From then on the core replays the
 * recipe: it sends the bytes, waits on the VU's fiber and reads the response. Anything unusual goes to Python: a
 * redirection, a cookie, a head that needs judgement, an error, a timeout. The core then hands over its progress
 * with all received bytes, and Python continues from there. The core decides nothing that Python could decide
 * otherwise.
 *
 * Measured with 50 VUs and a keep-alive GET each (bench/bench.py, http-50): 15 us CPU per request, 36 through
 * Python.
 *
 * Files: http_head.c reads responses, http_fields.c shows their fields, http_recipe.c keeps recipes,
 * http_connection.c connections, http.c makes exchanges.
 */
#ifndef JSRUNNER_HTTP_H
#define JSRUNNER_HTTP_H

#include "core.h"

/* -- responses (http_head.c) ---------------------------------------------------------------------- */

/* The core's progress in reading a response. */
enum http_scan { HTTP_PARTIAL, HTTP_WHOLE, HTTP_UNUSUAL };

struct http_head {
    /* Bytes of the head, with its empty line. */
    size_t size;
    int32_t status;
    /* `200 OK`, and the lines of the fields. Both point into the head. */
    const char *status_text, *fields;
    size_t status_text_size, fields_size;
    bool is_chunked, has_length;
    uint64_t length;
};

/* Read the head at the front of `data`. Returns HTTP_UNUSUAL for a head that ends or changes the connection, has a
 * body of unknown length or coding, sets a cookie, or uses other than the plainest syntax. */
enum http_scan http_scan_head(const uint8_t *data, size_t size, struct http_head *);

/* Scan a chunked body from the chunk at `*at` on, and write the place that was reached, at last the body's end, to
 * `*at`. `data` begins with the body, which may have at most `limit` bytes. */
enum http_scan http_scan_chunks(const uint8_t *data, size_t size, size_t limit, size_t *at);

/* Join the chunks of a whole chunked body in place. Returns the number of bytes. */
size_t http_join_chunks(uint8_t *data);

/* Return true if a byte may be in a field's name (RFC 9110, section 5.6.2). */
bool http_is_token(uint8_t byte);
/* Compare a text with the expected text, ignoring case. Returns true if they are equal. */
bool http_is_text(const char *text, size_t size, const char *expected);
/* Strip blanks from both ends. */
void http_trim(const char **text, size_t *size);

/* headersOf(lines): return the fields as an object. Several values of a name are joined by commas. */
JSValue http_headers_of(JSContext *, JSValue self, int argc, JSValue *argv);

/* -- recipes (http_recipe.c) -------------------------------------------------------------------------- */

enum { HTTP_SERIES_MAX = 9 };

/* The series of a recipe's responses with one status, for one tag set of the VU's. */
struct http_series {
    int32_t tag_set, status;
    int32_t numbers[HTTP_SERIES_MAX];
    int32_t count;
    /* The value of http_req_failed, if that metric has a series here. */
    bool has_failed;
};

/* Python's part of a recipe: `HttpTerms` of binding.py. */
struct http_terms {
    double timeout;
    /* Maximum bytes of a response's body; bytes of the request's text before and behind the field Content-Length. */
    size_t body_max, start_size, end_size;
    int32_t host;
    /* A HEAD request; a request that may be repeated; an empty body still has a field Content-Length. */
    bool is_head, is_replayable, tells_empty;
    /* The form of the response's body for the script. */
    bool is_discarded, is_binary;
};

struct http_recipe {
    struct http_recipe *next;
    uint64_t hash;
    uint8_t *key;
    size_t key_size;
    uint32_t number;
    /* Exchanges under way. */
    int32_t uses;
    bool is_forgotten;
    /* Number of requests so far; number of the core's last exchanges in a row that Python had to continue. */
    int32_t asked, misses;
    bool is_set;
    struct http_terms terms;
    struct bytes text;
    /* MessagePack: the part of a response that describes its request. */
    struct bytes more;
    struct http_series *series;
    int32_t series_count;
};

/* Return the recipe of the arguments `key`, a new one if there is none. The recipe is in use until
 * http_recipe_release. Returns NULL if memory is exhausted. */
struct http_recipe *http_recipe_use(const uint8_t *key, size_t size);
void http_recipe_release(struct http_recipe *);
const struct http_series *http_recipe_series(const struct http_recipe *, int32_t tag_set, int32_t status);
void http_recipe_keep_series(struct http_recipe *, const struct http_series *);

/* -- connections (http_connection.c) -------------------------------------------------------------- */

/* A kept connection that Python has lent to a VU. Python closes its socket. */
struct http_connection {
    struct http_connection *next;
    struct vu *vu;
    uint32_t number;
    int descriptor;
    int32_t host;
    bool is_busy, has_ended, is_used;
    char ip[64];
    size_t ip_size;
    int32_t port;
};

/* Take an idle connection of the VU to a host, and mark it busy and used. Returns NULL if there is none. */
struct http_connection *http_connection_take(struct vu *, int32_t host);
/* Return true if the peer has ended an idle connection. */
bool http_connection_has_ended(const struct http_connection *);
/* Give a connection back to Python. */
void http_connection_return(struct http_connection *);

#endif

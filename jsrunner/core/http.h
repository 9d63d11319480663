/* HTTP exchanges: the usual request, made by the core alone.
 *
 * Theory. Python makes a request by all the rules there are (modules/k6/http/flow.py, transport/http.py).
 * What comes out of the script's arguments is mostly the same each time: the bytes of the request, the
 * series of its samples. So Python leaves both here as a recipe, under the arguments, and lends the core a
 * kept connection. From then on the core replays the recipe: it sends the bytes, waits on the VU's fiber,
 * and reads the response, as long as all is usual. For whatever else comes (a redirection, a cookie, a
 * head that needs judgement, an error, the end of the time) the core hands over to Python what it has
 * done so far, with all that has come of the response, and Python goes on from there. The core decides
 * nothing that Python could decide otherwise.
 *
 * Measured with 50 VUs and a keep-alive GET each (bench/bench.py, http-50): 15 us CPU per request, 36 by
 * the way over Python.
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
    /* Bytes, the empty line among them. */
    size_t size;
    int32_t status;
    /* `200 OK`, and the lines of the fields; both within the head. */
    const char *status_text, *fields;
    size_t status_text_size, fields_size;
    bool is_chunked, has_length;
    uint64_t length;
};

/* Read the head that `data` begins with. HTTP_UNUSUAL for whatever ends or changes a connection, has a
 * body of unknown length or coding, sets a cookie, or is not written in the plainest way. */
enum http_scan http_scan_head(const uint8_t *data, size_t size, struct http_head *);

/* Follow a chunked body from its chunk at `*at` to its end, which is written to `*at`. `data` begins with
 * the body, which has at most `limit` bytes. */
enum http_scan http_scan_chunks(const uint8_t *data, size_t size, size_t limit, size_t *at);

/* Move the contents of a whole chunked body together. Returns how many bytes they are. */
size_t http_join_chunks(uint8_t *data);

/* Return whether a byte may be in a field's name (RFC 9110, section 5.6.2). */
bool http_is_token(uint8_t byte);
/* Return whether a text is the expected one, in whatever case. */
bool http_is_text(const char *text, size_t size, const char *expected);
/* Cut off blanks at both ends. */
void http_trim(const char **text, size_t *size);

/* headersOf(lines) of http_fields.c: the fields as an object; several values of a name are joined by commas. */
JSValue http_headers_of(JSContext *, JSValue self, int argc, JSValue *argv);

/* -- recipes (http_recipe.c) -------------------------------------------------------------------------- */

enum { HTTP_SERIES_MAX = 9 };

/* The series of a recipe's responses with one status, for one tag set of the VU's. */
struct http_series {
    int32_t tag_set, status;
    int32_t numbers[HTTP_SERIES_MAX];
    int32_t count;
    /* The value of http_req_failed, if that is among them. */
    bool has_failed;
};

/* Python's part of a recipe: `HttpTerms` of binding.py. */
struct http_terms {
    double timeout;
    /* Bytes of a response's body; the text before what tells of the body's length, and behind that. */
    size_t body_max, start_size, end_size;
    int32_t host;
    /* A request to HEAD; one that may be made again; an empty body is told of. */
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
    /* Count of Python's requests; count of the core's exchanges in a row that Python had to continue. */
    int32_t asked, misses;
    bool is_set;
    struct http_terms terms;
    struct bytes text;
    /* MessagePack: what a response tells of its request. */
    struct bytes more;
    struct http_series *series;
    int32_t series_count;
};

/* The recipe under the arguments `key`, made if there is none; in use until http_recipe_release. NULL without
 * memory. */
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

/* An idle connection of the VU's to a host, which is busy and used then; NULL if there is none. */
struct http_connection *http_connection_take(struct vu *, int32_t host);
/* Return whether the peer has ended a connection on which nothing is under way. */
bool http_connection_has_ended(const struct http_connection *);
/* Give a connection back to Python. */
void http_connection_return(struct http_connection *);

#endif

/* One HTTP exchange on the VU's fiber. See http.h. */
#include "http.h"

#include "codec.h"
#include "pack.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    INPUT_BYTES = 64 << 10,
    /* Maximum bytes of a response's body; Python reads longer bodies. */
    BODY_MAX = 1 << 20,
    /* Number of unusual responses in a row after which the core leaves a recipe's requests to Python. */
    MISSES_MAX = 8,
};

/* The bytes of the request, and the buffer of received bytes. Both are valid until the VU parks. */
static struct bytes output;
static uint8_t input[INPUT_BYTES];

struct exchange {
    struct vu *vu;
    struct http_recipe *recipe;
    struct http_connection *connection;
    /* Moments of clock_now(), 0 before they are reached: start, request sent, first byte and last byte received. */
    double started, sent_at, first_at, done_at;
    /* Bytes of the request that the kernel has taken. */
    size_t sent;
    /* The errno of sending or receiving, 0 if neither has failed. */
    int error;
    /* Received bytes: `data` points to the process's `input` or to `kept`. */
    const uint8_t *data;
    size_t size;
    struct bytes kept;
    struct http_head head;
    /* In a chunked body: the place of the next chunk. */
    size_t chunk_at;
    size_t body_size;
    bool has_body;
};

/* -- the request ---------------------------------------------------------------------------------- */

/* Set `bytes` and `count` to the contents of a MessagePack str or bin. Returns false for any other type. */
static bool read_sized(const uint8_t *packed, size_t size, const uint8_t **bytes, size_t *count)
{
    if (packed[0] >> 5 == 5) {
        *bytes = packed + 1;
        *count = packed[0] & 31;
        return true;
    }
    if (pack_read_binary(packed, size, bytes, count)) return true;
    if (packed[0] < 0xD9 || packed[0] > 0xDB) return false;
    size_t width = (size_t)1 << (packed[0] - 0xD9);
    *count = 0;
    for (size_t i = 0; i < width; i++) *count = *count << 8 | packed[1 + i];
    *bytes = packed + 1 + width;
    return true;
}

/* Write the request to `output`: head, Content-Length and body. Returns false if only Python can make the request. */
static bool write_request(const struct http_recipe *recipe, const uint8_t *packed, size_t packed_size)
{
    static const char EMPTY[] = "Content-Length: 0\r\n";
    const struct http_terms *terms = &recipe->terms;
    const uint8_t *body = NULL;
    size_t body_size = 0;
    bool is_there = packed[0] != 0xC0; /* nil */
    if (is_there && (!read_sized(packed, packed_size, &body, &body_size) || !body_size || body_size > BODY_MAX))
        return false;
    output.size = 0;
    if (!bytes_append(&output, recipe->text.data, terms->start_size)) return false;
    char length[48];
    if (is_there) {
        int size = snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_size);
        if (!bytes_append(&output, length, (size_t)size)) return false;
    } else if (terms->tells_empty && !bytes_append(&output, EMPTY, sizeof EMPTY - 1)) {
        return false;
    }
    return bytes_append(&output, recipe->text.data + terms->start_size, terms->end_size) &&
           bytes_append(&output, body, body_size);
}

/* Send the request. Returns false if the kernel did not take all of it. */
static bool send_request(struct exchange *exchange)
{
    ssize_t count = send(exchange->connection->descriptor, output.data, output.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    exchange->sent_at = clock_now();
    schedule_note_write();
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) exchange->error = errno;
    if (count < 0) return false;
    exchange->sent = (size_t)count;
    exchange->vu->bytes_sent += (uint64_t)count;
    return exchange->sent == output.size;
}

/* -- the response --------------------------------------------------------------------------------- */

/* Receive bytes. Returns false if the connection has failed or ended; exchange->error is 0 for an end. */
static bool take_input(struct exchange *exchange, size_t count)
{
    exchange->vu->bytes_received += count;
    if (!exchange->kept.size) {
        exchange->data = input;
        exchange->size = count;
        return true;
    }
    if (!bytes_append(&exchange->kept, input, count)) return false;
    exchange->data = exchange->kept.data;
    exchange->size = exchange->kept.size;
    return true;
}

/* Copy the received bytes from the process's buffer to `kept`, before the VU parks or the bytes are changed. */
static bool keep_input(struct exchange *exchange)
{
    if (exchange->data != input || !exchange->size) return true;
    if (!bytes_append(&exchange->kept, exchange->data, exchange->size)) return false;
    exchange->data = exchange->kept.data;
    return true;
}

/* Scan the received bytes. Returns the progress of the response. */
static enum http_scan scan(struct exchange *exchange)
{
    struct http_head *head = &exchange->head;
    const struct http_terms *terms = &exchange->recipe->terms;
    enum http_scan result = http_scan_head(exchange->data, exchange->size, head);
    if (result != HTTP_WHOLE) return result;
    bool is_redirection = head->status > 300 && head->status < 309 && head->status != 304;
    bool is_bodiless = head->status == 204 || head->status == 304;
    size_t limit = terms->body_max < BODY_MAX ? terms->body_max : BODY_MAX;
    const uint8_t *body = exchange->data + head->size;
    size_t come = exchange->size - head->size;
    if (is_redirection) return HTTP_UNUSUAL;
    if (terms->is_head || is_bodiless) {
        exchange->body_size = 0;
        exchange->has_body = !is_bodiless;
        return come || head->is_chunked ? HTTP_UNUSUAL : HTTP_WHOLE;
    }
    exchange->has_body = true;
    if (head->is_chunked) {
        result = http_scan_chunks(body, come, limit, &exchange->chunk_at);
        return result == HTTP_WHOLE && exchange->chunk_at < come ? HTTP_UNUSUAL : result;
    }
    if (!head->has_length || head->length > limit || come > head->length) return HTTP_UNUSUAL;
    exchange->body_size = (size_t)head->length;
    return come < head->length ? HTTP_PARTIAL : HTTP_WHOLE;
}

/* Wait for the response and read it. Returns HTTP_PARTIAL if the VU must stop. On a fiber. */
static enum http_scan receive(struct exchange *exchange)
{
    double end = exchange->started + exchange->recipe->terms.timeout;
    for (;;) {
        if (!vu_park(exchange->vu, VU_EXCHANGING, end)) return HTTP_PARTIAL;
        ssize_t count = recv(exchange->connection->descriptor, input, INPUT_BYTES, MSG_DONTWAIT);
        double now = clock_now();
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            if (now >= end) return HTTP_UNUSUAL;
            continue;
        }
        if (count < 0) exchange->error = errno;
        if (count <= 0) return HTTP_UNUSUAL;
        if (!exchange->first_at) exchange->first_at = now;
        if (!take_input(exchange, (size_t)count)) return HTTP_UNUSUAL;
        enum http_scan result = scan(exchange);
        exchange->done_at = clock_now();
        if (result != HTTP_PARTIAL) return result;
        if (!keep_input(exchange)) return HTTP_UNUSUAL;
    }
}

/* -- the response for JavaScript ------------------------------------------------------------------- */

static JSValue text_of(JSContext *context, const uint8_t *data, size_t size)
{
    struct utf8 text;
    utf8_start(&text);
    utf8_feed(&text, data, size);
    if (utf8_is_complete(&text)) return JS_NewStringLen(context, (const char *)data, size);
    uint8_t *mended = js_malloc(context, 3 * size);
    if (!mended) return JS_EXCEPTION;
    size_t mended_size = utf8_replace(mended, data, size);
    JSValue value = JS_NewStringLen(context, (const char *)mended, mended_size);
    js_free(context, mended);
    return value;
}

static JSValue body_of(struct exchange *exchange)
{
    JSContext *context = exchange->vu->context;
    const struct http_terms *terms = &exchange->recipe->terms;
    if (terms->is_discarded || !exchange->has_body) return JS_NULL;
    const uint8_t *body = exchange->data + exchange->head.size;
    if (exchange->head.is_chunked) {
        uint8_t *chunks = js_malloc(context, exchange->chunk_at);
        if (!chunks) return JS_EXCEPTION;
        memcpy(chunks, body, exchange->chunk_at);
        size_t size = http_join_chunks(chunks);
        JSValue value = terms->is_binary ? JS_NewArrayBufferCopy(context, chunks, size) : text_of(context, chunks, size);
        js_free(context, chunks);
        return value;
    }
    return terms->is_binary ? JS_NewArrayBufferCopy(context, body, exchange->body_size)
                            : text_of(context, body, exchange->body_size);
}

static int32_t microseconds(double seconds) { return seconds > 0 ? (int32_t)(seconds * 1e6) : 0; }

/* Return the response as the array that `fromRow` of response.js takes. Python's `Flow.run` returns the same array. */
static JSValue row_of(struct exchange *exchange)
{
    enum { ROW_SIZE = 14 };
    static const char PROTOCOL[] = "HTTP/1.1";
    JSContext *context = exchange->vu->context;
    const struct http_head *head = &exchange->head;
    const struct http_connection *connection = exchange->connection;
    const struct bytes *more = &exchange->recipe->more;
    JSValue row[ROW_SIZE] = {
        js_int(head->status),
        JS_NewStringLen(context, head->status_text, head->status_text_size),
        JS_NewStringLen(context, PROTOCOL, sizeof PROTOCOL - 1),
        JS_NewStringLen(context, head->fields, head->fields_size),
        body_of(exchange),
        JS_NewStringLen(context, connection->ip, connection->ip_size),
        js_int(connection->port),
        js_int(0),
        js_int(0),
        js_int(0),
        js_int(microseconds(exchange->sent_at - exchange->started)),
        js_int(microseconds(exchange->first_at - exchange->sent_at)),
        js_int(microseconds(exchange->done_at - exchange->first_at)),
        codec_read(context, more->data, more->size),
    };
    bool is_whole = true;
    for (int i = 0; i < ROW_SIZE; i++) is_whole = is_whole && !js_is_exception(row[i]);
    if (is_whole) return JS_NewArrayFrom(context, ROW_SIZE, row);
    for (int i = 0; i < ROW_SIZE; i++) JS_FreeValue(context, row[i]);
    return JS_EXCEPTION;
}

/* -- samples -------------------------------------------------------------------------------------- */

/* Ask Python for the series of the recipe's responses with this status, and keep them. Returns false with an
 * exception pending or if the VU must stop. On a fiber. */
static bool ask_series(struct exchange *exchange, int32_t tag_set)
{
    static int32_t operation = -1;
    struct vu *vu = exchange->vu;
    const struct http_recipe *recipe = exchange->recipe;
    struct http_series series = {.tag_set = tag_set, .status = exchange->head.status};
    if (operation < 0) operation = core_define_operation("http.series");
    vu->request.size = 0;
    if (!pack_array(&vu->request, 5) || !bytes_append(&vu->request, recipe->key, recipe->key_size) ||
        !pack_integer(&vu->request, series.status)) {
        JS_ThrowOutOfMemory(vu->context);
        return false;
    }
    JSValue numbers = request_value(vu, operation);
    if (js_is_exception(numbers)) return false;
    for (; series.count < HTTP_SERIES_MAX; series.count++) {
        JSValue number = JS_GetPropertyUint32(vu->context, numbers, (uint32_t)series.count + 1);
        if (js_is_undefined(number)) break;
        JS_ToInt32(vu->context, &series.numbers[series.count], number);
    }
    JSValue has_failed = JS_GetPropertyUint32(vu->context, numbers, 0);
    series.has_failed = JS_ToBool(vu->context, has_failed) > 0;
    JS_FreeValue(vu->context, numbers);
    http_recipe_keep_series(exchange->recipe, &series);
    return true;
}

/* Record the samples of a whole exchange, in the order of Python's `Samples`. On a fiber. */
static bool take_samples(struct exchange *exchange)
{
    struct vu *vu = exchange->vu;
    int32_t tag_set = vu_tag_set(vu);
    if (tag_set < 0) return false;
    const struct http_series *series = http_recipe_series(exchange->recipe, tag_set, exchange->head.status);
    if (!series) {
        if (!ask_series(exchange, tag_set)) return false;
        series = http_recipe_series(exchange->recipe, tag_set, exchange->head.status);
        if (!series) return true; /* no memory for it */
    }
    double sending = microseconds(exchange->sent_at - exchange->started) / 1000.0;
    double waiting = microseconds(exchange->first_at - exchange->sent_at) / 1000.0;
    double receiving = microseconds(exchange->done_at - exchange->first_at) / 1000.0;
    const double values[HTTP_SERIES_MAX] = {
        1, sending + waiting + receiving, 0, 0, 0, sending, waiting, receiving, series->has_failed,
    };
    double time = clock_epoch(exchange->done_at);
    for (int32_t i = 0; i < series->count; i++) samples_add(series->numbers[i], values[i], time, vu->metadata);
    return true;
}

/* -- requests through Python ----------------------------------------------------------------------- */

/* Pack the state of an exchange for Python: `Begun` of transport/http1.py. */
static bool pack_begun(struct bytes *to, const struct exchange *exchange)
{
    return pack_array(to, 7) && pack_integer(to, exchange->connection->number) &&
           pack_integer(to, (int64_t)(exchange->started * 1e9)) && pack_integer(to, (int64_t)(exchange->sent_at * 1e9)) &&
           pack_integer(to, (int64_t)(exchange->first_at * 1e9)) && pack_integer(to, (int64_t)exchange->sent) &&
           pack_integer(to, exchange->error) && pack_binary(to, exchange->data, exchange->size);
}

/* Ask Python to make the request, or to continue it. `arguments` lacks its last two values. */
static JSValue ask_python(struct vu *vu, struct bytes *arguments, const struct http_recipe *recipe,
                          const struct exchange *begun)
{
    static int32_t operation = -1;
    if (operation < 0) operation = core_define_operation("http.request");
    bool is_written = pack_integer(arguments, recipe ? (int64_t)recipe->number : -1) &&
                      (begun ? pack_begun(arguments, begun) : bytes_append_byte(arguments, 0xC0));
    if (!is_written || operation < 0) return JS_ThrowOutOfMemory(vu->context);
    bytes_free(&vu->request);
    vu->request = *arguments;
    *arguments = (struct bytes){0};
    JSValue value = request_value(vu, operation);
    bytes_free(&vu->request);
    return value;
}

/* Make the exchange by its recipe. On a fiber. */
static JSValue make_exchange(struct exchange *exchange, struct bytes *arguments)
{
    struct vu *vu = exchange->vu;
    struct http_recipe *recipe = exchange->recipe;
    enum http_scan result = send_request(exchange) ? receive(exchange) : HTTP_UNUSUAL;
    JSValue value;
    if (result == HTTP_WHOLE) {
        exchange->connection->is_busy = false;
        recipe->misses = 0;
        value = row_of(exchange);
        if (js_is_exception(value) || take_samples(exchange)) return value;
        JS_FreeValue(vu->context, value);
        return JS_HasException(vu->context) ? JS_EXCEPTION : vu_throw_interrupted(vu);
    }
    recipe->misses++;
    if (result == HTTP_PARTIAL) {
        shutdown(exchange->connection->descriptor, SHUT_RDWR);
        value = vu_throw_interrupted(vu);
        http_connection_return(exchange->connection);
        return value;
    }
    struct http_connection lent = *exchange->connection;
    http_connection_return(exchange->connection);
    exchange->connection = &lent;
    return ask_python(vu, arguments, recipe->misses < MISSES_MAX ? recipe : NULL, exchange);
}

/* exchange(method, address, name, params, body): make a request. The result is that of the operation
 * `http.request`. */
JSValue http_exchange(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    enum { KEY_VALUES = 4, ARGUMENTS = 5 };
    (void)self;
    struct vu *vu = vu_of(context);
    double now = clock_now();
    /* A VU that makes one request after another must not delay the other VUs. */
    if (vu->is_aborting || (schedule_is_slice_over(vu, now) && !schedule_yield(vu))) return vu_throw_interrupted(vu);
    struct bytes arguments = {0};
    size_t body_at = 0;
    bool is_written = bytes_reserve(&arguments, 256) && pack_array(&arguments, ARGUMENTS + 2);
    for (int i = 0; i < ARGUMENTS && is_written; i++) {
        if (i == KEY_VALUES) body_at = arguments.size;
        is_written = codec_write(context, i < argc ? argv[i] : JS_NULL, &arguments);
    }
    struct http_recipe *recipe = is_written ? http_recipe_use(arguments.data + 1, body_at - 1) : NULL;
    struct exchange exchange = {.vu = vu, .recipe = recipe, .started = clock_now()};
    JSValue value;
    if (!is_written) {
        value = JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
    } else if (recipe && recipe->is_set && recipe->misses < MISSES_MAX && !vu->has_cookies &&
               write_request(recipe, arguments.data + body_at, arguments.size - body_at) &&
               (exchange.connection = http_connection_take(vu, recipe->terms.host)) &&
               (recipe->terms.is_replayable || !http_connection_has_ended(exchange.connection))) {
        value = make_exchange(&exchange, &arguments);
    } else {
        if (exchange.connection) exchange.connection->is_busy = false;
        /* The first request of these arguments gets no recipe, because many addresses never recur. */
        bool is_wanted = recipe && recipe->asked++ > 0 && recipe->misses < MISSES_MAX && !vu->has_cookies;
        value = ask_python(vu, &arguments, is_wanted ? recipe : NULL, NULL);
    }
    bytes_free(&exchange.kept);
    bytes_free(&arguments);
    if (recipe) http_recipe_release(recipe);
    return value;
}

/* Allow or forbid requests by recipes: they are allowed while the VU has no cookies. */
CORE_API void core_vu_repeats_requests(int32_t index, bool is_on)
{
    struct vu *vu = vu_at(index);
    if (vu) vu->has_cookies = !is_on;
}

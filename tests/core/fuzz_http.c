/* Fuzz target of http_head.c, as fuzz_frames.c is one of frames.c. With any compiler:
 *     cc -fsanitize=address,undefined -I jsrunner/core tests/core/fuzz_http.c jsrunner/core/http_head.c -o fuzz
 *
 * Checked beyond the sanitizers: a response that is whole is not before its end, and is the same however it
 * comes; what is unusual stays so; a chunked body lies within what has come. Each prefix lies alone in memory
 * of its exact size.
 */
#include "http.h"

#include "fuzz.h"

enum { LIMIT = 5000 };

/* How far a body's chunks go, from `at` on. */
static enum http_scan follow(const uint8_t *data, size_t size, size_t *at)
{
    enum http_scan scan = http_scan_chunks(data, size, LIMIT, at);
    CHECK(*at <= size);
    if (scan != HTTP_WHOLE) return scan;
    uint8_t *copy = copy_alone(data, *at);
    CHECK(http_join_chunks(copy) < *at);
    free(copy);
    return scan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum http_scan head_before = HTTP_PARTIAL, body_before = HTTP_PARTIAL;
    size_t head_size = 0, at = 0;
    for (size_t count = 0; count <= size; count++) {
        uint8_t *prefix = copy_alone(data, count);
        struct http_head head;
        enum http_scan scan = count ? http_scan_head(prefix, count, &head) : HTTP_PARTIAL;
        if (head_before != HTTP_PARTIAL) CHECK(scan == head_before);
        if (scan == HTTP_WHOLE) {
            if (head_before == HTTP_PARTIAL) CHECK(head.size == count);
            else CHECK(head.size == head_size);
            CHECK(head.status >= 200 && head.status < 1000 && head.fields_size < head.size);
            head_size = head.size;
        }
        head_before = scan;
        if (scan == HTTP_WHOLE && head.is_chunked) {
            size_t anew = 0;
            enum http_scan body = follow(prefix + head_size, count - head_size, &at);
            CHECK(follow(prefix + head_size, count - head_size, &anew) == body && anew == at);
            if (body_before != HTTP_PARTIAL) CHECK(body == body_before);
            free(prefix);
            body_before = body;
            if (body != HTTP_PARTIAL) return 0;
            continue;
        }
        free(prefix);
    }
    return 0;
}

#define SEED(text) {(const uint8_t *)(text), sizeof(text) - 1}
const struct seed seeds[] = {
    SEED("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: x\r\n\r\nhi"),
    SEED("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    SEED("HTTP/1.1 200 \r\nConnection: keep-alive\r\nSet-Cookie: a=b\r\n\r\n"),
    SEED("HTTP/1.1 301 Moved\r\nTransfer-Encoding: CHUNKED\r\nX:\ty\r\n\r\n1234567\r\nabc"),
};
const size_t seed_count = sizeof seeds / sizeof *seeds;

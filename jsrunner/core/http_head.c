/* Reading of responses in the plainest syntax of RFC 9112. Python judges all other responses (transport/head.py).
 * See http.h. */
#include "http.h"

#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 16 << 10, LENGTH_DIGITS = 15, CHUNK_DIGITS = 7 };

bool http_is_token(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

bool http_is_text(const char *text, size_t size, const char *expected)
{
    return size == strlen(expected) && strncasecmp(text, expected, size) == 0;
}

/* Return the size of the name at the front of a line, 0 if there is no name. */
static size_t name_end(const char *line, size_t size)
{
    size_t end = 0;
    while (end < size && http_is_token((uint8_t)line[end])) end++;
    return end < size && line[end] == ':' ? end : 0;
}

void http_trim(const char **text, size_t *size)
{
    while (*size && (**text == ' ' || **text == '\t')) (*text)++, (*size)--;
    while (*size && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t')) (*size)--;
}

/* Read a status line such as `HTTP/1.1 200 OK`. Returns false for other syntax and for a status below 200. */
static bool read_status(const char *line, size_t size, struct http_head *head)
{
    static const char VERSION[] = "HTTP/1.1 ";
    enum { VERSION_SIZE = sizeof VERSION - 1 };
    const uint8_t *code = (const uint8_t *)line + VERSION_SIZE;
    if (size < VERSION_SIZE + 4 || memcmp(line, VERSION, VERSION_SIZE) != 0) return false;
    if (code[0] < '2' || !is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]) || code[3] != ' ') return false;
    head->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    head->status_text = line + VERSION_SIZE;
    head->status_text_size = size - VERSION_SIZE;
    return true;
}

static bool read_length(const char *value, size_t size, struct http_head *head)
{
    if (head->has_length || !size || size > LENGTH_DIGITS) return false;
    head->has_length = true;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit((uint8_t)value[i])) return false;
        head->length = head->length * 10 + (uint64_t)(value[i] - '0');
    }
    return true;
}

/* Read a field's line. Returns false if Python must judge the head. */
static bool read_field(const char *line, size_t size, struct http_head *head)
{
    size_t end = name_end(line, size);
    if (!end) return false;
    const char *value = line + end + 1;
    size_t value_size = size - end - 1;
    http_trim(&value, &value_size);
    switch (end) {
    case 6:
        return !http_is_text(line, end, "Pragma");
    case 7:
        return !http_is_text(line, end, "Trailer");
    case 10:
        if (http_is_text(line, end, "Set-Cookie")) return false;
        return !http_is_text(line, end, "Connection") || http_is_text(value, value_size, "keep-alive");
    case 14:
        return !http_is_text(line, end, "Content-Length") || read_length(value, value_size, head);
    case 16:
        return !http_is_text(line, end, "Content-Encoding");
    case 17:
        if (!http_is_text(line, end, "Transfer-Encoding")) return true;
        if (head->is_chunked || !http_is_text(value, value_size, "chunked")) return false;
        head->is_chunked = true;
        return true;
    default:
        return true;
    }
}

/* Return true if a line has printable ASCII only. */
static bool is_plain(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((uint8_t)line[i] < ' ' && line[i] != '\t') || (uint8_t)line[i] > '~') return false;
    return true;
}

enum http_scan http_scan_head(const uint8_t *data, size_t size, struct http_head *head)
{
    *head = (struct http_head){0};
    for (size_t at = 0;;) {
        const char *line = (const char *)data + at;
        const uint8_t *feed = memchr(line, '\n', size - at);
        if (!feed) return size > HEAD_MAX ? HTTP_UNUSUAL : HTTP_PARTIAL;
        size_t end = (size_t)(feed - data);
        if (end == at || data[end - 1] != '\r') return HTTP_UNUSUAL;
        size_t length = end - 1 - at;
        if (!is_plain(line, length)) return HTTP_UNUSUAL;
        at = end + 1;
        if (!head->status) {
            if (!read_status(line, length, head)) return HTTP_UNUSUAL;
            head->fields = (const char *)data + at;
        } else if (!length) {
            head->fields_size = (size_t)(line - head->fields);
            head->size = at;
            return head->is_chunked && head->has_length ? HTTP_UNUSUAL : HTTP_WHOLE;
        } else if (!read_field(line, length, head)) {
            return HTTP_UNUSUAL;
        }
    }
}

/* -- chunked bodies ------------------------------------------------------------------------------- */

static int hex_digit(uint8_t byte)
{
    if (is_digit(byte)) return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Read a chunk's first line, which may have no extensions. Sets the place of the chunk's data and their length. */
static enum http_scan read_chunk_line(const uint8_t *data, size_t size, size_t *at, size_t *length)
{
    size_t digits = 0;
    *length = 0;
    for (; *at + digits < size && digits <= CHUNK_DIGITS; digits++) {
        int digit = hex_digit(data[*at + digits]);
        if (digit < 0) break;
        *length = *length * 16 + (size_t)digit;
    }
    if (digits > CHUNK_DIGITS) return HTTP_UNUSUAL;
    size_t end = *at + digits;
    if (end + 2 > size) return end < size && (!digits || data[end] != '\r') ? HTTP_UNUSUAL : HTTP_PARTIAL;
    if (!digits || data[end] != '\r' || data[end + 1] != '\n') return HTTP_UNUSUAL;
    *at = end + 2;
    return HTTP_WHOLE;
}

enum http_scan http_scan_chunks(const uint8_t *data, size_t size, size_t limit, size_t *at)
{
    for (;;) {
        size_t next = *at, length;
        enum http_scan scan = read_chunk_line(data, size, &next, &length);
        if (scan != HTTP_WHOLE) return scan;
        if (next + length > limit) return HTTP_UNUSUAL;
        size_t end = next + length; /* of the data; a line's end follows, also behind the last chunk */
        if (end < size && data[end] != '\r') return HTTP_UNUSUAL;
        if (end + 1 < size && data[end + 1] != '\n') return HTTP_UNUSUAL;
        if (end + 2 > size) return HTTP_PARTIAL;
        *at = end + 2;
        if (!length) return HTTP_WHOLE;
    }
}

size_t http_join_chunks(uint8_t *data)
{
    size_t at = 0, joined = 0, length;
    while (read_chunk_line(data, SIZE_MAX, &at, &length) == HTTP_WHOLE && length) {
        memmove(data + joined, data + at, length);
        joined += length;
        at += length + 2;
    }
    return joined;
}

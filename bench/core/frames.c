/* Cost of the frame decoder, UTF-8 validation and masking, in nanoseconds per call.
 *
 *     cc -std=c11 -O3 -I jsrunner/core bench/core/frames.c jsrunner/core/{frames,mask,utf8,bytes}.c
 */
#define _POSIX_C_SOURCE 200809L
#include "frames.h"
#include "mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SMALL = 64, LARGE = 65536, BURST = 1000 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static size_t sink; /* keeps results alive */

/* Print the least of 20 runs of `statement`, divided by the operations of one run. */
#define MEASURE(label, operations, statement)                   \
    do {                                                        \
        double least = 1e18;                                    \
        for (int run = 0; run < 20; run++) {                    \
            double start = now();                               \
            for (int i = 0; i < 100; i++) { statement; }        \
            double each = (now() - start) / 100 / (operations); \
            if (each < least) least = each;                     \
        }                                                       \
        printf("%-34s %10.1f ns\n", label, least);              \
    } while (0)

static void decode_all(const uint8_t *bytes, size_t size, bool is_strict)
{
    struct frame_decoder decoder;
    struct frame_event event;
    frame_decoder_start(&decoder, is_strict, false, (struct frame_limits){0});
    do {
        size_t used = frame_decode(&decoder, bytes, size, &event);
        bytes += used, size -= used, sink += event.size;
    } while (event.kind != FRAME_NONE);
    frame_decoder_free(&decoder);
}

/* Append a server's frame. */
static void append_frame(struct bytes *stream, uint8_t first, const uint8_t *payload, size_t size)
{
    uint8_t header[FRAME_HEADER_MAX];
    size_t length = frame_header(header, first, size, 0) - 4;
    header[1] &= 0x7F;
    if (!bytes_append(stream, header, length) || !bytes_append(stream, payload, size)) exit(1);
}

static void fill(uint8_t *to, size_t size, const char *text)
{
    for (size_t i = 0; i < size; i++) to[i] = (uint8_t)text[i % strlen(text)];
}

int main(void)
{
    static uint8_t ascii[LARGE], cyrillic[LARGE], masked[LARGE], out[LARGE * 3];
    struct bytes small = {0}, large = {0}, fragments = {0};
    fill(ascii, LARGE, "The quick brown fox jumps over the lazy dog. ");
    fill(cyrillic, LARGE, "Съешь же ещё этих мягких французских булок");
    for (int i = 0; i < BURST; i++) append_frame(&small, 0x81, ascii, SMALL);
    append_frame(&large, 0x81, ascii, LARGE);
    append_frame(&fragments, 0x01, ascii, SMALL);
    for (int i = 0; i < BURST; i++) append_frame(&fragments, 0x00, ascii, SMALL);
    append_frame(&fragments, 0x80, ascii, 0);
    MEASURE("decode text frame, 64 B", BURST, decode_all(small.data, small.size, false));
    MEASURE("decode text frame, 64 B, strict", BURST, decode_all(small.data, small.size, true));
    MEASURE("decode text fragment, 64 B", BURST, decode_all(fragments.data, fragments.size, false));
    MEASURE("decode text frame, 64 KB", 1, decode_all(large.data, large.size, false));
    struct utf8 text;
    MEASURE("validate ASCII, 64 KB", 1, utf8_start(&text); sink += utf8_feed(&text, ascii, LARGE));
    MEASURE("validate Cyrillic, 64 KB", 1, utf8_start(&text);
            sink += utf8_feed(&text, cyrillic, LARGE));
    MEASURE("replace Cyrillic, 64 KB", 1, sink += utf8_replace(out, cyrillic, LARGE));
    MEASURE("mask, 64 B", 1, frame_mask(masked, ascii, SMALL, 0x12345678, 0));
    MEASURE("mask, 64 KB", 1, frame_mask(masked, ascii, LARGE, 0x12345678, 0));
    MEASURE("masking key", 1024, for (int k = 0; k < 1024; k++) sink += frame_mask_key());
    bytes_free(&small), bytes_free(&large), bytes_free(&fragments);
    return sink == 0;
}

/* What tests/core_library.py needs beyond jsrunner/core's own functions. */
#include "frames.h"

#include <stdlib.h>

const size_t event_size = sizeof(struct frame_event);

/* Allocations that succeed before they fail; -1: all do. All files are compiled with
 * -Drealloc=test_realloc, so that stdlib.h declares that. */
int allocations_left = -1;

#undef realloc
void *realloc(void *data, size_t size);
void *test_realloc(void *data, size_t size)
{
    if (allocations_left == 0) return NULL;
    if (allocations_left > 0) allocations_left--;
    return realloc(data, size);
}

struct frame_decoder *decoder_new(bool is_strict, bool has_deflate, struct frame_limits limits);
struct frame_decoder *decoder_new(bool is_strict, bool has_deflate, struct frame_limits limits)
{
    struct frame_decoder *decoder = malloc(sizeof *decoder);
    if (decoder) frame_decoder_start(decoder, is_strict, has_deflate, limits);
    return decoder;
}

void decoder_delete(struct frame_decoder *decoder);
void decoder_delete(struct frame_decoder *decoder)
{
    frame_decoder_free(decoder);
    free(decoder);
}

/* Validate a text whose pieces end at `ends`; return how many pieces were fed when it was known to
 * be wrong, -1 if it is complete, -2 if it ends within a character. Set *is_ascii. */
int validate(const uint8_t *text, const size_t *ends, int pieces, bool *is_ascii);
int validate(const uint8_t *text, const size_t *ends, int pieces, bool *is_ascii)
{
    struct utf8 state;
    size_t start = 0;
    utf8_start(&state);
    for (int i = 0; i < pieces; start = ends[i++])
        if (!utf8_feed(&state, text + start, ends[i] - start)) return *is_ascii = false, i + 1;
    *is_ascii = state.is_ascii;
    return utf8_is_complete(&state) ? -1 : -2;
}

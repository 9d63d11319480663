/* Fuzz target of the frame decoder, utf8.c and mask.c.
 *
 * With clang, a libFuzzer target:
 *     clang -fsanitize=fuzzer,address,undefined -DLIBFUZZER -I jsrunner/core \
 *         tests/core/fuzz_frames.c jsrunner/core/{frames,mask,utf8,bytes}.c -o fuzz
 * With any compiler, a program that mutates seeds of its own for some seconds:
 *     cc -fsanitize=address,undefined -I jsrunner/core tests/core/fuzz_frames.c \
 *         jsrunner/core/{frames,mask,utf8,bytes}.c -o fuzz && ./fuzz [seconds] [file of a failed input]
 *
 * The first byte of an input selects rules and limits, the second the size of pieces. Checked
 * beyond the sanitizers: events are the same in pieces as in one; texts are valid UTF-8; payloads
 * lie within the limits; nothing follows the last event; progress is made. Each piece lies alone in
 * memory of its exact size, so that reading beyond it is seen.
 */
#include "frames.h"
#include "mask.h"

#include "fuzz.h"

static struct frame_limits limits_of(uint8_t selector)
{
    static const struct frame_limits choices[] = {
        {0, 0, 0}, {1000, 0, 0}, {0, 200, 0}, {100, 150, 2}};
    return choices[selector >> 2 & 3];
}

/* The events of a stream, reduced to a number (FNV-1a). */
struct digest {
    uint64_t value;
    bool is_over;
};

static void digest_bytes(struct digest *digest, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        digest->value = (digest->value ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
}

static bool is_utf8(const uint8_t *bytes, size_t size)
{
    struct utf8 text;
    utf8_start(&text);
    utf8_feed(&text, bytes, size);
    return utf8_is_complete(&text);
}

static void take(struct frame_decoder *decoder, struct frame_event *event, struct digest *digest)
{
    uint8_t inflated[300];
    CHECK(!digest->is_over);
    if (event->is_compressed) {
        CHECK(event->kind == FRAME_TEXT || event->kind == FRAME_BINARY);
        for (size_t i = 0; i < sizeof inflated; i++)
            inflated[i] = event->size ? event->payload[i % event->size] : 'x';
        frame_inflated(decoder, inflated, event->size % sizeof inflated, event);
        if (event->kind == FRAME_TEXT) CHECK(is_utf8(event->payload, event->size));
    }
    uint32_t head[] = {event->kind, event->code, event->is_utf8, event->is_ascii};
    digest_bytes(digest, head, sizeof head);
    if (event->size) digest_bytes(digest, event->payload, event->size);
    if (event->kind == FRAME_TEXT) CHECK(is_utf8(event->payload, event->size));
    if (event->kind == FRAME_BINARY && decoder->limits.message_bytes)
        CHECK(event->size <= decoder->limits.message_bytes);
    if (event->kind == FRAME_VIOLATION) CHECK(event->violation);
    digest->is_over = event->kind == FRAME_CLOSE || event->kind == FRAME_VIOLATION;
}

/* Decode a stream of which `piece` further bytes come at a time. */
static struct digest decode(const uint8_t *stream, size_t size, size_t piece, uint8_t selector)
{
    struct digest digest = {0xCBF29CE484222325u, false};
    struct frame_decoder decoder;
    struct frame_event event;
    frame_decoder_start(&decoder, selector & 1, selector & 2, limits_of(selector));
    size_t used = 0, available = 0;
    while (available < size) {
        available = size - available > piece ? available + piece : size;
        do {
            uint8_t *alone = copy_alone(stream + used, available - used);
            size_t taken = frame_decode(&decoder, alone, available - used, &event);
            CHECK(taken <= available - used);
            used += taken;
            if (event.kind == FRAME_NONE)
                CHECK(digest.is_over || event.wanted > available - used);
            else
                take(&decoder, &event, &digest);
            free(alone);
        } while (event.kind != FRAME_NONE);
    }
    frame_decoder_free(&decoder);
    return digest;
}

/* Masking twice is the identity, from any offset, in place or not. */
static void check_mask(const uint8_t *input, size_t size)
{
    uint32_t key = frame_mask_key();
    size_t offset = size ? input[0] : 0, cut = size / 3;
    uint8_t *masked = copy_alone(input, size), *unmasked = copy_alone(input, size);
    frame_mask(masked, input, cut, key, offset);
    frame_mask(masked + cut, input + cut, size - cut, key, offset + cut);
    frame_mask(unmasked, masked, size, key, offset);
    CHECK(!size || !memcmp(unmasked, input, size));
    frame_mask(masked, masked, size, key, offset);
    CHECK(!size || !memcmp(masked, input, size));
    free(masked), free(unmasked);
}

static void check_replacement(const uint8_t *input, size_t size)
{
    size_t replaced_size = utf8_replace(NULL, input, size);
    uint8_t *replaced = copy_alone(NULL, replaced_size);
    CHECK(utf8_replace(replaced, input, size) == replaced_size);
    CHECK(is_utf8(replaced, replaced_size));
    if (is_utf8(input, size))
        CHECK(replaced_size == size && (!size || !memcmp(replaced, input, size)));
    free(replaced);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) return 0;
    uint8_t selector = input[0];
    size_t piece = input[1] % 64 + 1u;
    struct digest whole = decode(input + 2, size - 2, size, selector);
    struct digest pieces = decode(input + 2, size - 2, piece, selector);
    CHECK(whole.value == pieces.value && whole.is_over == pieces.is_over);
    check_mask(input, size);
    check_replacement(input, size);
    return 0;
}

#define SEED(text) {(const uint8_t *)(text), sizeof(text) - 1}
const struct seed seeds[] = {
    SEED("\0\7\x81\5hello\x82\3\0\1\2\x89\1p\x8A\0\x88\5\3\xE8"
         "bye"),
    SEED("\1\3\x01\3\xCE\xBA\xE1\0\2\xBD\xB9\x89\4ping\x80\2\xCF\x83\x88\2\3\xE9"),
    SEED("\2\5\xC1\7\xF2\x48\xCD\xC9\xC9\7\0\x41\2ab\x80\1c\x82\0"),
    SEED("\3\1\x81\x7E\0\x80"
         "0123456789012345678901234567890123456789012345678901234567890123"
         "0123456789012345678901234567890123456789012345678901234567890123\x81\1a"),
    SEED("\0\1\x82\x7F\0\0\0\0\0\0\0\4abcd\x81\2\xC3\xBC\x81\1\xFF\x02\0\x80\3xyz"),
    SEED("\4\2\x01\1a\0\1b\0\1c\x80\1d\x88\0"),
    SEED("\1\4\x81\x0F\xCE\xBA\xE1\xBD\xB9\xCF\x83\xF4\x90\x80\x80"
         "edit"),
};
const size_t seed_count = sizeof seeds / sizeof *seeds;

/* The frames of an open WebSocket, seen by a client: RFC 6455, section 5. Bytes in, events out.
 *
 * There is no socket, clock or callback here. The owner keeps what it received and did not yet
 * decode as contiguous bytes and calls frame_decode until the event is FRAME_NONE:
 *
 *     while (used = frame_decode(&decoder, bytes, size, &event), bytes += used, size -= used,
 *            event.kind != FRAME_NONE) handle(&event);
 *
 * The next call begins with the bytes that were not consumed, followed by further ones if there are
 * any. A frame is consumed as a whole, so that the payload of a message in one frame is delivered
 * from where it lies. Only a message in several frames is copied, into the decoder's assembly
 * buffer.
 *
 * Two sets of rules:
 *
 * - The default rules are k6's. Invalid UTF-8 in a text message is replaced, byte by byte, by
 *   U+FFFD. A close frame of 1 byte counts as one without status. Invalid UTF-8 in a close reason
 *   is 1002. Lengths need not be encoded in the fewest bytes. Lengths of 2^63 and more are too big
 *   (1009).
 * - The strict rules are the RFC's. Invalid UTF-8 fails the connection with 1007 at its first wrong
 *   byte, also while its frame is incomplete. The other three are 1002, 1007 and 1002; so are
 *   lengths of 2^63 and more.
 *
 * Under both, reserved bits, unknown opcodes, masked frames, wrong sequences of fragments, and
 * control frames that are fragmented or longer than 125 bytes are 1002 as soon as the frame's first
 * two bytes are there. Events of frames that lie in front of a bad one are delivered first.
 */
#ifndef JSRUNNER_FRAMES_H
#define JSRUNNER_FRAMES_H

#include "bytes.h"
#include "utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Section 5.2. */
enum frame_opcode {
    OPCODE_CONTINUATION = 0x0,
    OPCODE_TEXT = 0x1,
    OPCODE_BINARY = 0x2,
    OPCODE_CLOSE = 0x8,
    OPCODE_PING = 0x9,
    OPCODE_PONG = 0xA,
};

/* Bits of a frame's first byte. */
enum { FRAME_FIN = 0x80, FRAME_RSV1 = 0x40 };

/* Section 7.4.1; those that this file makes or tests. */
enum close_code {
    CLOSE_NOTHING = 0, /* no close frame is sent */
    CLOSE_PROTOCOL_ERROR = 1002,
    CLOSE_NO_STATUS = 1005,
    CLOSE_INVALID_DATA = 1007,
    CLOSE_TOO_BIG = 1009,
};

enum frame_event_kind {
    FRAME_NONE,   /* more bytes are needed */
    FRAME_TEXT,   /* a message */
    FRAME_BINARY, /* a message */
    FRAME_PING,
    FRAME_PONG,
    FRAME_CLOSE,     /* the last event */
    FRAME_VIOLATION, /* the last event */
};

struct frame_event {
    enum frame_event_kind kind;
    /* A message's or control frame's payload, a close frame's reason. It lies in the caller's bytes
     * or in the decoder, and is valid until the next call with this decoder or until the caller's
     * bytes move. Not terminated by a zero; never NULL, not even if it is empty. NULL with the
     * other kinds. */
    const uint8_t *payload;
    size_t size;
    /* A message that is still deflated: inflate the payload and give it to frame_inflated. */
    bool is_compressed;
    /* Of a text that is not compressed: valid UTF-8 as it came (else bytes were replaced; the
     * payload is valid in any case); nothing but ASCII. */
    bool is_utf8, is_ascii;
    /* FRAME_CLOSE: the peer's code, CLOSE_NO_STATUS if there was none. FRAME_VIOLATION: the code to
     * answer with. */
    uint16_t code;
    /* FRAME_VIOLATION: what the peer did wrong, in English, for logs. Static. */
    const char *violation;
    /* FRAME_NONE: the number of bytes that have to lie at the front before the next call can do
     * more: all of the next frame as soon as its length is known. The peer announced that length;
     * it need not ever send so much, so grow a buffer step by step. */
    size_t wanted;
};

/* The most that a peer may send; 0 is no limit. Exceeding one is a violation, 1009, as soon as the
 * frame's length is there. */
struct frame_limits {
    size_t frame_bytes;   /* payload of one frame */
    size_t message_bytes; /* payload of one message, compressed as well as inflated */
    size_t fragments;     /* frames of one message */
};

/* One connection's receiving side. Initialise with frame_decoder_start, release with
 * frame_decoder_free; may be moved in memory between calls. */
struct frame_decoder {
    struct frame_limits limits;
    bool is_strict;
    bool has_deflate;   /* permessage-deflate was negotiated: RSV1 may be set (RFC 7692) */
    bool is_over;       /* a close frame or a violation was delivered */
    bool in_message;    /* the message below lacks fragments */
    bool is_compressed; /* of that message */
    bool is_text;       /* of that message */
    size_t fragments;   /* frames of that message so far */
    struct bytes
        assembly; /* payload of that message so far; afterwards, what the last event points to */
    struct utf8 text; /* of the text that is being received, whether in_message or not */
    size_t checked;   /* bytes of the incomplete frame's payload that `text` has seen */
};

void frame_decoder_start(struct frame_decoder *decoder, bool is_strict, bool has_deflate,
                         struct frame_limits limits);

/* Take at most one event off the front of `bytes`; return how many bytes were consumed. Fragments
 * that complete no message are consumed without an event. After FRAME_CLOSE or FRAME_VIOLATION,
 * everything is consumed and nothing happens. Memory is allocated only for messages in several
 * frames and for texts with invalid UTF-8; if there is none, that is a violation, 1009. */
size_t frame_decode(struct frame_decoder *decoder, const uint8_t *bytes, size_t size,
                    struct frame_event *event);

/* Complete the event of a compressed message with its inflated payload: set `payload`, `size` and
 * the flags, or turn the event into a violation. To be called before the next frame_decode. The
 * payload has to stay where it is as long as the event is used. */
void frame_inflated(struct frame_decoder *decoder, const uint8_t *payload, size_t size,
                    struct frame_event *event);

/* Fail the connection by the decoder's rules: turn the event into a violation, e.g. for a payload
 * that cannot be inflated. Nothing is decoded any more. */
void frame_violation(struct frame_decoder *decoder, enum close_code code, const char *violation,
                     struct frame_event *event);

/* Release the memory. */
void frame_decoder_free(struct frame_decoder *decoder);

enum { FRAME_HEADER_MAX = 14 };

/* Write the header of a client's frame with its masking key (see mask.h); `first` is its first
 * byte: FRAME_FIN, FRAME_RSV1, opcode. Return the header's size, at most FRAME_HEADER_MAX. */
size_t frame_header(uint8_t to[FRAME_HEADER_MAX], uint8_t first, uint64_t size, uint32_t key);

#endif

/* Dialing again by a recipe, without Python.
 *
 * Theory. A load test opens the same connection again and again: with the same address, headers and tags. The
 * first time Python decides (modules/session_attempt.py) on the peer, the request, the verdict on the response,
 * the payload for JavaScript and the series. Python stores these decisions as a recipe (core_recipe_keep,
 * core_recipe_answer). For an equal question the core repeats the dialing; only Sec-WebSocket-Key and
 * Sec-WebSocket-Accept differ. A response that the recipe does not know, and a failure, go to Python.
 *
 * Measured (2 cores, loopback, one message per session): 27 us of user time per session instead of 52.
 *
 * Invariants.
 *  - A recipe's question is the VU's tag set with the arguments of session.dial.
 *  - A recipe's number is never used again, so a stale number names no recipe.
 *  - A recipe with users (dialings under way) is not replaced.
 */
#ifndef JSRUNNER_RECIPE_H
#define JSRUNNER_RECIPE_H

#include "session.h"

enum { KEY_CHARACTERS = 24, ACCEPT_CHARACTERS = 28, SESSION_SERIES = 6 };

/* The head of a response before and behind the value of Sec-WebSocket-Accept, and the payload of EVENT_OPEN before
 * and behind that value. */
struct known_answer {
    struct bytes before, behind, payload_before, payload_behind;
    int32_t series[SESSION_SERIES];
};

enum { ANSWERS_KEPT = 4 };

struct recipe {
    int64_t number;
    uint64_t hash;
    /* Index + 1 of the next one in its bucket. */
    int32_t next;
    int32_t users;
    struct bytes question;
    /* True if Python has filled in the fields below, and the moment until which they are valid (NEVER: for ever). */
    bool is_kept;
    double until;
    union peer peer;
    /* The server to speak TLS with; its name is in `name`. Python keeps its context. */
    bool is_secure;
    struct tls_target target;
    struct bytes name;
    /* The request before and behind its key. */
    struct bytes before, behind;
    /* The last responses. A new one replaces the oldest. */
    struct known_answer answers[ANSWERS_KEPT];
    uint32_t answer_count;
};

/* Return the recipe of a question, a new one if there is none; NULL if memory or the table is exhausted. */
struct recipe *recipe_of(const uint8_t *question, size_t size);
/* Return true if the recipe is filled in and valid at the moment `now`. */
bool recipe_is_ready(const struct recipe *, double now);
/* Make a random key (RFC 6455, section 4.1). */
void recipe_make_key(char key[KEY_CHARACTERS]);
/* Return the known response at the front of `size` bytes, if its Sec-WebSocket-Accept answers the key; else NULL.
 * Sets `accept` to the value that answers the key. */
const struct known_answer *recipe_answer(const struct recipe *, const char key[KEY_CHARACTERS], const uint8_t *head,
                                         size_t size, char accept[ACCEPT_CHARACTERS]);

#endif

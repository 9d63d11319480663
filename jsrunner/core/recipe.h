/* Dialing again by a recipe, without Python.
 *
 * Theory. A load test opens the same connection again and again: with the same address, headers and tags. The
 * first time Python decides (modules/session_attempt.py) about the peer, the request, the judgement of the
 * answer, JavaScript's payload and the series. It keeps a recipe (core_recipe_keep, core_recipe_answer), by
 * which the core repeats the dialing for an equal question; only the key differs, and the answer to the key.
 * Another answer, or a failure, goes to Python.
 *
 * Measured (2 cores, loopback, one message per session): 27 us of user time per session instead of 52.
 *
 * Invariants.
 *  - A recipe is known by its question: the VU's tag set and what the script has asked for.
 *  - Its number is never used again: a stale one meets nothing.
 *  - A recipe with users (dialings under way) is not replaced.
 */
#ifndef JSRUNNER_RECIPE_H
#define JSRUNNER_RECIPE_H

#include "session.h"

enum { KEY_CHARACTERS = 24, ACCEPT_CHARACTERS = 28, SESSION_SERIES = 6 };

/* An answer's head around what answers the key, and the payload of EVENT_OPEN around the same. */
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
    /* True if Python has filled in the rest, and the moment until which that holds (NEVER: for ever). */
    bool is_kept;
    double until;
    union peer peer;
    /* The request before and behind its key. */
    struct bytes before, behind;
    /* The last answers, the oldest of which makes room. */
    struct known_answer answers[ANSWERS_KEPT];
    uint32_t answer_count;
};

/* The recipe of a question, made if there is none; NULL without memory or room. */
struct recipe *recipe_of(const uint8_t *question, size_t size);
/* Return whether the recipe is filled in and holds at this moment. */
bool recipe_is_ready(const struct recipe *, double now);
/* Make a random key (RFC 6455, section 4.1). */
void recipe_make_key(char key[KEY_CHARACTERS]);
/* The answer that `size` bytes begin with, if it is a known one and answers the key; NULL otherwise. `accept` is
 * set to what answers the key. */
const struct known_answer *recipe_answer(const struct recipe *, const char key[KEY_CHARACTERS], const uint8_t *head,
                                         size_t size, char accept[ACCEPT_CHARACTERS]);

#endif

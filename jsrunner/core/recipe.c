/* Recipes for dialing again (see recipe.h). */
#include "recipe.h"

#include "mask.h"
#include "sha1.h"

#include <stdlib.h>
#include <string.h>

enum { RECIPES = 1024, BUCKETS = 2048, NONCE_BYTES = 16 };

static struct recipe *recipes[RECIPES];
/* Index + 1 of the first recipe of each bucket. */
static int32_t buckets[BUCKETS];
static int64_t made;

/* -- by question ----------------------------------------------------------------------------------- */

static void forget_answer(struct known_answer *answer)
{
    bytes_free(&answer->before);
    bytes_free(&answer->behind);
    bytes_free(&answer->payload_before);
    bytes_free(&answer->payload_behind);
}

/* Empty a recipe for reuse with another question. */
static void forget(struct recipe *recipe)
{
    int32_t index = (int32_t)(recipe->number % RECIPES);
    int32_t *link = &buckets[recipe->hash % BUCKETS];
    while (*link != index + 1) link = &recipes[*link - 1]->next;
    *link = recipe->next;
    bytes_free(&recipe->question);
    bytes_free(&recipe->before);
    bytes_free(&recipe->behind);
    bytes_free(&recipe->name);
    for (size_t i = 0; i < ANSWERS_KEPT; i++) forget_answer(&recipe->answers[i]);
    memset(recipe, 0, sizeof *recipe);
}

/* Return the next recipe of the table in rotation, emptied; NULL if it is in use or memory is exhausted. */
static struct recipe *make_room(int64_t number)
{
    struct recipe **place = &recipes[number % RECIPES];
    if (!*place) return *place = calloc(1, sizeof **place);
    if ((*place)->users) return NULL;
    if ((*place)->question.size) forget(*place);
    return *place;
}

struct recipe *recipe_of(const uint8_t *question, size_t size)
{
    uint64_t hash = fnv1a(FNV1A_START, question, size);
    int32_t *bucket = &buckets[hash % BUCKETS];
    for (int32_t at = *bucket; at; at = recipes[at - 1]->next) {
        struct recipe *known = recipes[at - 1];
        if (known->hash == hash && known->question.size == size && memcmp(known->question.data, question, size) == 0)
            return known;
    }
    int64_t number = made++;
    struct recipe *recipe = make_room(number);
    if (!recipe || !bytes_append(&recipe->question, question, size)) return NULL;
    recipe->number = number;
    recipe->hash = hash;
    recipe->next = *bucket;
    *bucket = (int32_t)(number % RECIPES) + 1;
    return recipe;
}

bool recipe_is_ready(const struct recipe *recipe, double now)
{
    return recipe->is_kept && (recipe->until == NEVER || now < recipe->until);
}

/* -- keys and answers ------------------------------------------------------------------------------ */

void recipe_make_key(char key[KEY_CHARACTERS])
{
    uint32_t nonce[NONCE_BYTES / sizeof(uint32_t)];
    for (size_t i = 0; i < sizeof nonce / sizeof *nonce; i++) nonce[i] = frame_mask_key();
    base64((const uint8_t *)nonce, NONCE_BYTES, key);
}

static bool begins_with(const uint8_t *data, size_t size, const void *part, size_t part_size)
{
    return size >= part_size && memcmp(data, part, part_size) == 0;
}

static bool is_answer(const struct known_answer *answer, const char *accept, const uint8_t *head, size_t size)
{
    size_t at = answer->before.size;
    return size >= at + ACCEPT_CHARACTERS && begins_with(head, size, answer->before.data, at) &&
           begins_with(head + at, size - at, accept, ACCEPT_CHARACTERS) &&
           begins_with(head + at + ACCEPT_CHARACTERS, size - at - ACCEPT_CHARACTERS, answer->behind.data,
                       answer->behind.size);
}

const struct known_answer *recipe_answer(const struct recipe *recipe, const char key[KEY_CHARACTERS],
                                         const uint8_t *head, size_t size, char accept[ACCEPT_CHARACTERS])
{
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, section 1.3 */
    char text[KEY_CHARACTERS + sizeof GUID - 1];
    uint8_t hash[SHA1_BYTES];
    memcpy(text, key, KEY_CHARACTERS);
    memcpy(text + KEY_CHARACTERS, GUID, sizeof GUID - 1);
    sha1((const uint8_t *)text, sizeof text, hash);
    base64(hash, sizeof hash, accept);
    for (size_t i = 0; i < recipe->answer_count && i < ANSWERS_KEPT; i++)
        if (is_answer(&recipe->answers[i], accept, head, size)) return &recipe->answers[i];
    return NULL;
}

/* -- functions for Python --------------------------------------------------------------------------- */

static struct recipe *by_number(int64_t number)
{
    struct recipe *recipe = number < 0 ? NULL : recipes[number % RECIPES];
    return recipe && recipe->number == number && recipe->question.size ? recipe : NULL;
}

static bool set(struct bytes *to, const uint8_t *data, size_t size)
{
    to->size = 0;
    return bytes_append(to, data, size);
}

/* Fill in a recipe: a literal address, the request before and behind its key, the moment of clock_now() until which the
 * recipe is valid (NEVER: for ever), and the server to speak TLS with (NULL without TLS), which is copied. */
CORE_API void core_recipe_keep(int64_t number, const char *address, uint16_t port, const uint8_t *before,
                               size_t before_size, const uint8_t *behind, size_t behind_size, double until,
                               const struct tls_target *target)
{
    struct recipe *recipe = by_number(number);
    if (!recipe || recipe->users) return;
    recipe->until = until;
    recipe->is_kept = dial_address(address, port, &recipe->peer) && set(&recipe->before, before, before_size) &&
                      set(&recipe->behind, behind, behind_size);
    recipe->is_secure = target;
    if (!target) return;
    recipe->target = *target;
    recipe->is_kept &= set(&recipe->name, (const uint8_t *)target->name, target->name_size + 1);
    recipe->target.name = (const char *)recipe->name.data;
}

/* Add a response to a recipe: its head and the payload of EVENT_OPEN, both before and behind the value of
 * Sec-WebSocket-Accept, and the numbers of the session's series (see core_session_open). */
CORE_API void core_recipe_answer(int64_t number, const uint8_t *before, size_t before_size, const uint8_t *behind,
                                 size_t behind_size, const uint8_t *payload_before, size_t payload_before_size,
                                 const uint8_t *payload_behind, size_t payload_behind_size,
                                 const int32_t series[SESSION_SERIES])
{
    struct recipe *recipe = by_number(number);
    if (!recipe) return;
    struct known_answer *answer = &recipe->answers[recipe->answer_count % ANSWERS_KEPT];
    recipe->answer_count++;
    memcpy(answer->series, series, sizeof answer->series);
    if (!set(&answer->before, before, before_size) || !set(&answer->behind, behind, behind_size) ||
        !set(&answer->payload_before, payload_before, payload_before_size) ||
        !set(&answer->payload_behind, payload_behind, payload_behind_size))
        recipe->is_kept = false;
}

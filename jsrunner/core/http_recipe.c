/* Recipes of requests, by the arguments of http_exchange. See http.h.
 *
 * Invariants. A recipe's number is never used again. There are at most RECIPES_MAX recipes: then all are forgotten,
 * and the recipes in use are freed at the end of their last exchange.
 */
#include "http.h"

#include <stdlib.h>
#include <string.h>

enum { RECIPES_MAX = 4096, BUCKETS = 4096, SERIES_MAX = 64 };

static struct http_recipe *buckets[BUCKETS];
static struct http_recipe *recipes[RECIPES_MAX];
static uint32_t recipe_count, first_number;

static void recipe_free(struct http_recipe *recipe)
{
    free(recipe->key);
    bytes_free(&recipe->text);
    bytes_free(&recipe->more);
    free(recipe->series);
    free(recipe);
}

static void forget_all(void)
{
    for (uint32_t i = 0; i < recipe_count; i++) {
        recipes[i]->is_forgotten = true;
        if (!recipes[i]->uses) recipe_free(recipes[i]);
    }
    memset(buckets, 0, sizeof buckets);
    first_number += recipe_count;
    recipe_count = 0;
}

static struct http_recipe *recipe_add(const uint8_t *key, size_t size, uint64_t hash)
{
    if (recipe_count == RECIPES_MAX) forget_all();
    struct http_recipe *recipe = calloc(1, sizeof *recipe);
    uint8_t *copy = malloc(size);
    if (!recipe || !copy) {
        free(recipe);
        free(copy);
        return NULL;
    }
    struct http_recipe **bucket = &buckets[hash % BUCKETS];
    recipe->next = *bucket;
    *bucket = recipe;
    recipe->hash = hash;
    recipe->key = memcpy(copy, key, size);
    recipe->key_size = size;
    recipe->number = first_number + recipe_count;
    recipes[recipe_count++] = recipe;
    return recipe;
}

struct http_recipe *http_recipe_use(const uint8_t *key, size_t size)
{
    uint64_t hash = fnv1a(FNV1A_START, key, size);
    hash ^= hash >> 32;
    struct http_recipe *recipe = buckets[hash % BUCKETS];
    while (recipe && (recipe->hash != hash || recipe->key_size != size || memcmp(recipe->key, key, size) != 0)) recipe = recipe->next;
    if (!recipe) recipe = recipe_add(key, size, hash);
    if (recipe) recipe->uses++;
    return recipe;
}

void http_recipe_release(struct http_recipe *recipe)
{
    if (!--recipe->uses && recipe->is_forgotten) recipe_free(recipe);
}

const struct http_series *http_recipe_series(const struct http_recipe *recipe, int32_t tag_set, int32_t status)
{
    for (int32_t i = 0; i < recipe->series_count; i++)
        if (recipe->series[i].tag_set == tag_set && recipe->series[i].status == status) return &recipe->series[i];
    return NULL;
}

void http_recipe_keep_series(struct http_recipe *recipe, const struct http_series *series)
{
    if (recipe->series_count == SERIES_MAX) recipe->series_count = 0;
    struct http_series *grown = realloc(recipe->series, (size_t)(recipe->series_count + 1) * sizeof *grown);
    if (!grown) return;
    recipe->series = grown;
    recipe->series[recipe->series_count++] = *series;
}

/* Set a recipe. `text` is the request's head without Content-Length (see http_terms), `more` the part of a response
 * that describes its request. Both are copied. Nothing happens if the recipe is forgotten. */
CORE_API void core_http_recipe(uint32_t number, const struct http_terms *terms, const uint8_t *text, size_t size,
                             const uint8_t *more, size_t more_size)
{
    if (number - first_number >= recipe_count) return;
    struct http_recipe *recipe = recipes[number - first_number];
    if (recipe->is_set) return;
    recipe->terms = *terms;
    recipe->is_set = bytes_append(&recipe->text, text, size) && bytes_append(&recipe->more, more, more_size);
}

/* Samples by series (a metric with a tag set), aggregated until Python collects them.
 *
 * Theory. Python interns tag sets, makes series, and passes the core the number of each. The core gets a VU's series
 * by two array look-ups (tag set, metric) and adds the value. A counter is a sum, a rate two counts, a gauge its
 * last, least and greatest value, a trend an array of doubles. If an output wants each sample, the sample is also
 * appended to a log of records. Python formats and empties the log once a second, or when it is half full.
 *
 * Invariants. Numbers of series, tag sets and metrics are never reused. A series is in the touched list exactly while
 * it has samples that were not collected. The log never loses a record: it grows when Python is late.
 */
#include "core.h"

#include "codec.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

enum series_kind { COUNTER, RATE, GAUGE, TREND };

struct series {
    uint8_t kind;
    bool is_touched;
    /* Time of the series' first sample, seconds since the epoch; 0 before it. */
    double first_time;
    /* Values by the kind of the series. Counter: sum. Rate: hits, total. Gauge: last, least, greatest. */
    double a, b, c;
    double *values;
    size_t count, capacity;
};

struct tag_set {
    /* Numbers of the series by metric; -1 for a series that does not exist yet. */
    int32_t *series;
    int32_t count;
};

struct record {
    double time, value;
    int32_t series, metadata;
};

/* The aggregate of a series, for core_collect. */
struct collected {
    int32_t series, kind;
    double first_time, a, b, c;
    const double *values;
    size_t count;
};

/* A tag set that was derived from another tag set by further tags. */
struct derived {
    struct derived *next;
    int32_t base, metric, tag_set;
    size_t size;
    uint8_t key[];
};

enum { LOG_HALF = 1 << 15, DERIVED_SLOTS = 4096, DERIVED_MAX = 50000 };

static struct series *all;
static int32_t series_count, series_capacity;
static int32_t *touched;
static int32_t touched_count, touched_capacity;
static struct tag_set *tag_sets;
static int32_t tag_set_count, tag_set_capacity;
static struct derived *derived_slots[DERIVED_SLOTS];
static size_t derived_count;
static struct record *record_log;
static size_t record_count, record_capacity;
static bool keeps_records, is_drain_asked;

/* Double an array's capacity. Ends the process if memory is exhausted, because no run can continue without samples. */
static void *grown(void *array, int32_t *capacity, size_t item_size)
{
    int32_t larger = *capacity ? 2 * *capacity : 256;
    void *result = realloc(array, (size_t)larger * item_size);
    if (!result) abort();
    *capacity = larger;
    return result;
}

/* -- adding --------------------------------------------------------------------------------------- */

static void touch(struct series *series, double time)
{
    series->is_touched = true;
    if (series->first_time == 0) series->first_time = time;
    if (touched_count == touched_capacity) touched = grown(touched, &touched_capacity, sizeof *touched);
    touched[touched_count++] = (int32_t)(series - all);
}

static void add_value(struct series *series, double value)
{
    if (series->count == series->capacity) {
        size_t capacity = series->capacity ? 2 * series->capacity : 64;
        double *values = realloc(series->values, capacity * sizeof *values);
        if (!values) abort();
        series->values = values;
        series->capacity = capacity;
    }
    series->values[series->count++] = value;
}

static void keep_record(int32_t series, double value, double time, int32_t metadata)
{
    if (record_count == record_capacity) {
        size_t capacity = record_capacity ? 2 * record_capacity : 2 * LOG_HALF;
        struct record *records = realloc(record_log, capacity * sizeof *records);
        if (!records) abort();
        record_log = records;
        record_capacity = capacity;
    }
    record_log[record_count++] = (struct record){time, value, series, metadata};
    if (record_count >= LOG_HALF && !is_drain_asked) {
        is_drain_asked = true;
        request_post(-1, 0, OPERATION_DRAIN, 0, NULL, 0);
    }
}

void samples_add(int32_t index, double value, double time, int32_t metadata)
{
    struct series *series = &all[index];
    if (!series->is_touched) touch(series, time);
    switch (series->kind) {
    case COUNTER:
        series->a += value;
        break;
    case RATE:
        series->a += value != 0;
        series->b += 1;
        break;
    case GAUGE:
        series->b = series->count && series->b < value ? series->b : value;
        series->c = series->count && series->c > value ? series->c : value;
        series->a = value;
        series->count = 1;
        break;
    default:
        add_value(series, value);
    }
    if (keeps_records) keep_record(index, value, time, metadata);
}

bool samples_keep_records(void) { return keeps_records; }

void samples_add_many(int32_t index, int64_t count, double time, int32_t metadata)
{
    if (keeps_records) {
        while (count-- > 0) samples_add(index, 1, time, metadata);
        return;
    }
    struct series *series = &all[index];
    if (!series->is_touched) touch(series, time);
    series->a += (double)count;
}

int32_t samples_series(int32_t tag_set, int32_t metric)
{
    const struct tag_set *set = &tag_sets[tag_set];
    return metric < set->count ? set->series[metric] : -1;
}

/* -- derived tag sets ------------------------------------------------------------------------------ */

static struct derived **derived_slot(int32_t base, int32_t metric, const uint8_t *key, size_t size)
{
    uint64_t hash = fnv1a(FNV1A_START ^ (uint64_t)base << 20 ^ (uint64_t)metric, key, size);
    return &derived_slots[(hash ^ hash >> 32) & (DERIVED_SLOTS - 1)];
}

int32_t samples_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size)
{
    for (struct derived *one = *derived_slot(base, metric, key, size); one; one = one->next)
        if (one->base == base && one->metric == metric && one->size == size && memcmp(one->key, key, size) == 0)
            return one->tag_set;
    return -1;
}

/* Empty the full table: tags that never repeat, such as a user's name, must not fill the memory. */
static void forget_derived(void)
{
    for (size_t i = 0; i < DERIVED_SLOTS; i++) {
        while (derived_slots[i]) {
            struct derived *next = derived_slots[i]->next;
            free(derived_slots[i]);
            derived_slots[i] = next;
        }
    }
    derived_count = 0;
}

void samples_keep_derived(int32_t base, int32_t metric, const uint8_t *key, size_t size, int32_t tag_set)
{
    if (derived_count == DERIVED_MAX) forget_derived();
    struct derived *one = malloc(sizeof *one + size);
    if (!one) return;
    struct derived **slot = derived_slot(base, metric, key, size);
    *one = (struct derived){.next = *slot, .base = base, .metric = metric, .tag_set = tag_set, .size = size};
    memcpy(one->key, key, size);
    *slot = one;
    derived_count++;
}

/* -- a VU's samples ------------------------------------------------------------------------------- */

/* Ask Python for a number. Returns -1 if the VU must stop. */
static int32_t ask_number(struct vu *vu, int32_t operation)
{
    JSValue value = request_value(vu, operation);
    int32_t number = -1;
    if (js_is_exception(value) || JS_ToInt32(vu->context, &number, value) < 0) number = -1;
    JS_FreeValue(vu->context, value);
    return number;
}

int32_t vu_tag_set(struct vu *vu)
{
    if (vu->tag_set < 0) {
        vu->request.size = 0;
        pack_array(&vu->request, 0);
        vu->tag_set = ask_number(vu, OPERATION_TAGS);
    }
    return vu->tag_set;
}

bool vu_record(struct vu *vu, int32_t tag_set, int32_t metric, double value, double time)
{
    if (tag_set < 0) return false;
    int32_t series = samples_series(tag_set, metric);
    if (series < 0) {
        vu->request.size = 0;
        pack_array(&vu->request, 2);
        pack_integer(&vu->request, tag_set);
        pack_integer(&vu->request, metric);
        series = ask_number(vu, OPERATION_SERIES);
        if (series < 0) return false;
    }
    samples_add(series, value, time, vu->metadata);
    return true;
}

/* Return the number of the tag set of the VU's tags and `tags`, or -1 with an exception pending. */
static int32_t merged_tags(struct vu *vu, int32_t metric, JSValue tags)
{
    int32_t base = vu_tag_set(vu);
    struct bytes key = {0};
    if (base < 0 || !codec_write(vu->context, tags, &key)) {
        bytes_free(&key);
        return -1;
    }
    int32_t tag_set = samples_derived(base, metric, key.data, key.size);
    if (tag_set < 0) {
        vu->request.size = 0;
        pack_array(&vu->request, 2);
        pack_integer(&vu->request, metric);
        bytes_append(&vu->request, key.data, key.size);
        tag_set = ask_number(vu, OPERATION_MERGE);
        if (tag_set >= 0) samples_keep_derived(base, metric, key.data, key.size, tag_set);
    }
    bytes_free(&key);
    return tag_set;
}

/* emit(metric, value, tags): record a sample now, with the VU's tags and `tags`. On a fiber. */
JSValue samples_emit(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self;
    struct vu *vu = vu_of(context);
    double time = clock_epoch(clock_now()), value;
    int32_t metric;
    if (vu->is_aborting) return vu_throw_interrupted(vu);
    if (vu->is_winding_down) return JS_UNDEFINED;
    if (JS_ToInt32(context, &metric, argv[0]) < 0 || JS_ToFloat64(context, &value, argv[1]) < 0) return JS_EXCEPTION;
    int32_t tag_set = argc > 2 && !js_is_nullish(argv[2]) ? merged_tags(vu, metric, argv[2]) : vu_tag_set(vu);
    if (tag_set < 0 || !vu_record(vu, tag_set, metric, value, time))
        return JS_HasException(context) ? JS_EXCEPTION : vu_throw_interrupted(vu);
    return JS_UNDEFINED;
}

/* -- functions for Python --------------------------------------------------------------------------- */

/* Make a series. Returns its number. */
CORE_API int32_t core_series_create(int kind)
{
    if (series_count == series_capacity) all = grown(all, &series_capacity, sizeof *all);
    all[series_count] = (struct series){.kind = (uint8_t)kind};
    return series_count++;
}

/* Make a tag set without series. Returns its number. */
CORE_API int32_t core_tag_set_create(void)
{
    if (tag_set_count == tag_set_capacity) tag_sets = grown(tag_sets, &tag_set_capacity, sizeof *tag_sets);
    tag_sets[tag_set_count] = (struct tag_set){0};
    return tag_set_count++;
}

/* Set the series of a metric in a tag set. */
CORE_API void core_tag_set_series(int32_t index, int32_t metric, int32_t series)
{
    struct tag_set *set = &tag_sets[index];
    if (metric >= set->count) {
        int32_t count = metric + 8;
        int32_t *larger = realloc(set->series, (size_t)count * sizeof *larger);
        if (!larger) abort();
        for (int32_t i = set->count; i < count; i++) larger[i] = -1;
        set->series = larger;
        set->count = count;
    }
    set->series[metric] = series;
}

/* Record a sample from Python. */
CORE_API void core_sample(int32_t series, double value, double time, int32_t metadata)
{
    samples_add(series, value, time, metadata);
}

/* Record a value for each of `count` series, such as the metrics of a request. */
CORE_API void core_samples(const int32_t *series, const double *values, size_t count, double time, int32_t metadata)
{
    for (size_t i = 0; i < count; i++) samples_add(series[i], values[i], time, metadata);
}

/* Set the tag set and the metadata of a VU's samples from now on. A tag set of -1 is requested when it is needed. */
CORE_API void core_vu_tags(int32_t index, int32_t tag_set, int32_t metadata)
{
    struct vu *vu = vu_at(index);
    if (!vu) return;
    vu->tag_set = tag_set;
    vu->metadata = metadata;
}

/* Switch the records of single samples, for outputs, on or off. */
CORE_API void core_keep_records(bool is_on) { keeps_records = is_on; }

/* Collect up to `capacity` touched series and reset them. Returns their number. The values are valid until the next
 * sample. */
CORE_API size_t core_collect(struct collected *to, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && touched_count) {
        int32_t index = touched[--touched_count];
        struct series *series = &all[index];
        to[count++] = (struct collected){index, series->kind, series->first_time, series->a, series->b,
                                         series->c, series->values, series->count};
        series->is_touched = false;
        series->a = series->b = series->c = 0;
        series->count = 0;
    }
    return count;
}

/* Return the records since the last call and set their number. They are valid until the next sample. */
CORE_API const struct record *core_take_records(size_t *count)
{
    *count = record_count;
    record_count = 0;
    is_drain_asked = false;
    return record_log;
}

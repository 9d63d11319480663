/* The source texts of functions, see sources.h.
 *
 * Theory. A function keeps its text, for `String(function)`, and the places of its lines. When QuickJS reads a module, it
 * gives each function copies of both. A text contains the texts of inner functions: of a bundle whose modules are
 * functions within a function, the copies of a VU are several times as large as the file. But the bytecode that VUs read
 * has the same bytes, and stays. So after the reading, the functions are made to refer to it, and the copies are freed.
 *
 * Measured with `lodash` (544 KB): 1.7 MB of 2.6 MB less for each VU.
 *
 * The bytecode has a function behind its inner functions, and the text at its end. The first VU that reads a module finds
 * the texts by their bytes. Other VUs use the places that it found.
 *
 * Invariants.
 *  - Kept bytecode lies in one range of addresses, which stays mapped. So the heap can tell it from blocks of its own.
 *  - Where the structures of the engine are not as they are described here, no text is found, and nothing is shared.
 */
#define _GNU_SOURCE
#include "sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Size of the reserved range of addresses, which costs no memory. Bytecode that it has no room for is not shared. */
#define RANGE_BYTES ((size_t)4 << 30)

/* Bytes of the range that are made accessible at a time. */
enum { STEP_BYTES = 1 << 20 };

/* The range, of which the first `used` bytes are bytecode and the first `ready` bytes are accessible. */
static uint8_t *range;
static size_t used, ready;

/* The beginning of the engine's module, and its function. */
struct module {
    int references;
    uint32_t name;
    void *links[2];
    struct {
        void *entries;
        int count, size;
    } lists[4];
    JSValue namespace, function;
};

struct function {
    struct {
        int references;
        uint32_t kind;
        void *links[2];
    } head;
    uint64_t flags;
    uint8_t *code;
    int code_bytes;
    uint32_t name;
    void *variables, *closure;
    uint16_t counts[4];
    void *realm;
    JSValue *constants;
    int constant_count, closure_count;
    uint32_t file;
    int line, column, text_bytes, lines_bytes;
    const uint8_t *lines, *text;
};

/* A walk through the functions of a module, in the order of the bytecode. */
struct walk {
    JSContext *context;
    const uint8_t *bytecode;
    size_t size;
    struct sources *sources;
    /* Where the search for the next text begins, and the index of the next function with a text. */
    size_t searched, index;
};

/* Make so many bytes behind those in use accessible. Returns false if the system refuses. */
static bool make_room(size_t size)
{
    if (!range) {
        void *memory = mmap(NULL, RANGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return false;
        range = memory;
    }
    if (size <= ready - used) return true;
    if (size > RANGE_BYTES - used) return false;
    size_t end = (used + size + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    if (mprotect(range + ready, end - ready, PROT_READ | PROT_WRITE) != 0) return false;
    ready = end;
    return true;
}

uint8_t *sources_keep(const uint8_t *bytecode, size_t size)
{
    if (size > UINT32_MAX || !make_room(size)) return NULL;
    uint8_t *copy = range + used;
    memcpy(copy, bytecode, size);
    used += size;
    return copy;
}

bool sources_own(const void *address) { return range && (size_t)((const uint8_t *)address - range) < RANGE_BYTES; }

void sources_free(struct sources *sources)
{
    free(sources->places);
    *sources = (struct sources){0};
}

void sources_forget(void)
{
    if (used) madvise(range, used, MADV_DONTNEED);
    used = 0;
}

static bool add_place(struct sources *sources, size_t place)
{
    enum { FIRST = 64 };
    size_t count = sources->count;
    if (!count || (count >= FIRST && (count & (count - 1)) == 0)) {
        uint32_t *grown = realloc(sources->places, (count ? 2 * count : FIRST) * sizeof *grown);
        if (!grown) return false;
        sources->places = grown;
    }
    sources->places[sources->count++] = (uint32_t)place;
    return true;
}

/* Find the text of the next function in the bytecode. Returns false if it is not there. */
static bool find_text(struct walk *walk, const struct function *function)
{
    const uint8_t *text = memmem(walk->bytecode + walk->searched, walk->size - walk->searched, function->text,
                                 (size_t)function->text_bytes);
    if (!text) return false;
    size_t place = (size_t)(text - walk->bytecode);
    walk->searched = place + (size_t)function->text_bytes;
    return add_place(walk->sources, place);
}

/* Return the places of a function's lines in the bytecode, NULL if they are not there. Between them and the text is the
 * text's size, seven bits per byte. */
static const uint8_t *find_lines(const struct function *function, const uint8_t *bytecode, size_t place)
{
    size_t before = (size_t)function->lines_bytes;
    unsigned rest = (unsigned)function->text_bytes;
    do before++;
    while (rest >>= 7);
    if (!function->lines || before > place) return NULL;
    const uint8_t *lines = bytecode + place - before;
    return memcmp(lines, function->lines, (size_t)function->lines_bytes) == 0 ? lines : NULL;
}

/* Have the next function and its inner functions share their texts. Returns false if that is impossible. */
static bool share(struct walk *walk, struct function *function)
{
    for (int i = 0; i < function->constant_count; i++) {
        JSValue constant = function->constants[i];
        if (constant.tag == JS_TAG_FUNCTION_BYTECODE && !share(walk, constant.u.pointer)) return false;
    }
    if (!function->text || function->text_bytes <= 0) return true;
    struct sources *sources = walk->sources;
    if (!sources->is_known && !find_text(walk, function)) return false;
    if (walk->index == sources->count) return false;
    size_t place = sources->places[walk->index++];
    js_free(walk->context, (void *)function->text);
    function->text = walk->bytecode + place;
    const uint8_t *lines = find_lines(function, walk->bytecode, place);
    if (!lines) return true;
    js_free(walk->context, (void *)function->lines);
    function->lines = lines;
    return true;
}

void sources_share(JSContext *context, JSModuleDef *definition, const uint8_t *bytecode, size_t size,
                   struct sources *sources)
{
    const struct module *module = (const void *)definition;
    if (sources->is_refused || !sources_own(bytecode) || module->function.tag != JS_TAG_FUNCTION_BYTECODE) return;
    struct walk walk = {.context = context, .bytecode = bytecode, .size = size, .sources = sources};
    sources->is_refused = !share(&walk, module->function.u.pointer);
    sources->is_known = true;
}

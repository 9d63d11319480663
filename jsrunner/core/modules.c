/* Loading of the engine's modules.
 *
 * Theory. An import names a module by a specifier. Python resolves the specifier (OPERATION_NORMALIZE; the result
 * is kept for all VUs of the process) and returns the module's source (OPERATION_LOAD). The VU compiles it, and its
 * bytecode becomes part of the image. The VUs that follow read it from there without Python: 1 ms instead of 2.6 for
 * a VU with a small script, and 42 KB less.
 *
 * Invariants. The image only grows, and its bytecode is shared by all VUs (and, by fork, processes).
 */
#include "core.h"

#include "codec.h"
#include "pack.h"
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the thread's own stack for the compiler. */
enum { COMPILER_STACK = 4 << 20 };

/* -- tables by text ------------------------------------------------------------------------------- */

struct entry {
    char *key;
    size_t key_size;
    uint8_t *data;
    size_t size;
    struct sources sources;
};

/* A table from a text to bytes, with open addressing. Keys are never removed. */
struct table {
    struct entry *entries;
    size_t count, slots;
};

static struct table image, targets;

static struct entry *find(const struct table *table, const char *key, size_t size)
{
    for (size_t slot = (size_t)fnv1a(FNV1A_START, key, size);; slot++) {
        struct entry *entry = &table->entries[slot & (table->slots - 1)];
        if (!entry->key || (entry->key_size == size && memcmp(entry->key, key, size) == 0)) return entry;
    }
}

static bool grow(struct table *table)
{
    struct table larger = {calloc(table->slots ? 2 * table->slots : 64, sizeof(struct entry)), table->count,
                           table->slots ? 2 * table->slots : 64};
    if (!larger.entries) return false;
    for (size_t i = 0; i < table->slots; i++)
        if (table->entries[i].key)
            *find(&larger, table->entries[i].key, table->entries[i].key_size) = table->entries[i];
    free(table->entries);
    *table = larger;
    return true;
}

static void free_data(struct entry *entry)
{
    if (!sources_own(entry->data)) free(entry->data);
    sources_free(&entry->sources);
}

/* Store a copy of the data under the key. Replaces data that the key had before. */
static bool put(struct table *table, const char *key, size_t key_size, const uint8_t *data, size_t size)
{
    if (table->count * 2 >= table->slots && !grow(table)) return false;
    uint8_t *copy = table == &image ? sources_keep(data, size) : NULL;
    if (!copy && (copy = malloc(size ? size : 1))) memcpy(copy, data, size);
    if (!copy) return false;
    struct entry *entry = find(table, key, key_size);
    if (!entry->key) {
        char *name = malloc(key_size ? key_size : 1);
        if (!name) {
            if (!sources_own(copy)) free(copy);
            return false;
        }
        memcpy(name, key, key_size);
        entry->key = name;
        entry->key_size = key_size;
        table->count++;
    }
    free_data(entry);
    entry->data = copy;
    entry->size = size;
    return true;
}

static struct entry *get(const struct table *table, const char *key, size_t size)
{
    if (!table->slots) return NULL;
    struct entry *entry = find(table, key, size);
    return entry->key ? entry : NULL;
}

/* -- functions for the engine ----------------------------------------------------------------------- */

/* Write an array of texts to the VU's request. */
static bool request_texts(struct vu *vu, const char *const *texts, int count)
{
    bytes_free(&vu->request);
    bool is_written = pack_array(&vu->request, (uint32_t)count);
    for (int i = 0; i < count && is_written; i++) {
        JSValue text = JS_NewStringLen(vu->context, texts[i], strlen(texts[i]));
        is_written = codec_write(vu->context, text, &vu->request);
        JS_FreeValue(vu->context, text);
    }
    return is_written;
}

static char *copy_of(JSContext *context, const void *text, size_t size)
{
    char *copy = js_malloc(context, size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = 0;
    }
    return copy;
}

static const char OURS[] = "jsrunner:";

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static char *normalize(JSContext *context, const char *base, const char *name, void *opaque)
{
    struct vu *vu = opaque;
    /* Python has resolved the names of the template's imports. */
    if (vu->index < 0 || (begins_with(base, OURS) && begins_with(name, OURS)))
        return copy_of(context, name, strlen(name));
    /* The key is both names, with a zero between them. */
    size_t base_size = strlen(base) + 1, name_size = strlen(name), key_size = base_size + name_size;
    char *key = malloc(key_size);
    if (!key) return NULL;
    memcpy(key, base, base_size);
    memcpy(key + base_size, name, name_size);
    const struct entry *known = get(&targets, key, key_size);
    char *target = NULL;
    if (known) {
        target = copy_of(context, known->data, known->size);
    } else if (request_texts(vu, (const char *const[]){base, name}, 2)) {
        JSValue value = request_value(vu, OPERATION_NORMALIZE);
        size_t size;
        const char *text = js_is_exception(value) ? NULL : JS_ToCStringLen2(context, &size, value, false);
        if (text) {
            put(&targets, key, key_size, (const uint8_t *)text, size);
            target = copy_of(context, text, size);
            JS_FreeCString(context, text);
        }
        JS_FreeValue(context, value);
    }
    free(key);
    return target;
}

/* Store the bytecode of a compiled module in the image. `is_script` keeps source text and positions; modules of
 * jsrunner's need neither. A module without positions also has no name for import(). */
static bool keep(JSContext *context, JSValue module, const char *name, const char *source, bool is_script)
{
    int flags = JS_BYTECODE;
    if (!is_script) flags |= JS_STRIP_SOURCE | (strstr(source, "import(") ? 0 : JS_STRIP_DEBUG);
    size_t size;
    uint8_t *bytecode = JS_WriteObject(context, &size, module, flags);
    if (!bytecode) {
        JS_FreeValue(context, JS_GetException(context));
        return false;
    }
    bool is_kept = put(&image, name, strlen(name), bytecode, size);
    js_free(context, bytecode);
    return is_kept;
}

/* Compile a module for the VU, and keep its bytecode for others. */
static JSValue compile(JSContext *context, const char *text, size_t size, const char *name)
{
    JSValue module = JS_Eval(context, text, size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (!js_is_exception(module)) keep(context, module, name, text, true);
    return module;
}

/* Read a module from its bytecode. */
static JSValue read_module(JSContext *context, const char *name, const struct entry *compiled)
{
    struct vu *vu = vu_of(context);
    const uint8_t *bytecode = compiled->data;
    vu_begin_reading(vu);
    JSValue module = JS_ReadObject(context, bytecode, compiled->size, JS_BYTECODE);
    vu_end_reading(vu);
    if (js_is_exception(module)) return module;
    /* QuickJS-NG 0.11 adds a surplus reference when it reads a module. It would keep the whole interpreter alive for
     * ever. */
    JS_FreeValue(context, module);
    /* The engine has also loaded what the module imports. Meanwhile the table may have grown, and the module may have
     * been compiled again, or forgotten. */
    struct entry *entry = get(&image, name, strlen(name));
    if (entry && entry->data == bytecode)
        sources_share(context, module.u.pointer, bytecode, entry->size, &entry->sources);
    return module;
}

static JSModuleDef *load(JSContext *context, const char *name, void *opaque)
{
    struct vu *vu = opaque;
    JSValue module, source = JS_UNDEFINED;
    const struct entry *compiled = get(&image, name, strlen(name));
    if (!compiled) {
        if (!request_texts(vu, &name, 1)) return NULL;
        source = request_value(vu, OPERATION_LOAD);
        if (js_is_exception(source)) return NULL;
        compiled = get(&image, name, strlen(name)); /* Python compiles jsrunner's modules itself */
    }
    if (compiled) {
        module = read_module(context, name, compiled);
    } else {
        size_t size;
        const char *text = JS_ToCStringLen2(context, &size, source, false);
        module = text ? compile(context, text, size, name) : JS_EXCEPTION;
        if (text) JS_FreeCString(context, text);
    }
    JS_FreeValue(context, source);
    if (js_is_exception(module)) return NULL;
    JSModuleDef *definition = module.u.pointer;
    JS_FreeValue(context, module); /* the context keeps it */
    return definition;
}

void modules_install(struct vu *vu) { JS_SetModuleLoaderFunc(vu->runtime, normalize, load, vu); }

/* -- modules evaluated in the middle of running JavaScript ---------------------------------------- */

/* Forget the rejections of a failed module's promises, because the module's importer gets the exception. */
static void forget_rejections(struct vu *vu, JSValue reason)
{
    size_t kept = 0;
    for (size_t i = 0; i < vu->rejection_count; i++) {
        struct rejection rejection = vu->rejections[i];
        if (rejection.reason.tag == reason.tag && rejection.reason.u.pointer == reason.u.pointer)
            JS_FreeValue(vu->context, rejection.reason);
        else
            vu->rejections[kept++] = rejection;
    }
    vu->rejection_count = kept;
}

/* Evaluate the module `text` and its imports without running promise jobs, and return its namespace. Sets `is_linked`
 * to true if linking has succeeded, so that an exception comes from the evaluation. */
static JSValue import_now(JSContext *context, const char *text, size_t size, const char *name, bool *is_linked)
{
    JSValue namespace = JS_EXCEPTION;
    JSValue module = JS_Eval(context, text, size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (js_is_exception(module)) return module;
    JSModuleDef *definition = module.u.pointer;
    JSValue done = JS_EvalFunction(context, module);
    if (js_is_exception(done)) return done;
    *is_linked = true;
    if (JS_PromiseState(context, done) == JS_PROMISE_REJECTED) {
        JSValue reason = JS_PromiseResult(context, done);
        forget_rejections(vu_of(context), reason);
        JS_Throw(context, reason);
    } else {
        namespace = JS_GetModuleNamespace(context, definition);
    }
    JS_FreeValue(context, done);
    return namespace;
}

/* importNow(text, name, onFailure): evaluate the module `text` and return its namespace. If that throws, call
 * onFailure(error, wasLinked), and return its result or throw its exception. */
JSValue modules_import_now(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    size_t size;
    bool is_linked = false;
    const char *text = JS_ToCStringLen2(context, &size, argv[0], false);
    const char *name = text ? JS_ToCStringLen2(context, NULL, argv[1], false) : NULL;
    JSValue namespace = name ? import_now(context, text, size, name, &is_linked) : JS_EXCEPTION;
    if (name) JS_FreeCString(context, name);
    if (text) JS_FreeCString(context, text);
    if (!js_is_exception(namespace) || vu_of(context)->is_aborting) return namespace;
    JSValue failure[2] = {JS_GetException(context), js_bool(is_linked)};
    JSValue result = JS_Call(context, argv[2], JS_UNDEFINED, 2, failure);
    JS_FreeValue(context, failure[0]);
    return result;
}

JSValue modules_load(JSContext *context, const char *name)
{
    struct vu *vu = vu_of(context);
    char text[128], importer[128];
    bool is_linked;
    if (vu->is_aborting) return vu_throw_interrupted(vu);
    int size = snprintf(text, sizeof text, "export * from '%s';", name);
    snprintf(importer, sizeof importer, "jsrunner:load/%s", name);
    vu_begin_loading(vu);
    JSValue namespace = import_now(context, text, (size_t)size, importer, &is_linked);
    vu_end_loading(vu);
    return namespace;
}

/* load(specifier): load a module of jsrunner's and return its namespace. For modules that few scripts use, because
 * each module costs memory in each VU. */
JSValue modules_load_now(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    const char *name = JS_ToCStringLen2(context, NULL, argv[0], false);
    JSValue namespace = name ? modules_load(context, name) : JS_EXCEPTION;
    if (name) JS_FreeCString(context, name);
    return namespace;
}

/* -- functions for Python --------------------------------------------------------------------------- */

static int export_nothing(JSContext *context, JSModuleDef *module)
{
    (void)context, (void)module;
    return 0;
}

/* Return an empty module for each import of the compiler. Imports are linked when a VU reads the bytecode. */
static JSModuleDef *load_nothing(JSContext *context, const char *name, void *opaque)
{
    (void)opaque;
    return JS_NewCModule(context, name, export_nothing);
}

static char *normalize_nothing(JSContext *context, const char *base, const char *name, void *opaque)
{
    (void)base, (void)opaque;
    return copy_of(context, name, strlen(name));
}

/* Make an interpreter that only compiles. On the main stack. */
static JSContext *open_compiler(void)
{
    JSRuntime *runtime = JS_NewRuntime();
    if (!runtime) return NULL;
    JS_UpdateStackTop(runtime);
    JS_SetMaxStackSize(runtime, COMPILER_STACK);
    JS_SetModuleLoaderFunc(runtime, normalize_nothing, load_nothing, NULL);
    JSContext *context = JS_NewContextRaw(runtime);
    if (!context) {
        JS_FreeRuntime(runtime);
        return NULL;
    }
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicRegExp(context);
    JS_AddIntrinsicBigInt(context);
    return context;
}

static void close_compiler(JSContext *context)
{
    JSRuntime *runtime = JS_GetRuntime(context);
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
}

/* The compiler of core_compile, opened at its first call. */
static JSContext *compiler;

/* Compile a module and add it to the image. `is_script`: see keep(). Returns false if the source does not compile. On
 * the main stack. */
CORE_API bool core_compile(const char *name, const char *source, size_t size, bool is_script)
{
    if (!compiler) compiler = open_compiler();
    JSContext *context = compiler;
    if (!context) return false;
    JS_UpdateStackTop(JS_GetRuntime(context));
    bool is_kept = false;
    JSValue module = JS_Eval(context, source, size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (js_is_exception(module)) JS_FreeValue(context, JS_GetException(context));
    else is_kept = keep(context, module, name, source, is_script);
    JS_FreeValue(context, module);
    return is_kept;
}

/* Copy a text property of an exception to `to`. Returns its size. */
static size_t copy_property(JSContext *context, JSValue exception, const char *name, char *to, size_t capacity)
{
    JSValue value = JS_GetPropertyStr(context, exception, name);
    size_t size = 0;
    const char *text = js_is_string(value) ? JS_ToCStringLen2(context, &size, value, false) : NULL;
    if (text) {
        size = size < capacity ? size : capacity;
        memcpy(to, text, size);
        JS_FreeCString(context, text);
    }
    JS_FreeValue(context, value);
    return text ? size : 0;
}

/* Compile a text as a module or as a script and write its syntax error to `to`: the engine's message, a line feed,
 * and the stack, whose places have the file name `checked`. Returns the size, 0 if there is no error. On the main
 * stack. The compiler is not that of core_compile, because a compiler keeps each module that it has compiled. */
CORE_API size_t core_syntax_error(const char *source, size_t size, bool is_module, char *to, size_t capacity)
{
    JSContext *context = open_compiler();
    if (!context) return 0;
    int flags = JS_EVAL_FLAG_COMPILE_ONLY | (is_module ? JS_EVAL_TYPE_MODULE : 0);
    JSValue code = JS_Eval(context, source, size, "checked", flags);
    size_t written = 0;
    if (js_is_exception(code)) {
        code = JS_GetException(context);
        written = copy_property(context, code, "message", to, capacity - 1);
        to[written++] = '\n';
        written += copy_property(context, code, "stack", to + written, capacity - written);
    }
    JS_FreeValue(context, code);
    close_compiler(context);
    return written;
}

/* Return the bytecode of a module of the image, NULL if the image lacks it. */
CORE_API const uint8_t *core_image_get(const char *name, size_t *size)
{
    const struct entry *entry = get(&image, name, strlen(name));
    *size = entry ? entry->size : 0;
    return entry ? entry->data : NULL;
}

/* Store the bytecode of a module in the image. Returns false if memory is exhausted. */
CORE_API bool core_image_put(const char *name, const uint8_t *bytecode, size_t size)
{
    return put(&image, name, strlen(name), bytecode, size);
}

/* Forget the image and all resolved imports. */
CORE_API void core_image_clear(void)
{
    if (compiler) close_compiler(compiler);
    compiler = NULL;
    struct table *tables[] = {&image, &targets};
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < tables[t]->slots; i++) {
            free(tables[t]->entries[i].key);
            free_data(&tables[t]->entries[i]);
        }
        free(tables[t]->entries);
        *tables[t] = (struct table){0};
    }
    sources_forget();
}

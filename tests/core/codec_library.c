/* What tests/core_library.py needs beyond codec.h: an engine, and results as bytes. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

struct engine {
    JSRuntime *runtime;
    JSContext *context;
    struct bytes result; /* of the last call */
};

struct engine *engine_new(void);
void engine_delete(struct engine *engine);
int engine_eval(struct engine *engine, const char *source, size_t size);
int engine_write(struct engine *engine, const char *source, size_t size);
int engine_read(struct engine *engine, const uint8_t *bytes, size_t size);
bool engine_check(struct engine *engine);
int64_t engine_memory(struct engine *engine);
const uint8_t *engine_result(struct engine *engine, size_t *size);
void engine_limit(struct engine *engine, size_t memory);
void give_up_after(int polls);

static int polls_left;

static bool poll(JSContext *context)
{
    if (polls_left-- > 0) return true;
    JS_ThrowTypeError(context, "given up");
    return false;
}

/* Let the codec give up when it asks for the (polls + 1)-th time; -1: it does not ask. */
void give_up_after(int polls)
{
    polls_left = polls;
    codec_poll = polls < 0 ? NULL : poll;
}

struct engine *engine_new(void)
{
    struct engine *engine = calloc(1, sizeof *engine);
    engine->runtime = JS_NewRuntime();
    JS_UpdateStackTop(engine->runtime);
    JSContext *context = engine->context = JS_NewContextRaw(engine->runtime);
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicDate(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicRegExp(context);
    JS_AddIntrinsicJSON(context);
    JS_AddIntrinsicProxy(context);
    JS_AddIntrinsicMapSet(context);
    JS_AddIntrinsicTypedArrays(context);
    JS_AddIntrinsicPromise(context);
    JS_AddIntrinsicBigInt(context);
    return engine;
}

void engine_delete(struct engine *engine)
{
    bytes_free(&engine->result);
    JS_FreeContext(engine->context);
    JS_FreeRuntime(engine->runtime);
    free(engine);
}

/* Make the text of a value the result; the value is freed. */
static void result_text(struct engine *engine, JSValue value)
{
    size_t size;
    const char *text = JS_ToCStringLen2(engine->context, &size, value, false);
    engine->result.size = 0;
    if (text) bytes_append(&engine->result, text, size);
    JS_FreeCString(engine->context, text);
    JS_FreeValue(engine->context, value);
}

/* Make the text of the pending exception the result; return -1. */
static int result_exception(struct engine *engine)
{
    result_text(engine, JS_GetException(engine->context));
    return -1;
}

/* Evaluate a script; the result is its value's text. Return -1 if it threw. */
int engine_eval(struct engine *engine, const char *source, size_t size)
{
    JS_UpdateStackTop(engine->runtime);
    JSValue value = JS_Eval(engine->context, source, size, "test", 0);
    if (js_is_exception(value)) return result_exception(engine);
    result_text(engine, value);
    return 0;
}

/* Evaluate a script and encode its value. */
int engine_write(struct engine *engine, const char *source, size_t size)
{
    JS_UpdateStackTop(engine->runtime);
    JSValue value = JS_Eval(engine->context, source, size, "test", 0);
    if (js_is_exception(value)) return result_exception(engine);
    engine->result.size = 0;
    bool is_written = codec_write(engine->context, value, &engine->result);
    JS_FreeValue(engine->context, value);
    if (is_written != !JS_HasException(engine->context)) abort();
    return is_written ? 0 : result_exception(engine);
}

/* Decode a value to the global variable `value`. */
int engine_read(struct engine *engine, const uint8_t *bytes, size_t size)
{
    JS_UpdateStackTop(engine->runtime);
    JSValue value = codec_read(engine->context, bytes, size);
    if (js_is_exception(value) != JS_HasException(engine->context)) abort();
    if (js_is_exception(value)) return result_exception(engine);
    JSValue global = JS_GetGlobalObject(engine->context);
    JS_SetPropertyStr(engine->context, global, "value", value);
    JS_FreeValue(engine->context, global);
    return 0;
}

bool engine_check(struct engine *engine) { return codec_check(engine->context); }

/* Number of the engine's allocations, after a collection. (Their sizes vary with what malloc
 * has.) */
int64_t engine_memory(struct engine *engine)
{
    JSMemoryUsage usage;
    JS_RunGC(engine->runtime);
    JS_ComputeMemoryUsage(engine->runtime, &usage);
    return usage.others[0];
}

void engine_limit(struct engine *engine, size_t memory)
{ JS_SetMemoryLimit(engine->runtime, memory); }

const uint8_t *engine_result(struct engine *engine, size_t *size)
{
    *size = engine->result.size;
    return engine->result.data;
}

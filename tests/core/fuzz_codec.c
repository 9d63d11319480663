/* Fuzz target of the codec: bytes to a JavaScript value, to bytes, to a value again, and so on.
 *
 * The environment variable QUICKJS names dukpy's shared object, which wants symbols of Python; see
 * python_stubs in tests/core_library.py. With clang, -fsanitize=fuzzer -DLIBFUZZER makes a
 * libFuzzer target of it.
 *
 * Checked beyond the sanitizers: an exception is pending exactly if the result says so; what was
 * written can be read and gives the same bytes; nothing that the engine allocated is left.
 */
#include "codec.h"

#include "fuzz.h"

static JSRuntime *runtime;
static JSContext *context;

static void close_engine(void)
{
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
}

static void open_engine(void)
{
    const char *problem = quickjs_open(getenv("QUICKJS"));
    if (problem) fprintf(stderr, "%s\n", problem);
    CHECK(!problem);
    runtime = JS_NewRuntime();
    context = JS_NewContextRaw(runtime);
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicProxy(context);
    JS_AddIntrinsicTypedArrays(context);
    CHECK(codec_check(context));
    atexit(close_engine);
}

static JSValue read_all(const uint8_t *bytes, size_t size)
{
    uint8_t *alone = copy_alone(bytes, size);
    JSValue value = codec_read(context, alone, size);
    free(alone);
    CHECK(js_is_exception(value) == JS_HasException(context));
    return value;
}

static struct bytes write_all(JSValue value)
{
    struct bytes bytes = {0};
    CHECK(codec_write(context, value, &bytes));
    CHECK(!JS_HasException(context));
    JS_FreeValue(context, value);
    return bytes;
}

static int64_t allocations(void)
{
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(runtime, &usage);
    return usage.others[0];
}

/* Take the exception off. */
static void forget_exception(void) { JS_FreeValue(context, JS_GetException(context)); }

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static int64_t before;
    if (!runtime) {
        open_engine();
        JS_ThrowInternalError(context, "the first allocates more than the others");
        forget_exception();
        before = allocations();
    }
    JS_UpdateStackTop(runtime);
    JSValue value = read_all(input, size);
    if (js_is_exception(value)) {
        forget_exception();
    } else {
        struct bytes first = write_all(value);
        struct bytes second = write_all(read_all(first.data, first.size));
        CHECK(first.size == second.size && !memcmp(first.data, second.data, first.size));
        bytes_free(&first);
        bytes_free(&second);
    }
    CHECK(allocations() == before);
    return 0;
}

#define SEED(text) {(const uint8_t *)(text), sizeof(text) - 1}
const struct seed seeds[] = {
    SEED("\x85\xA1"
         "a\x93\x01\xFF\xC0\xA1"
         "b\xC4\x03\x01\x02\x03\xA1"
         "c\xCB\x3F\xF8\0\0\0\0\0\0"
         "\xA1"
         "d\xC3\xA2\xC3\xBC\x80"),
    SEED("\xDC\0\x03\xCC\xFF\xCD\xFF\xFF\xD2\x80\0\0\0"),
    SEED("\xDE\0\x02\xD9\x01x\xCA\x3F\0\0\0\xDA\0\x01y\xD3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x80"),
    SEED("\xDD\0\0\0\x01\xDF\0\0\0\x01\xDB\0\0\0\x01z\xC6\0\0\0\x02\x01\x02"),
    SEED("\x91\x91\x91\x91\x81\xA0\x90"),
    SEED("\x94\xA9__proto__\xA6length\xA1"
         "0\x82\xA1"
         "1\x01\xA9__proto__\x80"),
    SEED("\x92\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xC5\0\x01x"),
};
const size_t seed_count = sizeof seeds / sizeof *seeds;

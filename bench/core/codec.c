/* Cost of the codec, in nanoseconds per value, and the C stack that it takes.
 *
 * The environment variable QUICKJS names dukpy's shared object. To be compiled as
 * tests/core/fuzz_codec.c is, with the flags STUBBED and the file of python_stubs, both in
 * tests/core_library.py:
 *
 *     cc -std=c11 -O3 -fvisibility=hidden -I jsrunner/core bench/core/codec.c python_stubs.c \
 *         jsrunner/core/{codec_read,codec_write,quickjs,utf8,bytes}.c -rdynamic -Wl,--no-as-needed -ldl -lm
 */
#define _POSIX_C_SOURCE 200809L
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 20, ROUNDS = 20, PAINTED = 2 << 20, PAINT = 0xA5 };

static JSContext *context;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static JSValue evaluate(const char *source)
{
    JSValue value = JS_Eval(context, source, strlen(source), "bench", 0);
    if (js_is_exception(value)) exit(1);
    return value;
}

/* Print the least cost of writing and of reading what a script makes. */
static void measure(const char *label, int values, const char *source)
{
    JSValue value = evaluate(source);
    struct bytes bytes = {0};
    double least_write = 1e18, least_read = 1e18;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        for (int i = 0; i < ROUNDS; i++) {
            bytes.size = 0;
            if (!codec_write(context, value, &bytes)) exit(1);
        }
        double middle = now();
        for (int i = 0; i < ROUNDS; i++)
            JS_FreeValue(context, codec_read(context, bytes.data, bytes.size));
        double write = (middle - start) / ROUNDS / values,
               read = (now() - middle) / ROUNDS / values;
        if (write < least_write) least_write = write;
        if (read < least_read) least_read = read;
    }
    printf("%-30s write %8.1f ns   read %8.1f ns\n", label, least_write, least_read);
    JS_FreeValue(context, value);
    bytes_free(&bytes);
}

/* Paint the stack below, run, and see how far down the paint is gone: what compilers warn of. */
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
static __attribute__((noinline)) void paint(void)
{
    volatile uint8_t area[PAINTED];
    for (size_t i = 0; i < PAINTED; i++) area[i] = PAINT;
}

static __attribute__((noinline)) size_t painted_over(void)
{
    volatile uint8_t area[PAINTED];
    size_t free_bytes = 0;
    while (free_bytes < PAINTED && area[free_bytes] == PAINT) free_bytes++;
    return PAINTED - free_bytes;
}

static void measure_stack(const char *source)
{
    JSValue value = evaluate(source);
    struct bytes bytes = {0};
    paint();
    if (!codec_write(context, value, &bytes)) exit(1);
    size_t write = painted_over();
    paint();
    JS_FreeValue(context, value);
    value = codec_read(context, bytes.data, bytes.size);
    printf("stack, %d levels: write %zu, read %zu bytes\n", CODEC_MAX_DEPTH, write, painted_over());
    JS_FreeValue(context, value);
    bytes_free(&bytes);
}

int main(void)
{
    if (quickjs_open(getenv("QUICKJS"))) return 1;
    JSRuntime *runtime = JS_NewRuntime();
    context = JS_NewContextRaw(runtime);
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicTypedArrays(context);
    measure("small object, per object", 1,
            "({url: 'ws://a/b', code: 1000, ok: true, tags: {a: 'b'}})");
    measure("integers, per element", 1000, "Array.from({length: 1000}, (_, i) => i * 100)");
    measure("doubles, per element", 1000, "Array.from({length: 1000}, (_, i) => i + 0.5)");
    measure("short texts, per element", 1000, "Array.from({length: 1000}, (_, i) => 'text ' + i)");
    measure("rows of 5 members, per row", 1000,
            "Array.from({length: 1000}, (_, i) => ({id: i, name: 'n' + i, x: i / 3, ok: true, z: "
            "null}))");
    measure("holes, per hole", 100000, "var a = []; a.length = 100000; a");
    measure("ASCII, 64 KB", 1, "'x'.repeat(65536)");
    measure("Cyrillic, 64 KB", 1, "'ы'.repeat(32768)");
    measure("Uint8Array, 64 KB", 1, "new Uint8Array(65536)");
    measure_stack("var o = null; for (let i = 0; i < 1000; i++) o = i % 2 ? [o] : {o}; o");
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    return 0;
}

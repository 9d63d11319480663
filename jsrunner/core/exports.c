/* The module `jsrunner:core`: the core's functions for JavaScript. Only modules of jsrunner's can import it, because
 * Python resolves the imports of scripts. */
#include "core.h"

#include "session.h"
#include "timers.h"

#include <math.h>

JSValue request_host(JSContext *, JSValue, int, JSValue *);
JSValue modules_import_now(JSContext *, JSValue, int, JSValue *);
JSValue modules_load_now(JSContext *, JSValue, int, JSValue *);
JSValue functions_uncurry(JSContext *, JSValue, int, JSValue *);
JSValue functions_later(JSContext *, JSValue, int, JSValue *);
JSValue functions_define_later(JSContext *, JSValue, int, JSValue *);
JSValue tasks_listen(JSContext *, JSValue, int, JSValue *);
JSValue tasks_forget(JSContext *, JSValue, int, JSValue *);
JSValue tasks_queue(JSContext *, JSValue, int, JSValue *);
JSValue tasks_settle(JSContext *, JSValue, int, JSValue *);
JSValue tasks_has_work(JSContext *, JSValue, int, JSValue *);
JSValue tasks_is_winding_down(JSContext *, JSValue, int, JSValue *);
JSValue tasks_abandon(JSContext *, JSValue, int, JSValue *);
JSValue tasks_drop_timers(JSContext *, JSValue, int, JSValue *);
JSValue samples_emit(JSContext *, JSValue, int, JSValue *);
JSValue iterations_next(JSContext *, JSValue, int, JSValue *);
JSValue context_bind_value(JSContext *, JSValue, int, JSValue *);
JSValue context_is_tracked(JSContext *, JSValue, int, JSValue *);
JSValue http_exchange(JSContext *, JSValue, int, JSValue *);
JSValue http_headers_of(JSContext *, JSValue, int, JSValue *);
JSValue session_create(JSContext *, JSValue, int, JSValue *);

#define PRIMITIVE(name) static JSValue name(JSContext *context, JSValue self, int argc, JSValue *argv)

/* now(): milliseconds since the epoch, with fractions; the clock of samples and timers. */
PRIMITIVE(now)
{
    (void)context, (void)self, (void)argc, (void)argv;
    return js_float(clock_epoch(clock_now()) * 1000);
}

/* sleep(milliseconds): park the VU. Other VUs run meanwhile. */
PRIMITIVE(sleep_for)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    double milliseconds;
    if (JS_ToFloat64(context, &milliseconds, argv[0]) < 0) return JS_EXCEPTION;
    if (!(milliseconds > 0) || vu->is_winding_down) milliseconds = 0;
    if (!vu_park(vu, VU_SLEEPING, clock_now() + milliseconds / 1000)) return vu_throw_interrupted(vu);
    return JS_UNDEFINED;
}

/* addTimer(call, delay in ms, every in ms or negative, kind): add a timer and return its id. */
PRIMITIVE(add_timer)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    double delay, every;
    int32_t kind;
    if (JS_ToFloat64(context, &delay, argv[1]) < 0 || JS_ToFloat64(context, &every, argv[2]) < 0 ||
        JS_ToInt32(context, &kind, argv[3]) < 0)
        return JS_EXCEPTION;
    int32_t id = timers_add(vu->runtime, &vu->timers, JS_DupValue(context, argv[0]), delay / 1000, every / 1000,
                            (enum timer_kind)kind);
    return id ? js_int(id) : JS_ThrowOutOfMemory(context);
}

PRIMITIVE(remove_timer)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    double id;
    if (JS_ToFloat64(context, &id, argv[0]) < 0) return JS_EXCEPTION;
    if (id >= 1 && id <= 2147483647.0) timers_remove(vu->runtime, &vu->timers, (int32_t)id);
    return JS_UNDEFINED;
}

/* drainJobs(): run promise jobs until none is left. */
PRIMITIVE(drain_jobs)
{
    (void)self, (void)argc, (void)argv;
    struct vu *vu = vu_of(context);
    return tasks_drain_jobs(vu) ? JS_UNDEFINED : vu_throw_interrupted(vu);
}

/* publish(entries, makeError): set the JavaScript functions that C and Python call. */
PRIMITIVE(publish)
{
    (void)self, (void)argc;
    struct vu *vu = vu_of(context);
    JS_FreeValue(context, vu->entries);
    JS_FreeValue(context, vu->make_error);
    vu->entries = JS_DupValue(context, argv[0]);
    vu->make_error = JS_DupValue(context, argv[1]);
    return JS_UNDEFINED;
}

static const struct {
    const char *name;
    JSCFunction *function;
    int length;
} PRIMITIVES[] = {
    {"dropTimers", tasks_drop_timers, 0}, {"uncurryThis", functions_uncurry, 1},
    {"later", functions_later, 2},     {"defineLater", functions_define_later, 4},
    {"load", modules_load_now, 1},
    {"abandon", tasks_abandon, 1},     {"addTimer", add_timer, 4},
    {"bindContext", context_bind_value, 1}, {"tracksContexts", context_is_tracked, 0},
    {"createSession", session_create, 2}, {"drainJobs", drain_jobs, 0},
    {"emit", samples_emit, 3},         {"exchange", http_exchange, 5},
    {"forget", tasks_forget, 1},       {"hasWork", tasks_has_work, 0},
    {"isWindingDown", tasks_is_winding_down, 0},
    {"headersOf", http_headers_of, 1},
    {"host", request_host, 1},         {"importNow", modules_import_now, 3},
    {"listen", tasks_listen, 3},       {"nextIteration", iterations_next, 0},
    {"now", now, 0},                   {"publish", publish, 2},
    {"queueTask", tasks_queue, 1},     {"removeTimer", remove_timer, 1},
    {"settle", tasks_settle, 1},       {"sleep", sleep_for, 1},
};

enum { PRIMITIVE_COUNT = sizeof PRIMITIVES / sizeof *PRIMITIVES };

static int fill(JSContext *context, JSModuleDef *module)
{
    for (int i = 0; i < PRIMITIVE_COUNT; i++) {
        JSValue function = JS_NewCFunction2(context, PRIMITIVES[i].function, PRIMITIVES[i].name, PRIMITIVES[i].length,
                                            JS_CFUNC_GENERIC, 0);
        if (JS_SetModuleExport(context, module, PRIMITIVES[i].name, function) < 0) return -1;
    }
    return 0;
}

void exports_install(struct vu *vu)
{
    JSModuleDef *module = JS_NewCModule(vu->context, "jsrunner:core", fill);
    for (int i = 0; module && i < PRIMITIVE_COUNT; i++) JS_AddModuleExport(vu->context, module, PRIMITIVES[i].name);
}

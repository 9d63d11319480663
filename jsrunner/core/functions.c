/* Function objects that cost a VU less memory than functions of JavaScript.
 *
 * Theory. Each VU has an interpreter of its own, so a function costs its bytes once per VU. Three kinds of `jsrunner:core`
 * save most of them:
 *
 *  - uncurryThis(f): `f` with its `this` as the first argument. It takes less memory than the result of `bind`, and its
 *    call is one step shorter.
 *  - later(module, name): the function that the module exports by this name. The first call loads the module.
 *  - defineLater(target, module, name, isWritable): a member of an object, whose value the module exports. The first
 *    use loads the module and makes the member an ordinary one.
 *
 * Invariants. A module that is loaded late uses only the built-ins that primordials.js has saved, because the script
 * may have changed the others.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static uint32_t uncurried_class, late_class;

/* -- uncurried functions -------------------------------------------------------------------------- */

/* The opaque pointer of an uncurried function is the function object itself, of which it owns a reference. */
static JSValue uncurried_value(JSValue self)
{
    return (JSValue){{.pointer = JS_GetOpaque(self, uncurried_class)}, JS_TAG_OBJECT};
}

static void free_uncurried(JSRuntime *runtime, JSValue self)
{
    JSValue function = uncurried_value(self);
    if (function.u.pointer) JS_FreeValueRT(runtime, function);
}

static void mark_uncurried(JSRuntime *runtime, JSValue self, void *mark)
{
    JSValue function = uncurried_value(self);
    if (function.u.pointer) JS_MarkValue(runtime, function, mark);
}

static JSValue call_uncurried(JSContext *context, JSValue function, JSValue self, int argc, JSValue *argv, int flags)
{
    (void)self, (void)flags;
    JSValue first = argc ? argv[0] : JS_UNDEFINED;
    return JS_Call(context, uncurried_value(function), first, argc ? argc - 1 : 0, argc ? argv + 1 : argv);
}

JSValue functions_uncurry(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    if (!JS_IsFunction(context, argv[0])) return JS_ThrowTypeError(context, "not a function");
    JSValue function = JS_NewObjectClass(context, uncurried_class);
    if (!js_is_exception(function)) JS_SetOpaque(function, JS_DupValue(context, argv[0]).u.pointer);
    return function;
}

/* -- late functions and members ------------------------------------------------------------------- */

enum late_kind { LATE_FUNCTION, LATE_GETTER, LATE_SETTER };

struct late {
    enum late_kind kind;
    bool is_writable;
    /* Of a member: the object that has it. Of a function: the export, once the module is loaded. */
    JSValue object;
    /* The module's name, a zero, the export's name. */
    char *export;
    char module[];
};

static void free_late(JSRuntime *runtime, JSValue self)
{
    struct late *late = JS_GetOpaque(self, late_class);
    if (!late) return;
    JS_FreeValueRT(runtime, late->object);
    js_free_rt(runtime, late);
}

static void mark_late(JSRuntime *runtime, JSValue self, void *mark)
{
    struct late *late = JS_GetOpaque(self, late_class);
    if (late) JS_MarkValue(runtime, late->object, mark);
}

/* Load the module and return its export. */
static JSValue load_export(JSContext *context, const struct late *late)
{
    JSValue namespace = modules_load(context, late->module);
    if (js_is_exception(namespace)) return namespace;
    JSValue value = JS_GetPropertyStr(context, namespace, late->export);
    JS_FreeValue(context, namespace);
    return value;
}

static bool define(JSContext *context, const struct late *late, JSValue value)
{
    int flags = JS_PROP_ENUMERABLE | (late->is_writable ? JS_PROP_C_W : 0);
    /* A script may have frozen the object. */
    return JS_DefinePropertyValueStr(context, late->object, late->export, value, flags) >= 0;
}

static JSValue call_late(JSContext *context, JSValue function, JSValue self, int argc, JSValue *argv, int flags)
{
    (void)flags;
    struct late *late = JS_GetOpaque(function, late_class);
    if (late->kind == LATE_SETTER) {
        if (!late->is_writable)
            return JS_ThrowTypeError(context, "Cannot assign to read only property '%s'", late->export);
        return define(context, late, JS_DupValue(context, argc ? argv[0] : JS_UNDEFINED)) ? JS_UNDEFINED : JS_EXCEPTION;
    }
    if (late->kind == LATE_GETTER) {
        JSValue value = load_export(context, late);
        if (js_is_exception(value)) return value;
        if (define(context, late, JS_DupValue(context, value))) return value;
        JS_FreeValue(context, value);
        return JS_EXCEPTION;
    }
    if (js_is_undefined(late->object)) {
        JSValue value = load_export(context, late);
        if (js_is_exception(value)) return value;
        JS_FreeValue(context, late->object); /* loading may have called this function */
        late->object = value;
    }
    JSValue target = JS_DupValue(context, late->object);
    JSValue result = JS_Call(context, target, self, argc, argv);
    JS_FreeValue(context, target);
    return result;
}

static JSValue new_late(JSContext *context, enum late_kind kind, JSValue module, JSValue name, JSValue object,
                        bool is_writable)
{
    JSValue function = JS_EXCEPTION;
    size_t module_size, name_size;
    const char *module_text = JS_ToCStringLen2(context, &module_size, module, false);
    const char *name_text = module_text ? JS_ToCStringLen2(context, &name_size, name, false) : NULL;
    struct late *late = name_text ? js_malloc(context, sizeof *late + module_size + name_size + 2) : NULL;
    if (late) function = JS_NewObjectClass(context, late_class);
    if (js_is_exception(function)) {
        js_free(context, late);
    } else {
        late->kind = kind;
        late->is_writable = is_writable;
        late->object = JS_DupValue(context, object);
        late->export = late->module + module_size + 1;
        memcpy(late->module, module_text, module_size + 1);
        memcpy(late->export, name_text, name_size + 1);
        JS_SetOpaque(function, late);
    }
    if (name_text) JS_FreeCString(context, name_text);
    if (module_text) JS_FreeCString(context, module_text);
    return function;
}

JSValue functions_later(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    return new_late(context, LATE_FUNCTION, argv[0], argv[1], JS_UNDEFINED, false);
}

JSValue functions_define_later(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    bool is_writable = JS_ToBool(context, argv[3]) > 0;
    JSValue getter = new_late(context, LATE_GETTER, argv[1], argv[2], argv[0], is_writable);
    if (js_is_exception(getter)) return getter;
    JSValue setter = new_late(context, LATE_SETTER, argv[1], argv[2], argv[0], is_writable);
    if (js_is_exception(setter)) {
        JS_FreeValue(context, getter);
        return setter;
    }
    const char *name = JS_ToCStringLen2(context, NULL, argv[2], false);
    JSAtom atom = name ? JS_NewAtom(context, name) : 0;
    if (name) JS_FreeCString(context, name);
    if (!atom) {
        JS_FreeValue(context, getter);
        JS_FreeValue(context, setter);
        return JS_EXCEPTION;
    }
    int flags = JS_PROP_ENUMERABLE | JS_PROP_CONFIGURABLE;
    int done = JS_DefinePropertyGetSet(context, argv[0], atom, getter, setter, flags);
    JS_FreeAtom(context, atom);
    return done < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

/* -- installation --------------------------------------------------------------------------------- */

static void install(struct vu *vu, uint32_t *class, const JSClassDef *definition)
{
    JS_NewClassID(vu->runtime, class);
    JS_NewClass(vu->runtime, *class, definition);
    /* The prototype of all functions, because scripts can see late getters. */
    JSValue scope = JS_GetGlobalObject(vu->context);
    JSValue constructor = JS_GetPropertyStr(vu->context, scope, "Function");
    JS_SetClassProto(vu->context, *class, JS_GetPropertyStr(vu->context, constructor, "prototype"));
    JS_FreeValue(vu->context, constructor);
    JS_FreeValue(vu->context, scope);
}

void functions_install(struct vu *vu)
{
    static const JSClassDef uncurried = {
        .class_name = "Function", .finalizer = free_uncurried, .gc_mark = mark_uncurried, .call = call_uncurried};
    static const JSClassDef late = {
        .class_name = "Function", .finalizer = free_late, .gc_mark = mark_late, .call = call_late};
    install(vu, &uncurried_class, &uncurried);
    install(vu, &late_class, &late);
}

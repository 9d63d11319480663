/* Built-in functions that no script can replace.
 *
 * Theory. A script may replace or delete the language's functions, and jsrunner's modules must not notice. A built-in
 * function is code of the engine, which all interpreters of the process share, with a few numbers. So the core makes a
 * second function object for the same code, at any time, whatever the script has done. The code is looked up, by the
 * function's path, in an interpreter that runs no script: the pristine one. Functions of `jsrunner:core`:
 *
 *  - builtin('Object.keys'): the built-in function itself.
 *  - uncurried('String.prototype.slice'): the function with its `this` as the first argument. It calls the engine's code
 *    directly. Of an accessor ('Symbol.prototype.description') it is the getter.
 *  - isBuiltin('Math.random', value): true if the value is this function, in whatever object.
 *
 * Paths have names, and symbols as in 'Function.prototype.@@hasInstance'.
 *
 * A VU so has objects only for the functions that its modules use, and the engine makes its own object for a built-in
 * function when a script first reads the property. Measured with `k6/ws`: 23 KB less than with modules that read the
 * properties before any script.
 *
 * Invariants. A line of the table is never changed or removed: functions refer to it by its number.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

JSValue builtins_builtin(JSContext *, JSValue, int, JSValue *);
JSValue builtins_uncurried(JSContext *, JSValue, int, JSValue *);
JSValue builtins_is_builtin(JSContext *, JSValue, int, JSValue *);

/* How the engine calls a function's code. */
enum kind { GENERIC = 0, GENERIC_MAGIC = 1, GETTER = 8, GETTER_MAGIC = 10 };
enum { PART_MOST = 64, LINES_MOST = 500 };
typedef JSValue JSGetter(JSContext *, JSValue self);
typedef JSValue JSGetterMagic(JSContext *, JSValue self, int magic);

/* The engine's function object, up to the fields of built-in functions. */
struct function {
    uint8_t head[6];
    uint16_t class;
    void *links_shape_properties[5];
    JSContext *realm;
    JSCFunction *code;
    uint8_t length, kind;
    int16_t magic;
};

struct builtin {
    char *path;
    const char *name;
    JSCFunction *code;
    uint8_t length, kind;
    int16_t magic;
};

static struct builtin table[LINES_MOST];
static int line_count;
static JSContext *pristine;
/* The engine's number of the class of built-in functions. */
static uint16_t function_class;

/* -- the pristine interpreter --------------------------------------------------------------------- */

static JSValue sample(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)context, (void)self, (void)argc, (void)argv;
    return JS_UNDEFINED;
}

/* Return true if function objects have the fields that `struct function` restates. */
static bool has_known_fields(JSContext *context)
{
    JSValue function = JS_NewCFunction2(context, sample, "sample", 3, GENERIC_MAGIC, 77);
    const struct function *made = function.u.pointer;
    bool is_known = !js_is_exception(function) && made->realm == context && made->code == sample && made->length == 3 &&
                    made->kind == GENERIC_MAGIC && made->magic == 77;
    if (is_known) function_class = made->class;
    JS_FreeValue(context, function);
    return is_known;
}

static bool open_pristine(void)
{
    if (pristine) return true;
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = runtime ? JS_NewContextRaw(runtime) : NULL;
    if (context) {
        JS_SetMaxStackSize(runtime, 0); /* it is used on all stacks */
        vu_add_intrinsics(context);
        if (has_known_fields(context)) pristine = context;
        else JS_FreeContext(context);
    }
    if (runtime && !pristine) JS_FreeRuntime(runtime);
    return pristine != NULL;
}

static JSValue global(const char *name)
{
    JSValue scope = JS_GetGlobalObject(pristine);
    JSValue value = JS_GetPropertyStr(pristine, scope, name);
    JS_FreeValue(pristine, scope);
    return value;
}

/* Return the atom of a part of a path. The caller owns it. */
static JSAtom atom_of(const char *part)
{
    if (strncmp(part, "@@", 2) != 0) return JS_NewAtom(pristine, part);
    JSValue symbols = global("Symbol");
    JSValue symbol = JS_GetPropertyStr(pristine, symbols, part + 2);
    JSAtom atom = JS_ValueToAtom(pristine, symbol);
    JS_FreeValue(pristine, symbol);
    JS_FreeValue(pristine, symbols);
    return atom;
}

/* Return the function, or the getter, that an object has as its own property. */
static JSValue own_function(JSValue object, JSAtom atom)
{
    JSPropertyDescriptor property;
    if (JS_GetOwnProperty(pristine, &property, object, atom) <= 0) return JS_UNDEFINED;
    bool is_accessor = property.flags & JS_PROP_GETSET;
    JS_FreeValue(pristine, is_accessor ? property.value : property.getter);
    JS_FreeValue(pristine, property.setter);
    return is_accessor ? property.getter : property.value;
}

/* Return the function of the path in the pristine interpreter. The caller owns it. */
static JSValue look_up(const char *path)
{
    JSValue value = JS_GetGlobalObject(pristine);
    for (const char *end = path; *end; path = end + 1) {
        end = strchr(path, '.');
        if (!end) end = path + strlen(path);
        char part[PART_MOST] = {0};
        if ((size_t)(end - path) < sizeof part) memcpy(part, path, (size_t)(end - path));
        JSAtom atom = atom_of(part);
        JSValue next = *end ? JS_GetProperty(pristine, value, atom) : own_function(value, atom);
        JS_FreeAtom(pristine, atom);
        JS_FreeValue(pristine, value);
        value = next;
    }
    JS_FreeValue(pristine, JS_GetException(pristine)); /* of a property of undefined */
    return value;
}

/* Add a line for the path to the table. Returns false if the path is that of no built-in function. */
static bool add_line(const char *path)
{
    if (!open_pristine() || line_count == LINES_MOST) return false;
    JSValue value = look_up(path);
    const struct function *function = value.u.pointer;
    bool is_builtin = JS_IsFunction(pristine, value) && function->class == function_class;
    char *copy = is_builtin ? strdup(path) : NULL;
    if (copy) {
        const char *name = strrchr(copy, '.');
        name = name ? name + 1 : copy;
        table[line_count++] = (struct builtin){
            copy, name + (*name == '@' ? 2 : 0), function->code, function->length, function->kind, function->magic};
    }
    JS_FreeValue(pristine, value);
    return copy != NULL;
}

/* Return the number of the path's line, or -1 after throwing an error. */
static int line_of(JSContext *context, const char *path)
{
    int line = 0;
    while (line < line_count && strcmp(table[line].path, path) != 0) line++;
    if (line < line_count || add_line(path)) return line;
    JS_ThrowTypeError(context, "%s is no built-in function", path);
    return -1;
}

static int line_of_text(JSContext *context, JSValue path)
{
    const char *text = JS_ToCStringLen2(context, NULL, path, false);
    int line = text ? line_of(context, text) : -1;
    if (text) JS_FreeCString(context, text);
    return line;
}

static JSValue new_builtin(JSContext *context, int line)
{
    if (line < 0) return JS_EXCEPTION;
    const struct builtin *builtin = &table[line];
    return JS_NewCFunction2(context, builtin->code, builtin->name, builtin->length, builtin->kind, builtin->magic);
}

JSValue builtins_new(JSContext *context, const char *path) { return new_builtin(context, line_of(context, path)); }

/* -- functions for JavaScript --------------------------------------------------------------------- */

JSValue builtins_builtin(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    return new_builtin(context, line_of_text(context, argv[0]));
}

/* The engine makes at least as many arguments readable as the function's length says, here one more than the built-in
 * function needs. */
static JSValue call_uncurried(JSContext *context, JSValue self, int argc, JSValue *argv, int line)
{
    (void)self;
    const struct builtin *builtin = &table[line];
    int count = argc ? argc - 1 : 0;
    switch (builtin->kind) {
    case GENERIC: return builtin->code(context, argv[0], count, argv + 1);
    case GENERIC_MAGIC: return ((JSCFunctionMagic *)(void *)builtin->code)(context, argv[0], count, argv + 1, builtin->magic);
    case GETTER: return ((JSGetter *)(void *)builtin->code)(context, argv[0]);
    default: return ((JSGetterMagic *)(void *)builtin->code)(context, argv[0], builtin->magic);
    }
}

JSValue builtins_uncurried(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    int line = line_of_text(context, argv[0]);
    if (line < 0) return JS_EXCEPTION;
    const struct builtin *builtin = &table[line];
    uint8_t kind = builtin->kind;
    if (kind != GENERIC && kind != GENERIC_MAGIC && kind != GETTER && kind != GETTER_MAGIC)
        return JS_ThrowTypeError(context, "%s has no `this`", builtin->path);
    return JS_NewCFunction2(context, (JSCFunction *)(void *)call_uncurried, builtin->name, builtin->length + 1,
                            GENERIC_MAGIC, line);
}

JSValue builtins_is_builtin(JSContext *context, JSValue self, int argc, JSValue *argv)
{
    (void)self, (void)argc;
    int line = line_of_text(context, argv[0]);
    if (line < 0) return JS_EXCEPTION;
    const struct function *function = argv[1].u.pointer;
    return js_bool(JS_IsFunction(context, argv[1]) && function->class == function_class &&
                   function->code == table[line].code && function->magic == table[line].magic);
}

/* QuickJS-NG's C API, as far as the core uses it.
 *
 * The engine is the one inside dukpy's shared object; its functions are looked up there at start
 * (quickjs_open), so the core is built without the engine's sources. The types below restate the
 * engine's ABI on 64-bit machines (JSValue is 16 bytes, no NaN boxing); quickjs_open checks the
 * version, and the binding checks a round trip of values.
 *
 * Ownership: a JSValue that a function returns belongs to the caller, who frees it with
 * JS_FreeValue; arguments stay the caller's, except where the name says Set, Define or Throw.
 */
#ifndef JSRUNNER_QUICKJS_H
#define JSRUNNER_QUICKJS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct JSRuntime JSRuntime;
typedef struct JSContext JSContext;
typedef struct JSModuleDef JSModuleDef;
typedef uint32_t JSAtom;

typedef struct JSValue {
    union {
        int32_t int32;
        double float64;
        void *pointer;
    } u;
    int64_t tag;
} JSValue;

enum {
    JS_TAG_BIG_INT = -9,
    JS_TAG_SYMBOL = -8,
    JS_TAG_STRING = -7,
    JS_TAG_MODULE = -3,
    JS_TAG_FUNCTION_BYTECODE = -2,
    JS_TAG_OBJECT = -1,
    JS_TAG_INT = 0,
    JS_TAG_BOOL = 1,
    JS_TAG_NULL = 2,
    JS_TAG_UNDEFINED = 3,
    JS_TAG_EXCEPTION = 6,
    JS_TAG_SHORT_BIG_INT = 7,
    JS_TAG_FLOAT64 = 8,
};

#define JS_UNDEFINED ((JSValue){{.int32 = 0}, JS_TAG_UNDEFINED})
#define JS_NULL ((JSValue){{.int32 = 0}, JS_TAG_NULL})
#define JS_TRUE ((JSValue){{.int32 = 1}, JS_TAG_BOOL})
#define JS_FALSE ((JSValue){{.int32 = 0}, JS_TAG_BOOL})
#define JS_EXCEPTION ((JSValue){{.int32 = 0}, JS_TAG_EXCEPTION})

static inline bool js_is_exception(JSValue value) { return value.tag == JS_TAG_EXCEPTION; }
static inline bool js_is_undefined(JSValue value) { return value.tag == JS_TAG_UNDEFINED; }
static inline bool js_is_nullish(JSValue value)
{
    return value.tag == JS_TAG_UNDEFINED || value.tag == JS_TAG_NULL;
}
static inline bool js_is_string(JSValue value) { return value.tag == JS_TAG_STRING; }
static inline JSValue js_int(int32_t number) { return (JSValue){{.int32 = number}, JS_TAG_INT}; }
static inline JSValue js_bool(bool is_true) { return is_true ? JS_TRUE : JS_FALSE; }
static inline JSValue js_float(double number)
{
    return (JSValue){{.float64 = number}, JS_TAG_FLOAT64};
}
/* Return a number value, with the tag of integers if the number is a 32-bit integer. */
static inline JSValue js_number(double number)
{
    int32_t integer = number >= -2147483648.0 && number <= 2147483647.0 ? (int32_t)number : 0;
    return integer == number && (integer || !__builtin_signbit(number)) ? js_int(integer)
                                                                        : js_float(number);
}

typedef JSValue JSCFunction(JSContext *, JSValue self, int argc, JSValue *argv);
typedef JSValue JSCFunctionData(JSContext *, JSValue self, int argc, JSValue *argv, int magic, JSValue *data);
typedef JSValue JSCFunctionMagic(JSContext *, JSValue self, int argc, JSValue *argv, int magic);
typedef void JSFreeArrayBufferDataFunc(JSRuntime *, void *opaque, void *pointer);
typedef int JSInterruptHandler(JSRuntime *, void *opaque);
typedef int JSModuleInitFunc(JSContext *, JSModuleDef *);
typedef char *JSModuleNormalizeFunc(JSContext *, const char *base, const char *name, void *opaque);
typedef JSModuleDef *JSModuleLoaderFunc(JSContext *, const char *name, void *opaque);
typedef void JSHostPromiseRejectionTracker(JSContext *, JSValue promise, JSValue reason, bool is_handled,
                                           void *opaque);
typedef void JSPromiseHook(JSContext *, int type, JSValue promise, JSValue parent, void *opaque);

typedef struct JSPropertyEnum {
    bool is_enumerable;
    JSAtom atom;
} JSPropertyEnum;

typedef struct JSPropertyDescriptor {
    int flags;
    JSValue value, getter, setter;
} JSPropertyDescriptor;

typedef struct JSClassDef {
    const char *class_name;
    void (*finalizer)(JSRuntime *, JSValue);
    void (*gc_mark)(JSRuntime *, JSValue, void *mark);
    JSValue (*call)(JSContext *, JSValue function, JSValue self, int argc, JSValue *argv, int flags);
    void *exotic;
} JSClassDef;

typedef struct JSMallocFunctions {
    void *(*calloc)(void *opaque, size_t count, size_t size);
    void *(*malloc)(void *opaque, size_t size);
    void (*free)(void *opaque, void *block);
    void *(*realloc)(void *opaque, void *block, size_t size);
    size_t (*usable_size)(const void *block);
} JSMallocFunctions;

typedef struct JSMemoryUsage {
    int64_t malloc_size, malloc_limit, memory_used_size, others[23];
} JSMemoryUsage;

enum { JS_EVAL_TYPE_MODULE = 1 << 0, JS_EVAL_FLAG_COMPILE_ONLY = 1 << 5 };
enum { JS_CFUNC_GENERIC = 0, JS_CFUNC_GENERIC_MAGIC = 1 };
enum { JS_GPN_STRING_MASK = 1 << 0, JS_GPN_ENUM_ONLY = 1 << 4 };
enum {
    JS_PROP_CONFIGURABLE = 1 << 0,
    JS_PROP_ENUMERABLE = 1 << 2,
    JS_PROP_C_W = 3,
    JS_PROP_C_W_E = 7,
    JS_PROP_GETSET = 1 << 4,
};
enum { JS_BYTECODE = 1 << 0, JS_STRIP_SOURCE = 1 << 4, JS_STRIP_DEBUG = 1 << 5 };
enum { JS_PROMISE_PENDING, JS_PROMISE_FULFILLED, JS_PROMISE_REJECTED };
enum {
    JS_PROMISE_HOOK_INIT,
    JS_PROMISE_HOOK_BEFORE,
    JS_PROMISE_HOOK_AFTER,
    JS_PROMISE_HOOK_RESOLVE,
};

#define QUICKJS_FUNCTIONS(X)                                                                      \
    X(const char *, JS_GetVersion, (void))                                                        \
    X(JSRuntime *, JS_NewRuntime, (void))                                                         \
    X(JSRuntime *, JS_NewRuntime2, (const JSMallocFunctions *, void *opaque))                     \
    X(void, JS_FreeRuntime, (JSRuntime *))                                                        \
    X(JSContext *, JS_NewContextRaw, (JSRuntime *))                                               \
    X(void, JS_FreeContext, (JSContext *))                                                        \
    X(void, JS_AddIntrinsicBaseObjects, (JSContext *))                                             \
    X(void, JS_AddIntrinsicDate, (JSContext *))                                                    \
    X(void, JS_AddIntrinsicEval, (JSContext *))                                                    \
    X(void, JS_AddIntrinsicRegExp, (JSContext *))                                                  \
    X(void, JS_AddIntrinsicJSON, (JSContext *))                                                    \
    X(void, JS_AddIntrinsicProxy, (JSContext *))                                                   \
    X(void, JS_AddIntrinsicMapSet, (JSContext *))                                                  \
    X(void, JS_AddIntrinsicTypedArrays, (JSContext *))                                             \
    X(void, JS_AddIntrinsicPromise, (JSContext *))                                                 \
    X(void, JS_AddIntrinsicBigInt, (JSContext *))                                                  \
    X(void, JS_AddIntrinsicWeakRef, (JSContext *))                                                 \
    X(void, JS_SetContextOpaque, (JSContext *, void *))                                           \
    X(void *, JS_GetContextOpaque, (JSContext *))                                                 \
    X(void, JS_SetRuntimeOpaque, (JSRuntime *, void *))                                           \
    X(void *, JS_GetRuntimeOpaque, (JSRuntime *))                                                 \
    X(JSRuntime *, JS_GetRuntime, (JSContext *))                                                  \
    X(void, JS_UpdateStackTop, (JSRuntime *))                                                     \
    X(void, JS_SetMaxStackSize, (JSRuntime *, size_t))                                            \
    X(void, JS_SetMemoryLimit, (JSRuntime *, size_t))                                             \
    X(size_t, JS_GetGCThreshold, (JSRuntime *))                                                   \
    X(void, JS_SetGCThreshold, (JSRuntime *, size_t))                                             \
    X(void, JS_RunGC, (JSRuntime *))                                                              \
    X(void, JS_ComputeMemoryUsage, (JSRuntime *, JSMemoryUsage *))                                \
    X(void, JS_SetInterruptHandler, (JSRuntime *, JSInterruptHandler *, void *))                  \
    X(void, JS_SetModuleLoaderFunc,                                                               \
      (JSRuntime *, JSModuleNormalizeFunc *, JSModuleLoaderFunc *, void *))                       \
    X(void, JS_SetHostPromiseRejectionTracker,                                                    \
      (JSRuntime *, JSHostPromiseRejectionTracker *, void *))                                     \
    X(void, JS_SetPromiseHook, (JSRuntime *, JSPromiseHook *, void *))                            \
    X(JSValue, JS_Eval, (JSContext *, const char *, size_t, const char *, int))                   \
    X(JSValue, JS_EvalFunction, (JSContext *, JSValue))                                           \
    X(JSValue, JS_ReadObject, (JSContext *, const uint8_t *, size_t, int))                        \
    X(uint8_t *, JS_WriteObject, (JSContext *, size_t *, JSValue, int))                           \
    X(JSModuleDef *, JS_NewCModule, (JSContext *, const char *, JSModuleInitFunc *))              \
    X(int, JS_AddModuleExport, (JSContext *, JSModuleDef *, const char *))                        \
    X(int, JS_SetModuleExport, (JSContext *, JSModuleDef *, const char *, JSValue))               \
    X(JSValue, JS_GetModuleNamespace, (JSContext *, JSModuleDef *))                               \
    X(JSAtom, JS_GetModuleName, (JSContext *, JSModuleDef *))                                     \
    X(JSValue, JS_Call, (JSContext *, JSValue, JSValue, int, JSValue *))                          \
    X(JSValue, JS_NewCFunction2, (JSContext *, JSCFunction *, const char *, int, int, int))       \
    X(uint32_t, JS_NewClassID, (JSRuntime *, uint32_t *))                                         \
    X(int, JS_NewClass, (JSRuntime *, uint32_t, const JSClassDef *))                              \
    X(void, JS_SetClassProto, (JSContext *, uint32_t, JSValue))                                   \
    X(JSValue, JS_NewObjectClass, (JSContext *, uint32_t))                                        \
    X(int, JS_SetOpaque, (JSValue, void *))                                                       \
    X(void *, JS_GetOpaque, (JSValue, uint32_t))                                                  \
    X(uint32_t, JS_GetClassID, (JSValue))                                                         \
    X(JSValue, JS_NewObject, (JSContext *))                                                       \
    X(JSValue, JS_NewObjectProto, (JSContext *, JSValue))                                         \
    X(JSValue, JS_NewArray, (JSContext *))                                                        \
    X(JSValue, JS_NewArrayFrom, (JSContext *, int, const JSValue *))                              \
    X(JSValue, JS_NewStringLen, (JSContext *, const char *, size_t))                              \
    X(JSValue, JS_NewArrayBuffer,                                                                 \
      (JSContext *, uint8_t *, size_t, JSFreeArrayBufferDataFunc *, void *, bool))                \
    X(JSValue, JS_NewArrayBufferCopy, (JSContext *, const uint8_t *, size_t))                     \
    X(uint8_t *, JS_GetArrayBuffer, (JSContext *, size_t *, JSValue))                             \
    X(JSValue, JS_GetTypedArrayBuffer, (JSContext *, JSValue, size_t *, size_t *, size_t *))      \
    X(int, JS_GetTypedArrayType, (JSValue))                                                       \
    X(bool, JS_IsArrayBuffer, (JSValue))                                                          \
    X(bool, JS_IsDataView, (JSValue))                                                             \
    X(bool, JS_IsFunction, (JSContext *, JSValue))                                                \
    X(bool, JS_IsArray, (JSValue))                                                                \
    X(bool, JS_IsProxy, (JSValue))                                                                \
    X(JSValue, JS_GetProxyTarget, (JSContext *, JSValue))                                         \
    X(bool, JS_IsError, (JSValue))                                                                \
    X(JSValue, JS_GetGlobalObject, (JSContext *))                                                 \
    X(JSValue, JS_GetPropertyStr, (JSContext *, JSValue, const char *))                           \
    X(JSValue, JS_GetPropertyUint32, (JSContext *, JSValue, uint32_t))                            \
    X(JSValue, JS_GetProperty, (JSContext *, JSValue, JSAtom))                                    \
    X(int, JS_SetPropertyStr, (JSContext *, JSValue, const char *, JSValue))                      \
    X(int, JS_DefinePropertyGetSet, (JSContext *, JSValue, JSAtom, JSValue getter, JSValue setter, int)) \
    X(int, JS_DefinePropertyValue, (JSContext *, JSValue, JSAtom, JSValue, int))                  \
    X(int, JS_DefinePropertyValueStr, (JSContext *, JSValue, const char *, JSValue, int))         \
    X(int, JS_DefinePropertyValueUint32, (JSContext *, JSValue, uint32_t, JSValue, int))          \
    X(JSValue, JS_NewCFunctionData,                                                               \
      (JSContext *, JSCFunctionData *, int length, int magic, int data_len, JSValue *data))       \
    X(int, JS_DeleteProperty, (JSContext *, JSValue, JSAtom, int))                                \
    X(int, JS_GetOwnPropertyNames, (JSContext *, JSPropertyEnum **, uint32_t *, JSValue, int))    \
    X(int, JS_GetOwnProperty, (JSContext *, JSPropertyDescriptor *, JSValue, JSAtom))             \
    X(void, JS_FreePropertyEnum, (JSContext *, JSPropertyEnum *, uint32_t))                       \
    X(int, JS_GetLength, (JSContext *, JSValue, int64_t *))                                       \
    X(JSAtom, JS_NewAtom, (JSContext *, const char *))                                            \
    X(JSAtom, JS_NewAtomLen, (JSContext *, const char *, size_t))                                 \
    X(JSAtom, JS_NewAtomUInt32, (JSContext *, uint32_t))                                          \
    X(void, JS_FreeAtom, (JSContext *, JSAtom))                                                   \
    X(const char *, JS_AtomToCStringLen, (JSContext *, size_t *, JSAtom))                         \
    X(JSValue, JS_AtomToString, (JSContext *, JSAtom))                                            \
    X(const char *, JS_ToCStringLen2, (JSContext *, size_t *, JSValue, bool))                     \
    X(void, JS_FreeCString, (JSContext *, const char *))                                          \
    X(JSValue, JS_ToString, (JSContext *, JSValue))                                               \
    X(int, JS_ToFloat64, (JSContext *, double *, JSValue))                                        \
    X(int, JS_ToInt32, (JSContext *, int32_t *, JSValue))                                         \
    X(int, JS_ToBool, (JSContext *, JSValue))                                                     \
    X(int, JS_ToBigInt64, (JSContext *, int64_t *, JSValue))                                      \
    X(JSValue, JS_NewBigInt64, (JSContext *, int64_t))                                            \
    X(JSValue, JS_DupValue, (JSContext *, JSValue))                                               \
    X(void, JS_FreeValue, (JSContext *, JSValue))                                                 \
    X(void, JS_FreeValueRT, (JSRuntime *, JSValue))                                               \
    X(void, JS_MarkValue, (JSRuntime *, JSValue, void *))                                         \
    X(bool, JS_HasException, (JSContext *))                                                       \
    X(JSValue, JS_GetException, (JSContext *))                                                    \
    X(JSValue, JS_Throw, (JSContext *, JSValue))                                                  \
    X(JSValue, JS_NewError, (JSContext *))                                                        \
    X(JSValue, JS_ThrowTypeError, (JSContext *, const char *, ...))                               \
    X(JSValue, JS_ThrowRangeError, (JSContext *, const char *, ...))                              \
    X(JSValue, JS_ThrowInternalError, (JSContext *, const char *, ...))                           \
    X(JSValue, JS_ThrowOutOfMemory, (JSContext *))                                                \
    X(void, JS_SetUncatchableError, (JSContext *, JSValue))                                       \
    X(bool, JS_IsUncatchableError, (JSValue))                                                     \
    X(int, JS_PromiseState, (JSContext *, JSValue))                                               \
    X(JSValue, JS_PromiseResult, (JSContext *, JSValue))                                          \
    X(bool, JS_IsJobPending, (JSRuntime *))                                                       \
    X(int, JS_ExecutePendingJob, (JSRuntime *, JSContext **))                                     \
    X(int, JS_EnqueueJob,                                                                         \
      (JSContext *, JSValue (*)(JSContext *, int, JSValue *), int, JSValue *))                    \
    X(void *, js_malloc, (JSContext *, size_t))                                                   \
    X(void *, js_malloc_rt, (JSRuntime *, size_t))                                                \
    X(void *, js_realloc_rt, (JSRuntime *, void *, size_t))                                       \
    X(void, js_free, (JSContext *, void *))                                                       \
    X(void, js_free_rt, (JSRuntime *, void *))

#define X(type, name, arguments) extern type(*name) arguments;
QUICKJS_FUNCTIONS(X)
#undef X

/* Look up the engine's functions in the shared object at `path`, which must be loaded already or
 * loadable. Returns NULL, or a static text of the error. */
const char *quickjs_open(const char *path);

#endif

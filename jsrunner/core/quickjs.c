/* The look-up of QuickJS's functions in dukpy's shared object (see quickjs.h). */
#define _GNU_SOURCE
#include "quickjs.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define X(type, name, arguments) type(*name) arguments;
QUICKJS_FUNCTIONS(X)
#undef X

/* The engine versions whose ABI quickjs.h restates. */
static const char ENGINE_VERSION[] = "0.11.";

const char *quickjs_open(const char *path)
{
    static char problem[512];
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(problem, sizeof problem, "%s", dlerror());
        return problem;
    }
#define X(type, name, arguments)                                                \
    *(void **)&name = dlsym(library, #name);                                    \
    if (!name) {                                                                \
        snprintf(problem, sizeof problem, "%s has no function " #name, path);   \
        return problem;                                                         \
    }
    QUICKJS_FUNCTIONS(X)
#undef X
    const char *version = JS_GetVersion();
    if (strncmp(version, ENGINE_VERSION, sizeof ENGINE_VERSION - 1) != 0) {
        snprintf(problem, sizeof problem, "QuickJS-NG %sx is needed, %s has %s", ENGINE_VERSION, path,
                 version);
        return problem;
    }
    return NULL;
}

/* The sources' hash and the target of the library: build.py searches the file for this text. */

#ifndef CORE_VERSION
#define CORE_VERSION "compiled by hand"
#endif

__attribute__((visibility("default"))) const char *core_version(void);

/* "jsrunner-core FINGERPRINT PLATFORM", static. FINGERPRINT is a digest of sources and flags. */
const char *core_version(void)
{
    return CORE_VERSION;
}

/* What the library was made from and for: build.py looks for this text in the file. */

#ifndef CORE_VERSION
#define CORE_VERSION "compiled by hand"
#endif

__attribute__((visibility("default"))) const char *core_version(void);

/* "jsrunner-core FINGERPRINT PLATFORM", static. FINGERPRINT is a digest of sources and flags. */
const char *core_version(void)
{
    return CORE_VERSION;
}

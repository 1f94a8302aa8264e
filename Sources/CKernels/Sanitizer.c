#include "CKernels.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#ifdef SANITIZED
#include <sanitizer/asan_interface.h>

bool graft_is_sanitized(void) { return true; }
void graft_guard(void *bytes, size_t n) { ASAN_POISON_MEMORY_REGION(bytes, n); }
#else
bool graft_is_sanitized(void) { return false; }
void graft_guard(void *bytes, size_t n) { (void)bytes, (void)n; }
#endif

// Stands in front of glibc's allocator, so that a test can count what a step allocates. A sanitizer does the same, and
// both cannot.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__linux__) && !defined(SANITIZED)
#define _GNU_SOURCE
#include <features.h>
#endif

#include "CAllocations.h"

#if defined(__GLIBC__) && !defined(SANITIZED)

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local bool is_counting;
static _Thread_local struct allocations counted;

static void count(size_t size, void *caller) {
  if (!is_counting) return;
  is_counting = false;
  Dl_info info;
  bool is_library = dladdr(caller, &info) && info.dli_fname &&
                    (strstr(info.dli_fname, "libdnnl") || strstr(info.dli_fname, "libstdc++") ||
                     strstr(info.dli_fname, "libgomp"));
  if (is_library)
    counted.in_libraries++;
  else
    counted.own++;
  if (size > counted.largest) counted.largest = size;
  is_counting = true;
}

void *malloc(size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count(number * size, __builtin_return_address(0));
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  void *made = __libc_memalign(alignment, size);
  if (!made) return ENOMEM;
  *memory = made;
  return 0;
}

bool allocations_are_counted(void) { return true; }

void allocations_begin(void) {
  counted = (struct allocations){0};
  is_counting = true;
}

struct allocations allocations_end(void) {
  is_counting = false;
  return counted;
}

#else

bool allocations_are_counted(void) { return false; }
void allocations_begin(void) {}
struct allocations allocations_end(void) { return (struct allocations){0}; }

#endif

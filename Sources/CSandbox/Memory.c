#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CSandbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int csandbox_make_memory(void) {
#if defined(__linux__)
  return memfd_create("graft", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#else
  // A name that is gone before anybody can have seen it.
  for (int attempt = 0; attempt < 16; ++attempt) {
    char name[32];
    snprintf(name, sizeof name, "/graft.%08x", (unsigned)arc4random());
    int memory = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (memory < 0) continue;
    shm_unlink(name);
    fcntl(memory, F_SETFD, FD_CLOEXEC);
    return memory;
  }
  return -1;
#endif
}

int csandbox_size_memory(int memory, uint64_t byte_count) {
  if (ftruncate(memory, (off_t)byte_count) != 0) return -1;
#if defined(__linux__)
  return fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
#else
  // A second size is refused by the system itself.
  return 0;
#endif
}

void *csandbox_map(int memory, size_t byte_count) {
  void *start = NULL;
  int flags = MAP_SHARED;
#if defined(MADV_HUGEPAGE)
  // Large pages need a start at a multiple of their size: such a place is taken first and then mapped over.
  const size_t large = (size_t)1 << 21;
  if (byte_count >= large && byte_count <= SIZE_MAX - large) {
    uint8_t *place = mmap(NULL, byte_count + large, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return NULL;
    // The place ends at a page, as the mapping will.
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (byte_count + page - 1) / page * page;
    size_t before = (large - (uintptr_t)place % large) % large;
    if (before > 0) munmap(place, before);
    if (before < large) munmap(place + before + whole, large - before);
    start = place + before;
    flags |= MAP_FIXED;
  }
#endif
  start = mmap(start, byte_count, PROT_READ | PROT_WRITE, flags, memory, 0);
  if (start == MAP_FAILED) return NULL;
#if defined(MADV_HUGEPAGE)
  madvise(start, byte_count, MADV_HUGEPAGE);
#endif
  return start;
}

void csandbox_unmap(void *start, size_t byte_count) { munmap(start, byte_count); }

void csandbox_discard(void *start, size_t byte_count) {
#if defined(MADV_REMOVE)
  madvise(start, byte_count, MADV_REMOVE);
#else
  (void)start;
  (void)byte_count;
#endif
}
